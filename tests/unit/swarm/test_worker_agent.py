"""The load-making side: blocks of all user classes at once, users per round, errors, and the samples piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import gevent
import pytest
from gevent.event import Event

import loadgen.swarm.messages as messages
from loadgen.drive.schedule import Block
from loadgen.measure.data.recorder import worker_folder
from loadgen.model.exceptions import PlanError
from loadgen.model.records import ABSENT
from loadgen.model.request_list import read_requests
from loadgen.swarm import worker_agent
from loadgen.swarm.sample_sender import SampleSender
from loadgen.swarm.worker_agent import WorkerAgent
from tests.support.fake_swarm import plan, until


class FakeClassRunner:
    """Runs no load. made: all of them, in the order in which they came to be."""

    made: ClassVar[list[FakeClassRunner]] = []

    def __init__(self, plan: Any, route: Any, directory: Path, *more: Any) -> None:
        directory.mkdir(parents=True)
        self.directory = directory
        self.more = more
        self.blocks: list[tuple[Block, int]] = []
        self.calls: list[str] = []
        self.clocks: list[dict[str, int]] = []
        self.hold: Event | None = None
        self.places = [ABSENT]
        self.error: Exception | None = None
        FakeClassRunner.made.append(self)

    def run(self, block: Block, users: int, start: Any) -> dict[str, Any] | None:
        self.blocks.append((block, users))
        if self.hold is None:
            self.clocks.append(start())
        if self.hold is not None:
            self.hold.wait()
        if self.error is not None:
            raise self.error
        return {"policy": block.cell.name} if users else None

    def block_reports(
        self, facts: dict[str, Any], wants_report: bool
    ) -> tuple[dict[str, Any] | None, dict[int, dict[str, Any]]]:
        return ({"of": facts["policy"]} if wants_report else None), {place: {"count": 1} for place in self.places}

    def cut_block(self) -> None:
        self.calls.append("cut")
        if self.hold is not None:
            self.hold.set()

    def fail(self, error: BaseException) -> None:
        self.calls.append(f"fail: {error}")

    def close(self) -> None:
        self.calls.append("close")


class FakeScenarioRunner(FakeClassRunner):
    """That of a ReuseUser class."""


class Rig:
    """An agent, with all that it sent and what it added to Locust's statistics."""

    def __init__(self, directory: Path | None) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.figures: list[tuple[str, str]] = []
        self.on_piece: Callable[[], None] = lambda: self.agent.piece_received()
        self.agent = WorkerAgent(self._send, lambda method, name, figures: self.figures.append((method, name)))
        self._directory = directory

    def _send(self, kind: str, data: dict[str, Any]) -> None:
        self.sent.append((kind, data))
        if kind == messages.SAMPLE_PIECE:
            self.on_piece()

    def begin(self, run: str = "r", scenarios: tuple[str, ...] = (), **changes: Any) -> list[FakeClassRunner]:
        FakeClassRunner.made.clear()
        order = {
            "run": run, "plan": plan().to_json(secrets=True), "scenarios": list(scenarios), "monitors": True,
            "class_policies": {"One": ["persistent", "close"], "Two": ["persistent", "close"]}, "max_samples": 100,
            "directory": None if self._directory is None else str(self._directory / run), "wants_reports": True,
        }  # fmt: skip
        self.agent.begin_run({**order, **changes})
        return list(FakeClassRunner.made)

    def block(
        self,
        run: str = "r",
        round_number: int = 0,
        turn: int = 0,
        policy: str = "persistent",
        waits: bool = False,
        **changes: Any,
    ) -> None:
        blocks = {"One": [0, policy], "Two": [0, policy]}
        order: dict[str, Any] = {
            "run": run, "round": round_number, "turn": turn, "blocks": blocks, "waits": waits,
            "begins_round": turn == 0, "users_wait_s": 0.0,
        }  # fmt: skip
        self.agent.run_block(order | changes)
        gevent.idle()

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [data for one, data in self.sent if one == kind]

    def end(self, run: str = "r") -> None:
        self.agent.end_run({"run": run})
        with gevent.Timeout(10):
            while not self.of_kind(messages.WORKER_DONE):
                gevent.idle()
                gevent.sleep(0.001)


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(worker_agent, "SwarmClassRunner", FakeClassRunner)
    monkeypatch.setattr(worker_agent, "ScenarioClassRunner", FakeScenarioRunner)
    monkeypatch.setattr(worker_agent, "compact", fake_compact)
    hub = gevent.get_hub()
    yield
    hub.__dict__.pop("handle_error", None)  # each agent puts its own before


def fake_compact(directory: Path, policies: tuple[str, ...], max_samples: int) -> Path:
    path = directory / "compact"
    path.write_text(f"{directory.name} {','.join(policies)} {max_samples}", encoding="ascii")
    return path


@pytest.fixture
def local(tmp_path: Path) -> Rig:
    """The worker of a local runner: it writes into the run's folder."""
    return Rig(tmp_path)


@pytest.fixture
def remote() -> Rig:
    return Rig(None)


def test_a_block_runs_in_all_classes_with_their_users_and_is_reported(local: Rig, tmp_path: Path) -> None:
    one, two = local.begin()
    assert [runner.directory for runner in (one, two)] == [worker_folder(tmp_path / "r", n) for n in (0, 1)]
    local.agent.users.update(One=3, Two=0)
    local.block(turn=1, policy="close")
    assert [(block.cell.name, users) for block, users in (*one.blocks, *two.blocks)] == [("close", 3), ("close", 0)]
    answer = local.sent[0][1]
    assert answer.pop("waited_ns") >= 0
    done = {"run": "r", "round": 0, "turn": 1, "late_ns": 0, "users": {"One": 3, "Two": 0}, "has_run": True}
    assert local.sent == [(messages.BLOCK_DONE, done)]
    # A class without users has nothing to report.
    assert local.agent.take_reports() == {"run": "r", "reports": [{"user_class": "One", "of": "close"}]}
    assert local.agent.take_reports()["reports"] == []
    assert local.figures == [("GET", "/ [close]")]


def test_each_of_several_requests_is_one_of_its_own_for_locust(local: Rig) -> None:
    requests = read_requests('{"url": "/a?token=1"}\n{"url": "/b", "method": "PUT", "name": "save"}')
    one, _ = local.begin(plan=replace(plan(), requests=requests).to_json(secrets=True))
    one.places = [0, 1]
    local.agent.users.update(One=1)
    local.block()
    assert local.figures == [("GET", "/a?token=*** [persistent]"), ("PUT", "save [persistent]")]


def test_with_other_workers_a_block_begins_when_it_is_told(remote: Rig) -> None:
    one, two = remote.begin()
    remote.agent.users.update(One=1, Two=1)
    remote.block(waits=True, turn=1)
    assert remote.sent == [(messages.BLOCK_READY, {"run": "r", "round": 0, "turn": 1})]
    begin = {"run": "r", "round": 0, "start_ns": 1, "clock": {"offset_ns": 7, "error_ns": 2}}
    remote.agent.start_block({**begin, "turn": 0})
    gevent.idle()
    assert one.clocks == two.clocks == []  # that was of another block
    remote.agent.start_block({**begin, "turn": 1})
    gevent.idle()
    assert one.clocks == two.clocks == [{"clock_offset_ns": 7, "clock_error_ns": 2}]
    (done,) = remote.of_kind(messages.BLOCK_DONE)
    assert done["late_ns"] > 0


def test_a_worker_that_stood_still_leaves_the_old_block_and_begins_the_new_one(remote: Rig) -> None:
    one, two = remote.begin()
    remote.agent.users.update(One=1, Two=1)
    remote.block(waits=True)  # the others began without it
    remote.block(waits=True, round_number=1)
    assert (one.calls, two.calls) == (["cut"] * 2, ["cut"] * 2)  # by the agent, and as each began late
    assert [data["round"] for data in remote.of_kind(messages.BLOCK_READY)] == [0, 1]
    remote.agent.start_block({"run": "r", "round": 1, "turn": 0, "start_ns": 0, "clock": None})
    gevent.idle()
    assert [data["round"] for data in remote.of_kind(messages.BLOCK_DONE)] == [0, 1]
    assert one.calls == ["cut"] * 2


def test_a_class_that_fails_before_it_is_ready_keeps_nobody_waiting(remote: Rig) -> None:
    one, two = remote.begin()
    one.hold, one.error = Event(), RuntimeError("odd")
    one.hold.set()
    remote.block(waits=True)
    gevent.idle()
    assert len(remote.of_kind(messages.BLOCK_READY)) == 1
    remote.agent.start_block({"run": "r", "round": 0, "turn": 0, "start_ns": 0, "clock": None})
    gevent.idle()
    assert two.clocks == [{}]
    assert len(remote.of_kind(messages.WORKER_FAILED)) == 1


def test_it_tells_its_time(remote: Rig) -> None:
    remote.agent.tell_time({"asked_ns": 5})
    ((kind, answer),) = remote.sent
    assert (kind, answer["asked_ns"]) == (messages.CLOCK_ANSWER, 5)
    assert answer["clock_ns"] > 0


def test_only_the_first_class_of_a_monitoring_worker_monitors(local: Rig) -> None:
    assert [runner.more[-1] for runner in local.begin()] == [True, False]
    assert [runner.more[-1] for runner in local.begin("other", monitors=False)] == [False, False]


def test_scenarios_have_their_own_kind_of_runner(local: Rig) -> None:
    one, two = local.begin(scenarios=("Two",))
    assert (type(one), type(two)) == (FakeClassRunner, FakeScenarioRunner)
    assert two.more == ("persistent",)


def test_users_that_come_or_go_count_from_the_next_round_on(local: Rig) -> None:
    one, _ = local.begin()
    local.agent.users["One"] = 2
    local.block(round_number=0, turn=0)
    local.agent.users["One"] = 5
    local.block(round_number=0, turn=1)
    local.block(round_number=1, turn=0)
    assert [users for _, users in one.blocks] == [2, 2, 5]


def test_orders_of_another_run_are_ignored(local: Rig) -> None:
    one, _ = local.begin()
    local.block(run="earlier")
    local.agent.end_run({"run": "earlier"})
    gevent.idle()
    assert (one.blocks, one.calls, local.sent) == ([], [], [])


def test_a_cut_ends_the_block_and_no_other_begins(local: Rig) -> None:
    one, two = local.begin()
    one.hold = two.hold = Event()
    local.block()
    assert local.sent == []
    local.agent.cut_block()
    gevent.idle()
    assert [kind for kind, _ in local.sent] == [messages.BLOCK_DONE]
    local.block(turn=1)
    assert len(one.blocks) == 1


def test_a_worker_that_has_ended_by_itself_keeps_no_block_waiting(remote: Rig) -> None:
    one, _ = remote.begin()
    remote.agent.cut_block()  # a task of a user called `runner.quit()`, which the master does not hear of
    remote.block(round_number=3, turn=1, waits=True)
    assert one.blocks == []
    (done,) = remote.of_kind(messages.BLOCK_DONE)
    assert done == {
        "run": "r", "round": 3, "turn": 1, "late_ns": 0, "waited_ns": 0, "users": {}, "has_run": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            OSError(28, "No space left on device"),
            "No space left on device: the run's samples can't be written any more",
        ),
        (KeyError("x"), "a block failed: KeyError('x')"),
    ],
)
def test_an_error_in_a_block_is_reported_in_place_of_its_end(local: Rig, error: Exception, message: str) -> None:
    one, _ = local.begin()
    one.error = error
    local.block()
    assert local.sent == [(messages.WORKER_FAILED, {"run": "r", "message": message})]


def test_a_run_that_can_not_be_prepared_is_reported_as_failed(
    local: Rig, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    bad = plan(url="https://127.0.0.1:9/").to_json(secrets=True) | {"cacert": str(tmp_path / "nowhere.pem")}
    local.begin(plan=bad)
    ((kind, data),) = local.sent
    assert (kind, data["run"]) == (messages.WORKER_FAILED, "r")
    assert "nowhere.pem" in data["message"]
    local.block()
    assert len(local.sent) == 1
    assert caplog.text == ""  # a local runner's coordinating side says it


def test_a_full_disk_in_a_callback_of_the_loop_ends_the_blocks(local: Rig) -> None:
    one, two = local.begin()
    hub = gevent.get_hub()
    hub.handle_error(None, OSError, OSError(28, "full"), None)
    assert one.calls == two.calls == ["fail: [Errno 28] full"]
    hub.handle_error(None, ValueError, ValueError("write to closed file"), None)  # what comes of it
    assert len(one.calls) == 1


def test_a_local_run_ends_without_sending_samples(local: Rig, tmp_path: Path) -> None:
    one, _ = local.begin()
    local.agent.users["One"] = 1
    local.block()
    local.end()
    assert local.of_kind(messages.SAMPLE_PIECE) == []
    (done,) = local.of_kind(messages.WORKER_DONE)
    assert done == {"run": "r", "files": 0, "reports": [{"user_class": "One", "of": "persistent"}]}
    assert one.calls[:2] == ["cut", "close"]
    assert (tmp_path / "r").exists()


def test_a_remote_run_sends_a_part_for_each_class_and_removes_its_folder(remote: Rig) -> None:
    one, two = remote.begin()
    folder = one.directory.parent
    remote.end()
    pieces = [(data["file"], data["piece"]) for data in remote.of_kind(messages.SAMPLE_PIECE)]
    # The two classes share what a worker may send.
    assert pieces == [
        (0, f"{one.directory.name} persistent,close 50".encode()), (0, b""),
        (1, f"{two.directory.name} persistent,close 50".encode()), (1, b""),
    ]  # fmt: skip
    assert remote.of_kind(messages.WORKER_DONE) == [{"run": "r", "files": 2, "reports": []}]
    assert not folder.exists()


def test_the_end_waits_for_the_block_that_is_cut(remote: Rig) -> None:
    one, two = remote.begin()
    one.hold = two.hold = Event()
    remote.block()
    remote.end()
    assert remote.sent[0][0] == messages.BLOCK_DONE


def test_a_master_that_takes_no_samples_is_not_waited_for_for_ever(
    remote: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    remote.begin()
    monkeypatch.setattr(remote.agent._sender, "_max_silence_s", 0.01)
    remote.on_piece = lambda: None
    remote.end()
    assert [kind for kind, _ in remote.sent] == [messages.SAMPLE_PIECE, messages.WORKER_FAILED, messages.WORKER_DONE]
    assert remote.of_kind(messages.WORKER_FAILED)[0]["message"] == "samples are lost: the master does not take them"
    assert "samples are lost" in caplog.text  # the master logs it on its own machine


def test_a_new_run_closes_what_the_last_one_left(remote: Rig) -> None:
    """The master may have gone on without this worker, and begun another run."""
    one, two = remote.begin()
    one.hold = two.hold = Event()
    remote.block()
    folder = one.directory.parent
    remote.begin("next")
    assert one.calls == ["cut", "close"]
    assert not folder.exists()
    remote.agent.close_run()


def test_a_part_goes_in_pieces_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "PIECE_BYTES", 4)
    path = tmp_path / "part"
    path.write_bytes(b"0123456789")
    pieces: list[bytes] = []

    def receive(_kind: str, data: dict[str, Any]) -> None:
        pieces.append(data["piece"])
        gevent.spawn(arrive, len(pieces))

    def arrive(number: int) -> None:
        gevent.idle()
        assert len(pieces) == number  # no other one before this has arrived
        sender.piece_received()

    sender = SampleSender(receive)
    with gevent.Timeout(10):
        sender.send_file("r", 0, path)
    assert pieces == [b"0123", b"4567", b"89", b""]


# Users


def test_a_block_waits_for_users_that_are_in_their_on_start(local: Rig) -> None:
    one, _ = local.begin()
    local.agent.spawned["One"] = 3
    local.agent.users["One"] = 1
    local.block(users_wait_s=10.0)
    gevent.sleep(0.02)
    assert (one.blocks, local.sent) == ([], [])
    local.agent.users["One"] = 3
    until(lambda: local.sent)
    assert [users for _, users in one.blocks] == [3]
    assert local.sent[0][1]["waited_ns"] > 10_000_000


def test_users_that_do_not_begin_are_waited_for_a_while(local: Rig) -> None:
    one, _ = local.begin()
    local.agent.spawned["One"] = 3
    local.agent.users["One"] = 1
    local.block(users_wait_s=0.01)
    until(lambda: local.sent)
    assert [users for _, users in one.blocks] == [1]
    assert local.sent[0][1]["users"] == {"One": 1, "Two": 0}


def test_a_wait_for_users_ends_with_the_run(local: Rig) -> None:
    local.begin()
    local.agent.spawned["One"] = 1
    local.block(users_wait_s=10.0)
    local.agent.cut_block()
    with gevent.Timeout(5):
        until(lambda: local.sent)


def test_a_scenario_s_users_are_counted_for_each_block_and_others_for_a_round(local: Rig) -> None:
    """A scenario's users send requests as soon as they are there."""
    local.begin(scenarios=("Two",))
    for turn in (0, 1):
        local.agent.users.update(One=1, Two=1)
        local.block(turn=turn)
    assert [data["users"] for data in local.of_kind(messages.BLOCK_DONE)] == [
        {"One": 1, "Two": 1}, {"One": 1, "Two": 2}
    ]  # fmt: skip


def test_a_round_that_begins_anew_has_the_users_of_now(local: Rig) -> None:
    local.begin()
    local.block()
    local.agent.users["One"] = 2
    local.block()
    assert [data["has_run"] for data in local.of_kind(messages.BLOCK_DONE)] == [False, True]


def test_who_needs_a_run_waits_until_one_has_begun_or_could_not(local: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def waiting() -> gevent.Greenlet:
        greenlet = gevent.spawn(local.agent.await_run)
        gevent.idle()
        return greenlet

    first = waiting()
    assert not first.ready()
    local.begin()
    first.get(timeout=5)
    assert waiting().ready()
    local.agent.close_run()
    second = waiting()
    assert not second.ready()
    monkeypatch.setattr(local.agent, "_prepare", failing)
    local.begin(run="s")
    second.get(timeout=5)
    local.agent.close_run()
    monkeypatch.setattr(worker_agent, "_JOINING_S", 0.01)
    waiting().get(timeout=5)


def failing(_order: dict[str, Any]) -> None:
    raise PlanError("no")
