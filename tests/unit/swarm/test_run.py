"""A run on the coordinating side: orders to workers, pieces of samples, lost and failed workers, warnings."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import gevent
import pytest

import loadgen.swarm.messages as messages
from loadgen.measure.data.npz import SAMPLES_FILE
from loadgen.measure.live.block_report import BlockReport
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.swarm import run_folder
from loadgen.swarm.run import LocustRun, RunOptions
from loadgen.swarm.run_folder import RunFolder
from loadgen.swarm.run_notes import ramp_seconds
from tests.support.fake_swarm import CLASS_POLICIES, Clock, FakeChannel, block_done, plan, until
from tests.support.hostile_texts import TERMINAL
from tests.support.swarm_messages import POLICIES, sample_file, sent_report

MakeRun = Callable[..., LocustRun]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_run(tmp_path: Path, clock: Clock) -> MakeRun:
    def make(channel: FakeChannel, plan_: Plan | None = None, **options: Any) -> LocustRun:
        options = {"class_policies": CLASS_POLICIES, "is_watched": True, **options}
        folder = RunFolder.create(tmp_path, "r")
        return LocustRun(plan_ or plan(block_ns=2_000_000_000), RunOptions(**options), folder, channel, clock, 0.001)

    return make


def notes(run: LocustRun) -> dict[str, str]:
    return {note["code"]: note["message"] for note in run.facts["notes"]}


def send_file(run: LocustRun, worker: str, file: int, *pieces: bytes) -> None:
    for piece in (*pieces, b""):
        run.take_piece(worker, {"file": file, "piece": piece})


def typed_report(**changes: Any) -> BlockReport:
    return cast(BlockReport, sent_report() | changes)


def collect(run: LocustRun) -> None:
    with gevent.Timeout(10):
        run.collect()


# The begin


def test_every_worker_gets_one_order_and_one_worker_monitors(make_run: MakeRun) -> None:
    channel = FakeChannel("a", "b")
    run = make_run(channel, scenarios=("Alternating",), max_samples=7)
    run.begin()
    channel.present.append("late")
    run.add_worker("late")
    run.add_worker("a")
    orders = {worker: order for _, order, worker in channel.of_kind(messages.BEGIN_RUN)}
    assert list(orders) == ["a", "b", "late"]
    assert [worker for _, _, worker in channel.of_kind(messages.CLOCK_QUESTION)] == ["a", "b", "late"]
    assert len(channel.sent) == 6
    assert [order["monitors"] for order in orders.values()] == [True, False, False]
    order = orders["a"]
    assert (order["run"], order["class_policies"]) == ("r", {"Alternating": ["persistent", "close"]})
    assert (order["scenarios"], order["max_samples"], order["directory"]) == (["Alternating"], 7, None)
    assert order["wants_reports"] is True
    json.dumps(order)  # it goes over a network


@pytest.mark.parametrize(("is_watched", "wants_reports"), [(True, True), (False, False)])
def test_a_local_worker_writes_into_the_folder(make_run: MakeRun, is_watched: bool, wants_reports: bool) -> None:
    channel = FakeChannel("local", is_local=True)
    run = make_run(channel, is_watched=is_watched)
    run.begin()
    ((_, order, _),) = channel.sent
    assert order["directory"] == str(run.directory)
    assert order["wants_reports"] is wants_reports


def test_secrets_go_to_the_workers_and_into_no_file(make_run: MakeRun) -> None:
    channel = FakeChannel("a")
    secret = Plan(plan().target, plan().policies, plan().load, headers=(("Authorization", "hush"),))
    run = make_run(channel, secret)
    run.begin()
    assert "hush" in json.dumps(channel.sent)
    assert "hush" not in (run.directory / "run.json").read_text(encoding="utf-8")


def test_a_worker_that_does_not_know_of_the_run_gets_no_block(make_run: MakeRun) -> None:
    channel = FakeChannel("a")
    run = make_run(channel)
    run.begin()
    channel.present.append("stranger")
    channel.on_message = lambda kind, data, worker: (
        run.coordinator.block_done(worker, block_done(data)) if kind == messages.RUN_BLOCK else None
    )
    run.start_blocks(run.stop)
    run.start_blocks(run.stop)  # twice is the same as once
    with gevent.Timeout(10):
        gevent.idle()
    assert {worker for _, _, worker in channel.of_kind(messages.RUN_BLOCK)} == {"a"}
    assert len(channel.of_kind(messages.RUN_BLOCK)) == 1


# Samples


def test_pieces_become_the_parts_of_the_run(make_run: MakeRun) -> None:
    channel = FakeChannel("a", "b")
    run = make_run(channel, class_policies={"One": POLICIES, "Two": POLICIES})
    run.begin()
    first, other, second = sample_file(1), sample_file(2), sample_file(3)
    send_file(run, "a", 0, first[:1000], first[1000:])
    assert len(channel.of_kind(messages.PIECE_RECEIVED)) == 3
    run.take_piece("b", {"file": 0, "piece": other})
    send_file(run, "a", 1, second)
    run.take_piece("b", {"file": 0, "piece": b""})
    parts = sorted(run.directory.glob(f"*/{SAMPLES_FILE}"))
    assert [path.read_bytes() for path in parts] == [first, other, second]
    assert run.has_samples


def test_a_piece_of_an_unfinished_file_is_no_sample(make_run: MakeRun) -> None:
    run = make_run(FakeChannel("a"))
    run.begin()
    run.take_piece("a", {"file": 0, "piece": b"half of"})
    assert not list(run.directory.glob(f"*/{SAMPLES_FILE}"))


def test_pieces_of_a_lost_worker_are_ignored(make_run: MakeRun) -> None:
    channel = FakeChannel("a")
    run = make_run(channel)
    run.begin()
    run.coordinator.lost["a"] = 0
    send_file(run, "a", 0, b"too late")
    assert not run.has_samples
    assert channel.of_kind(messages.PIECE_RECEIVED) == []


def test_a_full_disk_here_fails_the_worker(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = FakeChannel("a")
    run = make_run(channel)
    run.begin()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RunFolder, "add_piece", full)
    run.take_piece("a", {"file": 0, "piece": b"x"})
    assert notes(run)["worker_failed"] == ("worker 0 (a): its samples can't be written here: No space left on device")
    assert run.coordinator.lost == {"a": -1}
    assert len(channel.of_kind(messages.PIECE_RECEIVED)) == 1  # else the worker would wait for its time-out


# The end


def test_collecting_waits_for_all_workers(make_run: MakeRun) -> None:
    channel = FakeChannel("a", "b")
    run = make_run(channel)
    run.begin()

    def hand_over(kind: str, _: dict[str, Any], worker: str) -> None:
        if kind == messages.END_RUN:
            gevent.spawn(lambda: (send_file(run, worker, 0, sample_file()), run.worker_done(worker, {"reports": []})))

    channel.on_message = hand_over
    collect(run)
    assert len(list(run.directory.glob(f"*/{SAMPLES_FILE}"))) == 2
    assert run.facts["notes"] == []


def test_a_worker_that_is_gone_while_collecting_is_lost_after_six_seconds(make_run: MakeRun, clock: Clock) -> None:
    channel = FakeChannel("a", "b")
    run = make_run(channel)
    run.begin()
    run.coordinator.round = 4

    def answer(kind: str, _: dict[str, Any], worker: str) -> None:
        if kind == messages.END_RUN and worker == "a":
            send_file(run, "b", 0, sample_file())
            send_file(run, "a", 0, sample_file())
            run.worker_done("a", {"reports": []})
            channel.present.remove("b")
            gevent.spawn(goes_by)

    def goes_by() -> None:
        clock.now_s += 5.9
        gevent.sleep(0.01)
        assert run.coordinator.lost == {}
        clock.now_s += 0.2

    channel.on_message = answer
    collect(run)
    assert run.coordinator.lost == {"b": 4}
    assert "worker 0 (b), one of 2 workers, was lost in round 5" in notes(run)["worker_lost"]
    assert [path.read_bytes() for path in run.directory.glob(f"*/{SAMPLES_FILE}")] == [sample_file()]


def test_a_worker_that_stood_still_is_named_and_one_that_stays_away_is_lost_at_once(
    make_run: MakeRun, clock: Clock
) -> None:
    channel = FakeChannel("a", "b", "c")
    run = make_run(channel)
    run.begin()

    def answer(kind: str, data: dict[str, Any], worker: str) -> None:
        coordinator = run.coordinator
        if kind == messages.RUN_BLOCK and data["round"] == 1 and worker in "bc" and worker in channel.present:
            channel.present.remove(worker)
        elif kind == messages.RUN_BLOCK:
            coordinator.block_done(worker, block_done(data))
        elif kind == messages.END_RUN and worker in channel.present:
            send_file(run, worker, 0, sample_file())
            run.worker_done(worker, {"reports": []})

    def between_blocks() -> None:
        clock.now_s += 2
        if run.coordinator.round == 3:
            channel.present = ["a", "b"]
        elif run.coordinator.round == 6:
            run.stop()

    channel.on_message = answer
    run.start_blocks(between_blocks)
    until(lambda: run.coordinator.round == 6)
    collect(run)
    assert run.coordinator.lost == {"c": 1}
    found = notes(run)
    assert found["worker_away"].startswith(
        "workers did not answer, and the others went on without them: worker 0 (b) from round 2 until it was back for "
        "round 5; figures leave out"
    )
    assert "worker 0 (c), one of 3 workers, was lost in round 2" in found["worker_lost"]
    assert {1, 6} == run.coordinator.incomplete


def test_a_worker_that_hangs_is_lost_after_five_minutes_of_silence(make_run: MakeRun, clock: Clock) -> None:
    channel = FakeChannel("a")
    run = make_run(channel)
    run.begin()

    def goes_by() -> None:
        for _ in range(2):
            clock.now_s += 299
            gevent.sleep(0.005)
            assert run.coordinator.lost == {}
            run.take_piece("a", {"file": 0, "piece": b"x"})  # no silence
        clock.now_s += 301

    channel.on_message = lambda kind, data, worker: gevent.spawn(goes_by) if kind == messages.END_RUN else None
    collect(run)
    assert run.coordinator.lost == {"a": -1}
    assert not run.has_samples


def test_a_lost_worker_is_not_asked_for_samples_and_its_reports_go(make_run: MakeRun) -> None:
    channel = FakeChannel("a")
    run = make_run(channel)
    run.begin()
    dropped: list[str] = []
    run.live.drop = dropped.append  # type: ignore[method-assign]
    run.coordinator.lost["a"] = 2
    collect(run)
    assert channel.of_kind(messages.END_RUN) == []
    assert dropped == ["a"]


def test_a_failed_worker_has_said_why_itself(make_run: MakeRun) -> None:
    run = make_run(FakeChannel("a", "b"))
    run.begin()
    run.worker_failed("a", "no such file")
    assert run.goes_on
    run.worker_failed("b", "no such file")
    assert not run.goes_on
    collect(run)
    assert [note["message"] for note in run.facts["notes"]] == [
        "worker 0 (a): no such file", "worker 0 (b): no such file",
    ]  # fmt: skip


def test_a_failed_local_run_keeps_what_was_written(make_run: MakeRun) -> None:
    channel = FakeChannel("local", is_local=True)
    run = make_run(channel)
    run.begin()
    run.worker_failed("local", "the run's samples can't be written any more")
    assert notes(run) == {"worker_failed": "the run's samples can't be written any more"}
    assert run.coordinator.lost == {}
    assert not run.goes_on
    assert [kind for kind, _, _ in channel.sent] == [messages.BEGIN_RUN, messages.CUT_BLOCK]


def test_the_report_counts_the_rounds_and_unlocks_the_folder(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(FakeChannel("a"))
    run.coordinator.round = 6
    run.coordinator.incomplete = {6, 2}
    commands: list[list[str]] = []
    monkeypatch.setattr("subprocess.run", lambda command, **_: commands.append(command))
    run.report()
    assert commands[0][-2:] == ["report", str(run.directory)]
    saved = json.loads((run.directory / "run.json").read_text(encoding="utf-8"))
    assert saved["plan"]["rounds"] == 7
    assert saved["incomplete_rounds"] == [2, 6]
    assert run.facts["notes"] == []


def test_a_run_that_was_too_short_for_one_round_says_so(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(FakeChannel("a"))
    run.coordinator.round = 0
    run.coordinator.incomplete = {0}
    monkeypatch.setattr("subprocess.run", lambda command, **_: None)
    run.report()
    assert notes(run)["run_too_short"].startswith("the run ended before one round was whole")


# Reports and notices


def test_reports_of_workers_that_take_part_are_merged(make_run: MakeRun) -> None:
    run = make_run(FakeChannel("a"))
    run.begin()
    taken: list[tuple[str, str]] = []
    run.live.take = lambda worker, user_class, report: taken.append((worker, user_class))  # type: ignore[method-assign]
    run.coordinator.round = 0
    run.take_reports("a", [typed_report(), typed_report()])
    run.take_reports("stranger", [typed_report()])
    run.coordinator.lost["a"] = 0
    run.take_reports("a", [typed_report()])
    assert taken == [("a", "Alternating")] * 2


def test_what_a_worker_reports_late_of_an_incomplete_round_is_not_shown(make_run: MakeRun) -> None:
    run = make_run(FakeChannel("a"))
    run.begin()
    run.coordinator.round = 1
    run.coordinator.incomplete = {0}
    run.take_reports("a", [typed_report(), changed_block(round=1, index=2)])
    assert (run.live.blocks, run.facts["notes"]) == (1, [])


def changed_block(**changes: Any) -> BlockReport:
    return typed_report(block=sent_report()["block"] | changes)


@pytest.mark.parametrize(
    ("bad", "wrong"),
    [
        (typed_report(user_class="Other"), "it is of an unknown user class"),
        (changed_block(index=2), "its block has not been ordered"),
        (changed_block(round=1), "its block has not been ordered"),
        (changed_block(policy="recycle:2"), "its block is of an unknown policy"),
        (typed_report(share={}), "it has other columns than samples have"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_report_is_one_warning_and_the_others_count(make_run: MakeRun, bad: BlockReport, wrong: str) -> None:
    run = make_run(FakeChannel("a"))
    run.begin()
    run.coordinator.round = 0
    run.take_reports("a", [bad, bad, typed_report()])
    assert run.live.blocks == 1
    assert notes(run) == {
        "worker_message": f"worker 0 (a) sent a message that is none of its kind (loadgen: {wrong}); it was not used"
    }
    assert run.coordinator.lost == {}


@pytest.mark.parametrize(
    ("file", "pieces", "wrong"),
    [
        (0, [b"no archive"], "it is damaged: File is not a zip file"),
        (0, [], "nothing came before its end"),
        (1, [b"x"], "it sent a file that is not awaited"),
        (-1, [b"x"], "it sent a file that is not awaited"),
        (0, [b"x" * ((1 << 20) + 1)], "it sent a file that is not awaited"),
        (0, [sample_file(), b"", b"x"], "it sent a file that is not awaited"),
        (0, [b"xxx", b"too many"], "it sent more samples than it may keep"),
    ],
    ids=str,
)
def test_a_worker_whose_samples_are_none_is_left_out(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, file: int, pieces: list[bytes], wrong: str
) -> None:
    if b"too many" in pieces:
        monkeypatch.setattr(run_folder, "max_file_bytes", lambda samples: 10 * samples)
        monkeypatch.setattr(run_folder, "check_file", lambda *_: None)
    channel = FakeChannel("a", "b")
    run = make_run(channel, max_samples=1)
    run.begin()
    send_file(run, "a", file, *pieces)
    monkeypatch.undo()
    send_file(run, "b", 0, sample_file())
    assert notes(run) == {"worker_failed": f"worker 0 (a): its samples can't be used: {wrong}"}
    assert run.coordinator.lost.keys() == {"a"}
    run.worker_done("b", {"reports": []})
    collect(run)
    assert [path.read_bytes() for path in run.directory.glob(f"*/{SAMPLES_FILE}")] == [sample_file()]
    assert len(list(run.directory.glob("worker-*"))) == 1


def test_a_vital_message_that_is_none_leaves_its_worker_out(make_run: MakeRun) -> None:
    run = make_run(FakeChannel("a", "b"))
    run.begin()
    run.misfit(messages.NOTICE, "a", "it has no run")
    run.misfit(messages.NOTICE, "a", "it has no run")
    assert (list(notes(run)), run.coordinator.lost) == (["worker_message"], {})
    run.misfit(messages.BLOCK_DONE, "a", "it has no turn")
    assert notes(run)["worker_failed"] == (
        "worker 0 (a): it sent a message that is none of its kind (loadgen_block_done: it has no turn)"
    )
    assert run.coordinator.lost == {"a": -1}
    assert run.goes_on


def test_a_worker_s_words_are_inert(make_run: MakeRun, caplog: pytest.LogCaptureFixture) -> None:
    run = make_run(FakeChannel("a"))
    run.begin()
    run.worker_failed("a", TERMINAL + "http://h/?token=c4n4ry" + "x" * 5000)
    (message,) = notes(run).values()
    assert len(message) < 3000
    assert not {"\x1b", "\n", "\x9b"} & set(message + caplog.text.rstrip("\n"))
    assert "c4n4ry" not in message + caplog.text


def test_what_workers_observe_is_kept_once(make_run: MakeRun) -> None:
    run = make_run(FakeChannel("a"))
    run.take_notice({"observed": {"server": "nginx"}})
    run.take_notice({"observed": {"server": "other"}})
    run.take_notice({"warning": {"code": "c", "message": "m"}})
    run.take_notice({"warning": {"code": "c", "message": "m"}})
    saved = json.loads((run.directory / "run.json").read_text(encoding="utf-8"))
    assert saved["environment"]["target"] == {"server": "nginx"}
    assert saved["notes"] == [{"code": "c", "message": "m"}]


# Warnings


def test_a_change_of_users_is_said_once_and_brought_up_to_date(make_run: MakeRun) -> None:
    run = make_run(FakeChannel("a"), plan(users=1))
    took = run.coordinator.on_users
    run.set_users(4)
    took(0, 4, {"Alternating": 4})
    assert run.facts["notes"] == []
    run.set_users(6)
    run.set_users(0)
    took(1, 6, {"Alternating": 6})
    took(2, 1, {"Alternating": 1})
    took(3, 1, {"Alternating": 1})
    assert [note["message"] for note in run.facts["notes"]] == [
        "there were from 1 to 6 users, last changed in round 3; figures of one policy mix them"
    ]
    assert run.plan.load.users == 6


def test_while_users_are_stopped_no_more_are_expected_than_will_stay(make_run: MakeRun) -> None:
    channel = FakeChannel("a")
    run = make_run(channel)
    run.set_users(6)
    assert run.coordinator.expected_users() == 6
    channel.wanted = 2
    assert run.coordinator.expected_users() == 2


def test_the_plan_has_the_users_that_take_part_and_no_others(make_run: MakeRun) -> None:
    """What is asked of Locust may be more: users of other classes, or classes with a fixed count."""
    run = make_run(FakeChannel("a"), plan(users=10))
    run.set_users(3)
    assert run.plan.load.users == 3
    run.coordinator.on_users(0, 3, {"Alternating": 5})  # two more have come, and others are still to come
    assert run.plan.load.users == 5


@pytest.mark.parametrize(
    ("ramp_s", "run_s", "is_too_short"), [(0, 0, False), (0, 4, False), (0, 3.9, True), (8, 2, True), (8, 12, False)]
)
def test_a_run_that_is_too_short_for_its_ramp_says_so(
    make_run: MakeRun, ramp_s: float, run_s: float, is_too_short: bool
) -> None:
    run = make_run(FakeChannel("a"))
    run.note_expected(ramp_s, run_s)
    assert ("run_too_short" in notes(run)) is is_too_short
    if run_s == 2:
        assert notes(run)["run_too_short"] == (
            "blocks begin when all users are there, after 8 s, and a round takes 4 s: the run time of 2 s holds no "
            "whole round; give it more, or start users faster"
        )


@pytest.mark.parametrize(("users", "rate", "seconds"), [(4, 4, 0), (9, 1, 8), (1, 100, 0), (10, 2, 4), (3, 0, 2)])
def test_the_first_users_come_at_once(users: int, rate: float, seconds: float) -> None:
    assert ramp_seconds(users, rate) == seconds


def test_policies_at_the_same_time_are_warned_of(make_run: MakeRun) -> None:
    run = make_run(FakeChannel("a"), class_policies={"One": ("persistent",), "Two": ("close",)})
    run.note_expected(0, 0)
    assert list(notes(run)) == ["policies_together"]


# The folder


def test_a_taken_name_gets_a_number(tmp_path: Path) -> None:
    names = [RunFolder.create(tmp_path, "mine").directory.name for _ in range(3)]
    assert names == ["mine", "mine-2", "mine-3"]


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "a\nb"])
def test_a_name_that_can_not_be_a_folder_s_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PlanError, match="can't be a folder's name"):
        RunFolder.create(tmp_path, name)
    assert not list(tmp_path.iterdir())


def test_a_long_run_s_reports_take_no_more_memory_than_a_shorter_one_s(make_run: MakeRun) -> None:
    """From 64 rounds on groups of rounds are kept. The bench case `scale` replays an hour of twenty workers."""
    run = make_run(FakeChannel("a"))
    run.begin()
    held: list[int] = []
    tracemalloc.start()
    try:
        for number in range(192):
            run.coordinator.round = number
            for place, policy in enumerate(POLICIES):
                run.take_reports("a", [changed_block(index=2 * number + place, round=number, policy=policy)])
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert run.live.blocks == 384
    assert held[63] > 50_000
    assert max(held[128:]) < 1.15 * max(held[64:128])
