"""What a block's connections cost kernel, ports and server, read before, during and after it. Sends nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gevent

from loadgen.drive.schedule import Block
from loadgen.drive.system.kernel import KernelMonitor
from loadgen.drive.system.ports import TIME_WAIT_S, port_forecast
from loadgen.drive.system.server_process import ServerProcess
from loadgen.model.arrivals import parse_arrivals
from loadgen.model.origins import share_of_first
from loadgen.model.plan import Plan
from loadgen.model.units import NS_PER_S
from loadgen.model.warning_codes import WarningCode
from loadgen.wire.connection import Connection

_TICK_S = 0.25
# Of the connections that end during a block one in this many is read, and at its end at most this many open ones.
MONITORED_SHARE = 64
_MAX_OPEN = 64
# In a shorter time the rate of new connections says nothing yet.
_MIN_FORECAST_S = 0.05


class SystemMonitor:
    """One for a run, made once the target's address is known. `warn` is called with {code, message}.

    Raises PlanError where the plan's server process is none.
    """

    def __init__(self, plan: Plan, address: str, warn: Callable[[dict[str, str]], None]) -> None:
        self._plan = plan
        self._warn = warn
        self._kernel = KernelMonitor(plan.endpoint.port, address, plan.source_ips)
        self._server = None if plan.server_pid is None else ServerProcess(plan.server_pid)
        loop = gevent.get_hub().loop
        self._tick_timer = loop.timer(_TICK_S, _TICK_S, ref=False)
        self._forecast = loop.timer(0, ref=False)
        self._begun_s = 0.0
        self._cpu_begun_ns: int | None = None
        self._server_facts: dict[str, int | None] = {}

    def begin(self, block: Block) -> None:
        """The block begins."""
        self._kernel.begin()
        self._tick_timer.start(self._kernel.tick)
        policy, load = block.cell.policy, self._plan.load
        if block.cell.rate_rps:
            # Other workers of the run open as many from the same ports; what goes to other origins has its own.
            workers = parse_arrivals(load.arrivals).workers
            share = share_of_first(self._plan.target, self._plan.requests)
            self._warn_of_ports(block, policy.opened_per_s(workers * block.cell.rate_rps) * share)
        else:
            # In the middle of the warm-up some milliseconds of reading disturb nothing that counts.
            half_s = load.warmup_ns / NS_PER_S / 2
            if half_s >= _MIN_FORECAST_S:
                held = self._kernel.begun.client or 0
                loop = gevent.get_hub().loop
                loop.update_now()  # its time has not moved since its last turn
                self._forecast = loop.timer(half_s, ref=False)
                self._forecast.start(lambda: self._forecast_from_start(block, held))
        self._begun_s = time.monotonic()

    def window_begins(self) -> None:
        """The counted part begins."""
        if self._server is not None:
            self._cpu_begun_ns = self._server.cpu_ns()

    def window_ends(self, open_connections: list[Connection]) -> None:
        """The counted part is over, its connections are still open."""
        if self._server is not None:
            now = self._server.read()
            begun, ended = self._cpu_begun_ns, now["cpu_ns"]
            self._server_facts = {**now, "cpu_ns": None if begun is None or ended is None else ended - begun}
        for connection in open_connections[:_MAX_OPEN]:
            self._note_tcp(connection)

    def about_to_close(self, connection: Connection) -> None:
        """One in MONITORED_SHARE of the present block's connections, about to be closed."""
        self._note_tcp(connection)

    def end(self) -> dict[str, Any]:
        """The block's facts `kernel`, `tcp` and, where a process is known, `server`; its connections are closed."""
        self._tick_timer.stop()
        self._forecast.close()
        facts = self._kernel.end()
        if self._server is not None:
            facts["server"] = self._server_facts
        return facts

    def close(self) -> None:
        """The run is over."""
        self._tick_timer.stop()
        self._kernel.close()

    def _note_tcp(self, connection: Connection) -> None:
        sock = getattr(connection.transport, "socket", None)
        if sock is not None:
            self._kernel.note_tcp(sock)

    def _forecast_from_start(self, block: Block, held: int) -> None:
        """Warn if the ports won't last for the block, or for the run, at the rate at which they were used so far.

        held: the client's TIME_WAIT sockets when the block began, left by earlier blocks. Open connections don't count:
        a client that opens once and keeps its connections needs no more ports.
        """
        closed_first = (self._kernel.held().client or 0) - held
        if closed_first > 0:
            self._warn_of_ports(block, closed_first / (time.monotonic() - self._begun_s))

    def _warn_of_ports(self, block: Block, opened_per_s: float) -> None:
        load, cells = self._plan.load, len(self._plan.cells)
        block_s = load.block_ns / NS_PER_S
        # Blocks of other policies lie between: over a whole minute only this one's share of the time counts.
        left_s = (self._plan.max_rounds - block.round) * block_s
        for_s = min(TIME_WAIT_S / cells, left_s) if block_s < TIME_WAIT_S / cells else min(TIME_WAIT_S, block_s)
        if load.requests is not None:  # none of them opens more than one connection
            for_s = min(for_s, load.requests / opened_per_s)
        sentence = port_forecast(block.cell.name, opened_per_s, self._kernel.supply, for_s)
        if sentence:
            self._warn({"code": WarningCode.PORTS_FORESEEN.value, "message": sentence})
