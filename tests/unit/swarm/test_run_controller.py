"""The life of a run beside Locust's: how it begins, what ends it, exit codes, and what is printed."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

import loadgen.swarm.messages as messages
from loadgen.model.exceptions import PlanError
from loadgen.swarm import target_host
from loadgen.swarm.class_runner import ScenarioClassRunner
from loadgen.swarm.live_view import FAILED, FINISHED, RUNNING
from loadgen.swarm.messaging import MessageChannel, Role
from loadgen.swarm.plugin import LoadgenPlugin
from loadgen.swarm.run_controller import RunController
from loadgen.swarm.run_folder import RunFolder
from loadgen.swarm.user_classes import UserKind
from tests.support.fake_swarm import FakeRunner, LoopbackRunner, block_done, fake_environment, until, user_class
from tests.support.secure_servers import authority
from tests.support.swarm_messages import sent_report

ALTERNATING = user_class("Alternating")
OWN_VERSION = {"version": __import__("loadgen").__version__}


class FakeAgent:
    """The load-making side of a local runner: does each block at once, and has written samples at the end."""

    def __init__(self, send: Any) -> None:
        self.send = send
        self.calls: list[str] = []
        self.users: dict[str, int] = {}
        self.class_runners: dict[str, Any] = {}
        self.directory: Path | None = None
        self.writes = True

    def begin_run(self, order: dict[str, Any]) -> None:
        self.directory = Path(order["directory"])

    def run_block(self, order: dict[str, Any]) -> None:
        self.calls.append("block")
        gevent.spawn(self.send, messages.BLOCK_DONE, block_done(order))

    def start_block(self, order: dict[str, Any]) -> None: ...

    def tell_time(self, question: dict[str, Any]) -> None: ...

    def cut_block(self) -> None:
        self.calls.append("cut")

    def take_reports(self) -> dict[str, Any]:
        return {"run": "", "reports": []}

    def end_run(self, order: dict[str, Any]) -> None:
        if self.writes:
            assert self.directory is not None
            part = self.directory / "worker-0"
            part.mkdir()
            (part / "samples.npz").touch()
        self.send(messages.WORKER_DONE, {"run": order["run"], "files": 0, "reports": []})

    def piece_received(self) -> None: ...

    def close_run(self) -> None:
        self.calls.append("close")


class Rig:
    """A local runner's process. reported: how `loadgen report` ends."""

    def __init__(self, folder: Path, *classes: type, runner: FakeRunner | None = None, **options: Any) -> None:
        self.folder = folder
        options = {"results": str(folder), "run_name": "r", "block": "600ms", **options}
        self.environment = fake_environment(*(classes or (ALTERNATING,)), **options)
        self.runner = runner or LoopbackRunner()
        self.channel = MessageChannel(self.runner, Role.LOCAL if runner is None else Role.MASTER)
        self.agent = FakeAgent(self.channel.send_to_coordinator)
        local: Any = self.agent if runner is None else None
        self.controller = RunController(self.environment, self.runner, self.channel, local)
        self.plugin = LoadgenPlugin(self.environment, self.runner, self.channel, local, self.controller)
        self.channel.announce()
        self.reported = CompletedProcess(["loadgen"], 0, "the table\n", "")

    @property
    def state(self) -> str:
        return self.controller.live_view.state

    def run(self) -> None:
        """A whole test of Locust's, with a block or two."""
        self.controller.begin()
        self.spawned(4)
        until(lambda: "block" in self.agent.calls or self.controller.run is None)
        self.stop()

    def spawned(self, number: int) -> None:
        """Locust has started users until there are this many."""
        name = self.environment.user_classes[0].__name__
        self.runner.target_user_classes_count[name] = self.runner.reported_user_classes_count[name] = number
        self.controller.users_spawned(number)

    def stop(self) -> None:
        self.plugin.stopping()
        with gevent.Timeout(10):
            self.controller.finish()


@pytest.fixture(autouse=True)
def report(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A report is made at once: as the rig says, with a summary of nothing."""

    def make(folder: RunFolder, exports: Any) -> Any:
        summary = {
            "schema": 1, "verdict": "v", "verdict_lines": ["v"], "policies": {}, "warnings": [], "comparisons": [],
            "blocks": [], "sweep": None,
        }  # fmt: skip
        (folder.directory / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
        return request.getfixturevalue("rig").reported

    monkeypatch.setattr(RunFolder, "report", make)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_an_audit_trusts_the_embedded_authority_for_the_embedded_target_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca_file = tmp_path / "ca.pem"
    authority().cert_pem.write_to_path(str(ca_file))
    embedded = SimpleNamespace(url="https://127.0.0.1:9/", ca_file=ca_file, pid=1, stop=lambda: None)
    monkeypatch.setattr(target_host, "EmbeddedTarget", lambda *_: embedded)
    controller = Rig(tmp_path, tls=True).controller
    controller._environment.host = None  # none was given
    plan = controller._audit_plan("")
    assert (plan.target.authority, plan.cacert) == ("127.0.0.1:9", str(ca_file))
    plan = controller._audit_plan("https://elsewhere.example/")
    assert (plan.target.authority, plan.cacert) == ("elsewhere.example:443", None)
    controller.close()


def test_a_test_of_locust_s_is_a_run(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    rig.controller.check()
    rig.run()
    assert rig.state == FINISHED
    assert "block" in rig.agent.calls
    assert rig.environment.process_exit_code is None
    assert rig.controller.run is not None
    assert rig.controller.run.plan.load.users == 4
    rig.plugin.close()
    assert capsys.readouterr().out == "the table\n"
    assert rig.agent.calls[-1] == "close"


def test_the_next_test_is_another_run(rig: Rig) -> None:
    rig.run()
    rig.run()
    assert rig.state == FINISHED
    assert {path.name for path in rig.folder.iterdir()} == {"r", "r-2"}


def test_with_json_the_table_goes_to_standard_error(
    tmp_path: Path, rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.environment.parsed_options.json = True
    rig.run()
    rig.plugin.close()
    assert capsys.readouterr() == ("", "the table\n")


def test_with_a_web_ui_nothing_is_printed_and_the_last_run_is_the_exit_code(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.environment.web_ui = object()
    rig.reported.returncode = 3
    rig.reported.stderr = "loadgen: nothing answered\n"
    rig.run()
    rig.plugin.close()
    assert (rig.state, rig.controller.live_view.message) == (FAILED, "nothing answered")
    assert rig.environment.process_exit_code == 3
    assert capsys.readouterr().out == ""
    rig.environment.parsed_options.run_name = "second"
    rig.reported.returncode, rig.reported.stderr = 0, ""
    rig.run()
    assert (rig.state, rig.environment.process_exit_code) == (FINISHED, None)


def test_an_exit_code_of_others_stays(rig: Rig) -> None:
    rig.environment.process_exit_code = 77
    rig.reported.returncode, rig.reported.stderr = 1, "loadgen: gate failed: errors > 1%: close: 2%\n"
    rig.run()
    assert (rig.state, rig.environment.process_exit_code) == (FINISHED, 77)


def test_a_form_may_ask_for_an_audit_at_the_beginning_of_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, probe=True, run_time=60)
    rig.environment.web_ui = object()
    audit = rig.controller.target_audit
    asked: list[str] = []

    def before_load(plan: Any) -> None:
        asked.append(str(plan.target))
        audit.record = {"url": str(plan.target), "findings": {}, "traces": []}  # type: ignore[typeddict-item] # enough of one

    monkeypatch.setattr(audit, "before_load", before_load)
    rig.controller.check()
    assert asked == []
    rig.run()
    assert asked == ["http://127.0.0.1:9/"]
    assert rig.controller.run is not None
    assert rig.controller.run.facts["environment"]["audit"] == {"url": "http://127.0.0.1:9/", "findings": {}}


@pytest.mark.parametrize("web_ui", [None, object()])
def test_an_audit_before_the_load_is_a_part_of_the_run(
    tmp_path: Path, web_ui: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, probe=True, autostart=web_ui is not None)
    rig.environment.web_ui = web_ui
    audit = rig.controller.target_audit
    found: Any = {"url": "http://127.0.0.1:9/", "findings": {}, "traces": []}
    monkeypatch.setattr(audit, "before_load", lambda plan: setattr(audit, "record", found))
    rig.controller.check()
    rig.run()
    assert rig.controller.run is not None
    assert rig.controller.run.facts["environment"]["audit"] == {"url": "http://127.0.0.1:9/", "findings": {}}
    # What was found out about another target says nothing of this one.
    found["url"] = "http://127.0.0.1:8/"
    rig.environment.parsed_options.run_name = "second"
    rig.run()
    assert "audit" not in rig.controller.run.facts["environment"]


@pytest.mark.parametrize(
    ("code", "stderr", "message"),
    [(3, "warning\nloadgen: nothing answered\n", "nothing answered"), (1, "", "the report could not be made")],
)
def test_the_report_s_exit_code_is_locust_s(rig: Rig, code: int, stderr: str, message: str) -> None:
    rig.reported.returncode, rig.reported.stderr = code, stderr
    rig.run()
    assert (rig.state, rig.controller.live_view.message) == (FAILED, message)
    assert rig.environment.process_exit_code == code


def test_a_gate_that_failed_is_an_exit_code_of_a_whole_run(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.reported.returncode, rig.reported.stderr = 1, "loadgen: gate failed: errors > 1%: close: 2%\n"
    rig.run()
    assert (rig.state, rig.environment.process_exit_code) == (FINISHED, 1)
    assert "loadgen: gate failed: errors > 1%: close: 2%" in caplog.text


def test_a_run_without_samples_is_cut_short(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.agent.writes = False
    rig.run()
    assert rig.state == FAILED
    assert rig.environment.process_exit_code == 130
    assert "all workers were lost, and what they had measured with them" in caplog.text


def test_a_user_who_ends_the_test_and_with_that_itself_loses_no_results(rig: Rig) -> None:
    """Locust kills the users, and it is one of these that called `runner.quit()`."""
    rig.controller.begin()
    rig.spawned(4)
    until(lambda: "block" in rig.agent.calls)
    rig.plugin.stopping()
    user = gevent.spawn(rig.controller.finish)
    gevent.sleep(0)
    user.kill(block=False)
    rig.controller.finish()  # of a Locust that ends
    assert rig.state == FINISHED


def test_without_users_there_is_no_block_and_with_the_next_one_it_goes_on(rig: Rig) -> None:
    rig.controller.begin()
    rig.spawned(0)
    gevent.idle()
    assert rig.agent.calls == []
    rig.spawned(2)
    until(lambda: rig.agent.calls)
    rig.spawned(0)
    gevent.idle()  # never, if blocks went on
    held = len(rig.agent.calls)
    rig.spawned(1)
    until(lambda: len(rig.agent.calls) > held)
    # Stopped without users it ends as well.
    rig.spawned(0)
    gevent.idle()
    rig.stop()
    assert rig.state == FINISHED


def test_no_block_begins_before_the_workers_have_said_that_all_users_are_there(tmp_path: Path) -> None:
    """Locust says `spawning_complete` after a second, whatever the workers have said until then."""
    runner = FakeRunner({"w": "ready"})
    rig = Rig(tmp_path, runner=runner)
    rig.controller.begin()
    rig.spawned(4)
    runner.reported_user_classes_count["Alternating"] = 1
    run = rig.controller.run
    assert run is not None
    gevent.sleep(0.05)
    assert run.coordinator.round == -1
    runner.reported_user_classes_count["Alternating"] = 4
    until(lambda: run.coordinator.round == 0)
    run.stop()


def test_users_that_take_no_part_are_not_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Those of other classes, and those that classes with a fixed count leave of the number that was asked for."""
    runner = FakeRunner({"w": "ready"})
    rig = Rig(tmp_path, ALTERNATING, user_class("Browser", kind=None), runner=runner)
    runner.target_user_count = 10
    runner.target_user_classes_count["Browser"] = 5
    rig.controller.begin()
    rig.spawned(2)
    run = rig.controller.run
    assert run is not None
    until(lambda: run.coordinator.round == 0)
    assert (run.coordinator.expected_users(), run.plan.load.users) == (2, 2)
    assert "users that are not loadgen's ran beside the comparison (5 of Browser):" in caplog.text
    run.stop()


def test_what_can_not_be_run_ends_locust_with_2(tmp_path: Path, rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.environment.parsed_options.block = "soon"
    with pytest.raises(PlanError, match="'soon' is not a duration"):
        rig.controller.check()
    rig.controller.begin()
    gevent.idle()
    assert "'soon' is not a duration" in caplog.text
    assert (rig.environment.process_exit_code, rig.runner.calls) == (2, ["quit"])
    assert list(tmp_path.iterdir()) == []


def test_with_a_web_ui_it_is_only_stopped(rig: Rig) -> None:
    rig.environment.web_ui = object()
    rig.environment.parsed_options.block = "soon"
    rig.controller.check()  # the form may still put it right
    rig.controller.begin()
    gevent.idle()
    assert (rig.state, rig.environment.process_exit_code, rig.runner.calls) == (FAILED, 2, ["stop"])


def test_users_of_others_are_none_of_our_business(tmp_path: Path, rig: Rig) -> None:
    rig.environment.user_classes = [user_class("Foreign", kind=None)]
    rig.controller.check()
    rig.run()
    assert (rig.state, rig.controller.run, list(tmp_path.iterdir())) == ("idle", None, [])


def test_scenarios_are_named_to_the_workers(rig: Rig) -> None:
    rig.environment.user_classes = [user_class("Journey", "close", UserKind.SCENARIO)]
    rig.run()
    order = next(data for kind, data, *_ in rig.runner.sent if kind == messages.BEGIN_RUN)
    assert (order["scenarios"], order["class_policies"]) == (["Journey"], {"Journey": ["close"]})


def test_a_worker_that_fails_ends_a_local_run_with_130(rig: Rig) -> None:
    rig.controller.begin()
    rig.channel.send_to_coordinator(messages.WORKER_FAILED, {"run": "r", "message": "the disk is full"})
    rig.channel.send_to_coordinator(messages.WORKER_FAILED, {"run": "another", "message": "of long ago"})
    gevent.idle()
    assert (rig.environment.process_exit_code, rig.runner.calls) == (130, ["quit"])
    assert rig.controller.run is not None
    assert [note["message"] for note in rig.controller.run.facts["notes"]] == ["the disk is full"]


# A master


@pytest.fixture
def master(tmp_path: Path) -> Rig:
    rig = Rig(tmp_path, runner=FakeRunner({"a": "ready", "late": "ready"}))
    rig.runner.receive(messages.HELLO, "a", OWN_VERSION)
    return rig


def test_a_worker_that_joins_during_a_run_takes_part(master: Rig) -> None:
    master.controller.begin()
    assert {to for kind, _, to in master.runner.sent} == {"a"}
    master.runner.receive(messages.HELLO, "late", OWN_VERSION)
    assert [(kind, to) for kind, _, to in master.runner.sent] == [
        (messages.CLOCK_QUESTION, "a"), (messages.BEGIN_RUN, "a"),
        (messages.CLOCK_QUESTION, "late"), (messages.BEGIN_RUN, "late"),
    ]  # fmt: skip
    question = master.runner.sent[0][1]
    answer = {"asked_ns": question["asked_ns"], "clock_ns": 0, "clock_id": "another machine's"}
    master.runner.receive(messages.CLOCK_ANSWER, "a", answer)
    assert master.controller.run is not None
    alignment = master.controller.run.start_times.clocks.alignment("a")
    assert alignment is not None
    assert alignment.offset_ns >= question["asked_ns"]
    assert master.state == RUNNING


def test_a_worker_that_joins_without_a_run_gets_no_order(master: Rig) -> None:
    master.runner.receive(messages.HELLO, "late", OWN_VERSION)
    assert master.runner.sent == []


def test_one_failed_worker_of_several_does_not_end_the_run(master: Rig) -> None:
    master.runner.receive(messages.HELLO, "late", OWN_VERSION)
    master.controller.begin()
    master.runner.receive(messages.WORKER_FAILED, "a", {"run": "r", "message": "no room"})
    gevent.idle()
    assert (master.runner.calls, master.environment.process_exit_code) == ([], None)
    master.runner.receive(messages.WORKER_FAILED, "late", {"run": "r", "message": "no room"})
    gevent.idle()
    assert (master.runner.calls, master.environment.process_exit_code) == (["quit"], 130)


def test_reports_come_with_locust_s_own(master: Rig) -> None:
    master.environment.web_ui = object()
    master.controller.begin()
    assert master.controller.run is not None
    taken: list[str] = []
    master.controller.run.live.take = lambda worker, name, report: taken.append(name)  # type: ignore[method-assign]
    master.controller.run.coordinator.round = 0
    reports = [sent_report()]
    master.controller.worker_reported("a", {"stats": [], messages.BLOCK_REPORTS: {"run": "r", "reports": reports}})
    master.controller.worker_reported("a", {messages.BLOCK_REPORTS: {"run": "before", "reports": reports}})
    master.controller.worker_reported("a", {"stats": []})
    assert taken == ["Alternating"]


# A worker


def worker_plugin(agent: Any, runner: FakeRunner, processes: int | None = None) -> LoadgenPlugin:
    environment = fake_environment(ALTERNATING, processes=processes)
    return LoadgenPlugin(environment, runner, MessageChannel(runner, Role.WORKER), agent, None)


def test_a_worker_does_what_the_master_orders() -> None:
    runner, sent = FakeRunner(), list[str]()
    agent = FakeAgent(lambda kind, data: sent.append(kind))
    agent.writes = False
    plugin = worker_plugin(agent, runner)
    runner.receive(messages.BEGIN_RUN, "master", {"run": "r", "directory": "/nowhere"})
    runner.receive(messages.RUN_BLOCK, "master", {"run": "r", "round": 0, "turn": 0})
    runner.receive(messages.CUT_BLOCK, "master", {"run": "r"})
    runner.receive(messages.END_RUN, "master", {"run": "r"})
    gevent.idle()
    assert agent.calls == ["block", "cut"]
    # The master may be about to quit, and may not have stopped this worker's users yet.
    assert runner.calls == ["stop"]
    assert set(sent) == {messages.BLOCK_DONE, messages.WORKER_DONE}
    data: dict[str, Any] = {}
    plugin.add_reports(data)
    assert data == {messages.BLOCK_REPORTS: {"run": "", "reports": []}}


def test_users_are_counted_by_class() -> None:
    agent: Any = SimpleNamespace(users={"A": 0, "B": 0}, spawned={"A": 0, "B": 0}, class_runners={})
    plugin = worker_plugin(agent, FakeRunner())
    for name in ("A", "A", "B"):
        plugin.user_spawned(name)
    for name in ("A", "B"):
        plugin.user_started(name)
    assert (agent.spawned, agent.users) == ({"A": 2, "B": 1}, {"A": 1, "B": 1})
    plugin.user_stopped("A")
    plugin.user_gone("A")
    assert (agent.spawned, agent.users) == ({"A": 1, "B": 1}, {"A": 0, "B": 1})


def test_a_scenario_without_a_run_says_why_it_can_not_go_on() -> None:
    agent: Any = SimpleNamespace(users={}, class_runners={}, await_run=lambda: None)
    with pytest.raises(RuntimeError, match="Journey can't run: the connections of this run could not be set up"):
        worker_plugin(agent, FakeRunner()).scenario_runner(user_class("Journey"))


def test_users_of_a_worker_that_joins_wait_for_the_run() -> None:
    """Locust's order to start users comes first."""
    runner: Any = object.__new__(ScenarioClassRunner)
    agent: Any = SimpleNamespace(users={}, class_runners={})
    agent.await_run = lambda: agent.class_runners.update(Journey=runner)
    assert worker_plugin(agent, FakeRunner()).scenario_runner(user_class("Journey")) is runner


@pytest.mark.parametrize(("processes", "interrupted"), [(None, 1), (2, 2)])
def test_ctrl_c_is_left_to_the_master_once(
    monkeypatch: pytest.MonkeyPatch, processes: int | None, interrupted: int
) -> None:
    """Of one command's processes the master hears it too, and ends the others once it has their samples."""
    raised: list[type] = []
    hub = gevent.get_hub()
    monkeypatch.setattr(hub, "handle_system_error", lambda kind, error: raised.append(kind), raising=False)
    agent: Any = SimpleNamespace(users={}, class_runners={})
    plugin = worker_plugin(agent, FakeRunner(), processes)
    for count in (1, 2):
        plugin.interrupted()
        assert bool(raised) is (count >= interrupted)
    assert raised[0] is KeyboardInterrupt


@pytest.mark.parametrize(
    ("export", "message"),
    [
        ("juint", "did you mean 'junit'"),
        ("json=-", "Locust's own output is on standard output"),
        ("csv=", "give a path"),
    ],
)
def test_an_export_that_can_not_be_is_refused_before_anything_starts(tmp_path: Path, export: str, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        Rig(tmp_path, export=export).controller.check()
