"""What connections cost, read around a block: which parts are read when, and which port shortage is forecast."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from loadgen.drive.schedule import blocks
from loadgen.drive.system import monitor
from loadgen.drive.system.monitor import SystemMonitor
from loadgen.drive.system.ports import PortSupply
from loadgen.model.plan import Load, Plan
from loadgen.model.planned_request import PlannedRequest
from loadgen.model.policy import parse_policies
from loadgen.model.request_list import read_requests
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS, NS_PER_S


class FakeKernel:
    """A kernel monitor with few ports, whose counts a test sets."""

    def __init__(self, *_: Any) -> None:
        self.supply = PortSupply(1_000)
        self.begun = SimpleNamespace(client=5)
        self.now = SimpleNamespace(client=5)
        self.noted: list[Any] = []
        self.closed = False

    def begin(self) -> None:
        pass

    def tick(self) -> None:
        pass

    def held(self) -> Any:
        return self.now

    def note_tcp(self, sock: Any) -> None:
        self.noted.append(sock)

    def end(self) -> dict[str, Any]:
        return {"kernel": {}, "tcp": {}}

    def close(self) -> None:
        self.closed = True


class FakeServer:
    """A server's process that spends 1 ms of CPU time between two readings."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._cpu_ns = 0

    def cpu_ns(self) -> int:
        self._cpu_ns += NS_PER_MS
        return self._cpu_ns

    def read(self) -> dict[str, int | None]:
        return {"cpu_ns": self.cpu_ns(), "rss_bytes": 7, "sockets": 3}


class Rig:
    def __init__(
        self, policy: str, monkeypatch: pytest.MonkeyPatch, server_pid: int | None = None,
        requests: tuple[PlannedRequest, ...] = (), **load: Any,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(monitor, "KernelMonitor", FakeKernel)
        monkeypatch.setattr(monitor, "ServerProcess", FakeServer)
        values = {"rounds": 1, "block_ns": 60 * NS_PER_S, "warmup_ns": 0, **load}
        self.plan = Plan(
            parse_target("http://h/"), parse_policies(policy), Load(**values), requests=requests, server_pid=server_pid
        )
        self.block = next(blocks(self.plan))
        self.warnings: list[dict[str, str]] = []
        self.monitor = SystemMonitor(self.plan, "192.0.2.1", self.warnings.append)
        self.kernel: FakeKernel = self.monitor._kernel  # type: ignore[assignment] # the fake


@pytest.mark.parametrize(
    ("policy", "rate_rps", "arrivals", "needs"),
    [
        ("close", 100.0, "constant", "6,000 ports in 60 s"),
        ("close", 10.0, "constant", None),
        ("recycle:20", 100.0, "constant", None),
        ("recycle:2", 100.0, "constant", "3,000 ports in 60 s"),
        ("persistent", 100_000.0, "constant", None),
        ("close", 20.0, "constant:0/4", "4,800 ports in 60 s"),
    ],
)
def test_a_rate_of_arrivals_is_forecast_at_once(
    monkeypatch: pytest.MonkeyPatch, policy: str, rate_rps: float, arrivals: str, needs: str | None
) -> None:
    rig = Rig(policy, monkeypatch, rate_rps=rate_rps, arrivals=arrivals)
    rig.monitor.begin(rig.block)
    rig.monitor.end()
    assert [warning["code"] for warning in rig.warnings] == ([] if needs is None else ["ports_foreseen"])
    assert all(str(needs) in warning["message"] for warning in rig.warnings)


def test_of_several_origins_the_share_of_the_first_one_needs_its_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = read_requests('{"url": "/a"}\n{"url": "http://other/b", "weight": 4}')
    rig = Rig("close", monkeypatch, requests=requests, rate_rps=100.0)
    rig.monitor.begin(rig.block)
    rig.monitor.end()
    (warning,) = rig.warnings
    assert "at this rate (20/s) needs 1,200 ports" in warning["message"]


@pytest.mark.parametrize(("closed_first", "warns"), [(0, False), (15, False), (1_500, True)])
def test_a_closed_loop_is_forecast_from_what_it_has_closed_so_far(
    monkeypatch: pytest.MonkeyPatch, closed_first: int, warns: bool
) -> None:
    rig = Rig("close", monkeypatch)
    rig.monitor.begin(rig.block)
    rig.kernel.now = SimpleNamespace(client=5 + closed_first)
    rig.monitor._begun_s -= 10  # ten seconds ago
    rig.monitor._forecast_from_start(rig.block, held=5)
    rig.monitor.end()
    assert bool(rig.warnings) is warns


def test_other_policies_blocks_lie_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a minute only this policy's share counts, and no more than is left of the run."""
    rig = Rig("close,abandon,http10", monkeypatch, block_ns=NS_PER_S, rounds=60, rate_rps=40.0)
    rig.monitor.begin(rig.block)
    assert rig.warnings == []  # 800 ports in 20 s
    rig = Rig("close", monkeypatch, block_ns=NS_PER_S, rounds=20, rate_rps=40.0)
    rig.monitor.begin(rig.block)
    assert rig.warnings == []  # 800 ports in the 20 s of the run
    rig = Rig("close", monkeypatch, block_ns=NS_PER_S, rounds=60, rate_rps=40.0)
    rig.monitor.begin(rig.block)
    assert len(rig.warnings) == 1


def test_the_servers_cpu_time_is_that_of_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig("persistent", monkeypatch, server_pid=1)
    rig.monitor.begin(rig.block)
    rig.monitor.window_begins()
    rig.monitor.window_ends([])
    facts = rig.monitor.end()
    assert facts["server"] == {"cpu_ns": NS_PER_MS, "rss_bytes": 7, "sockets": 3}


def test_without_a_process_nothing_is_said_about_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig("persistent", monkeypatch)
    rig.monitor.begin(rig.block)
    rig.monitor.window_begins()
    rig.monitor.window_ends([])
    assert set(rig.monitor.end()) == {"kernel", "tcp"}
    rig.monitor.close()
    assert rig.kernel.closed


def connection(number: int, sock: Any = object) -> Any:
    return SimpleNamespace(number=number, transport=SimpleNamespace(socket=sock))


def test_connections_that_close_are_read_and_some_that_are_open(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig("persistent", monkeypatch)
    rig.monitor.begin(rig.block)
    for number in (0, 64):
        rig.monitor.about_to_close(connection(number, f"closing {number}"))
    assert rig.kernel.noted == ["closing 0", "closing 64"]
    rig.kernel.noted.clear()
    rig.monitor.window_ends([connection(number) for number in range(100)])
    assert len(rig.kernel.noted) == 64
    rig.monitor.end()


def test_a_socket_that_is_gone_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig("persistent", monkeypatch)
    rig.monitor.about_to_close(connection(64, None))
    assert rig.kernel.noted == []
