"""Runs the engine of this process against a server, and gives its raw rows beside its summary. Starts no process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from struct import Struct
from typing import Any

import gevent

from loadgen.cli.commands import compare
from loadgen.drive.run_loop import RunLoop
from loadgen.measure.data.environment import environment
from loadgen.measure.data.recorder import CONNECTIONS_FILE, EXCHANGES_FILE, RUN_FILE, Recorder
from loadgen.measure.data.store import RunStore
from loadgen.measure.summary.run import summarise
from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import TargetError
from loadgen.model.plan import Plan
from loadgen.model.records import (
    CONNECTION_FIELDS,
    CONNECTION_ROW,
    EXCHANGE_FIELDS,
    EXCHANGE_ROW,
    ConnectionFlag,
    Ending,
)
from loadgen.wire.route import Route
from tests.support.plans import planned

_environment = cache(environment)
_SHORT = ("--rounds", "1", "--block", "40ms", "--warmup", "0s", "--timeout", "5s")
_NEVER_S = 3600.0
Fields = dict[str, int]


@dataclass
class BlockRows:
    """The rows of one block, without the run's first connection's first request."""

    policy: str
    exchanges: list[Fields]
    connections: list[Fields]

    @property
    def results(self) -> Counter[str]:
        """How often each status, or error kind, came."""
        return Counter(_result(row["outcome"]) for row in self.exchanges)

    @property
    def opened(self) -> int:
        """Connections that TCP had opened."""
        return sum(bool(row["flags"] & ConnectionFlag.ESTABLISHED) for row in self.connections)

    @property
    def sent(self) -> int:
        """Requests of which the kernel took something."""
        return sum(row["bytes_sent"] > 0 for row in self.exchanges)

    @property
    def answered(self) -> int:
        return sum(row["outcome"] > 0 for row in self.exchanges)

    @property
    def most_on_connection(self) -> int:
        """Requests that the longest connection carried, of those that began after the run's first request."""
        return max(Counter(row["connection"] for row in self.exchanges).values(), default=0)


@dataclass
class Run:
    """What a run has left. refusal: why it ended before its load, empty where it did not."""

    blocks: list[BlockRows]
    summary: dict[str, Any]
    warnings: list[str]
    refusal: str = ""

    @property
    def opened(self) -> int:
        return sum(block.opened for block in self.blocks)

    @property
    def sent(self) -> int:
        return sum(block.sent for block in self.blocks)

    @property
    def answered(self) -> int:
        return sum(block.answered for block in self.blocks)

    @property
    def bytes_sent(self) -> int:
        return sum(row["bytes_sent"] for block in self.blocks for row in block.exchanges)

    @property
    def bytes_received(self) -> int:
        return sum(row["bytes_received"] for block in self.blocks for row in block.exchanges)

    @property
    def sent_by_connection(self) -> Counter[int]:
        """How many connections, of those that TCP had opened, carried how many requests."""
        opened = [
            row for block in self.blocks for row in block.connections if row["flags"] & ConnectionFlag.ESTABLISHED
        ]
        sent = Counter(row["connection"] for block in self.blocks for row in block.exchanges if row["bytes_sent"] > 0)
        return Counter(sent[row["connection"]] for row in opened)

    def block(self, policy: str) -> BlockRows:
        """The first block of this policy."""
        return next(block for block in self.blocks if block.policy == policy)


def run_here(
    url: str, folder: Path, *options: str, ca_file: Path | None = None, interrupt_s: float | None = None
) -> Run:
    """Run `compare URL OPTIONS` on this thread's loop; its rows lie in the new folder `folder`.

    interrupt_s: end it after this time as Ctrl-C does; a time beyond its end is none.
    """
    trust = () if ca_file is None else ("--cacert", str(ca_file))
    users = () if "--rate" in options else ("--users", "2")
    plan = planned(compare, url, *_SHORT, *users, *trust, *options)
    folder.mkdir()
    events: list[dict[str, Any]] = []
    refusal = ""
    recorder = Recorder(folder)
    try:
        with (
            closing(gevent.get_hub().loop.timer(interrupt_s or _NEVER_S)) as timer,
            _loop_of(plan, recorder, events) as loop,
        ):
            timer.start(loop.interrupt)
            loop.run()
    except TargetError as error:
        refusal = str(error)
    finally:
        recorder.close()
    facts = [event["block"] for event in events if "block" in event]
    blocks = _blocks(folder, facts)
    warnings = [event["warning"] for event in events if "warning" in event]
    (folder / RUN_FILE).write_text("{}", encoding="utf-8")  # a run's folder has one
    samples = RunStore(folder).load_samples(tuple(cell.name for cell in plan.cells))
    summary: Any = summarise("hostile", samples, plan.to_json(secrets=False), _environment(), warnings)
    return Run(blocks, summary, [warning["code"] for warning in summary["warnings"]], refusal)


@contextmanager
def _loop_of(plan: Plan, recorder: Recorder, events: list[dict[str, Any]]) -> Iterator[RunLoop]:
    """The run loop of a worker; this thread's hub is left as it was found."""
    hub = gevent.get_hub()
    handle_error = hub.handle_error
    loop = RunLoop(plan, Route.of, recorder, events.append, monitors_system=False)
    try:
        yield loop
    finally:
        loop._engine.close()
        hub.handle_error = handle_error


def _blocks(folder: Path, facts: list[dict[str, Any]]) -> list[BlockRows]:
    exchanges = _rows(folder / EXCHANGES_FILE, EXCHANGE_ROW, EXCHANGE_FIELDS)
    connections = _rows(folder / CONNECTIONS_FILE, CONNECTION_ROW, CONNECTION_FIELDS)
    starts = [fact["first_connection"] for fact in facts]
    found = []
    for index, fact in enumerate(facts):
        first = 0 if index == 0 else starts[index]
        end = starts[index + 1] if index + 1 < len(starts) else 1 << 62
        found.append(
            BlockRows(
                fact["policy"],
                [row for row in exchanges if first <= row["connection"] < end],
                [row for row in connections if first <= row["connection"] < end],
            )
        )
    return found


def _rows(path: Path, layout: Struct, names: tuple[str, ...]) -> list[Fields]:
    return [dict(zip(names, row, strict=True)) for row in layout.iter_unpack(path.read_bytes())]


def _result(outcome: int) -> str:
    return str(outcome) if outcome > 0 else ErrorKind(-outcome).label


def ending_of(row: Fields) -> str:
    return Ending(row["ending"]).label
