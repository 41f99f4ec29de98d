"""Runs made of known numbers: rows go through the real Recorder, so what is read back can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadgen.measure.data.recorder import Recorder
from loadgen.measure.data.store import RunStore
from loadgen.measure.summary.run import summarise
from loadgen.model.cell import Axes, Cell
from loadgen.model.named_target import NamedTarget
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import UNLIMITED, parse_policies
from loadgen.model.records import ABSENT, ConnectionFlag, Ending
from loadgen.model.target import parse_target
from tests.support.summary_schema import check_summary

MS = 1_000_000
US = 1_000
CLOCK_NS = 5_000_000_000_000  # a monotonic clock some time after boot
BLOCK_NS, WARMUP_NS = 1_000 * MS, 200 * MS
WINDOW_NS = BLOCK_NS - WARMUP_NS
BLOCK_CPU_NS, RSS_BYTES = 100 * MS, 50 << 20
OPEN = ConnectionFlag.ESTABLISHED
TLS = OPEN | ConnectionFlag.TLS
RESUMED = TLS | ConnectionFlag.TLS_RESUMED
ENVIRONMENT = {
    "loadgen": "0.1.0",
    "started": "2026-01-02T03:04:05+00:00",
    "python": "CPython 3.13.0",
    "packages": {"numpy": "2.3"},
    "system": "Linux 6.1 x86_64",
    "cpu": "unknown",
    "cpus_allowed": [0, 1],
    "cpu_count": 2,
    "clock": "CLOCK_MONOTONIC",
    "optimised": 0,
    "target": {"address": "127.0.0.1", "port": 8080, "server": "nginx"},
}


@dataclass
class Exchange:
    """`at_ns` counts from the beginning of the block's window; below 0 is warm-up."""

    at_ns: int = 0
    send: int = 10 * US
    wait: int = 100 * US
    receive: int = 5 * US
    lag: int = 2 * US
    outcome: int = 200
    bytes_sent: int = 60
    bytes_received: int | None = None  # of a response; one that failed has none
    user: int | None = None  # the one whose place its connection took
    queue: int = ABSENT
    late: int = ABSENT
    own: int = 0
    wait_delay: int = ABSENT
    continue_wait: int = ABSENT


@dataclass
class Link:
    """A connection with its exchanges. `row` is False where the worker died before it wrote the connection's row."""

    exchanges: list[Exchange] = field(default_factory=lambda: [Exchange()])
    slot: int | None = None  # a user of its own, in turns
    dns: int = ABSENT
    connect: int = ABSENT
    tls: int = ABSENT
    upgrade: int = ABSENT
    flags: int = OPEN
    ending: int = Ending.CLIENT_SILENT
    row: bool = True
    tunnel: int = ABSENT
    connect_delay: int = ABSENT


class RunWriter:
    """Stands in for the worker: numbers connections, lays blocks end to end, writes what the recorder expects."""

    def __init__(
        self,
        directory: Path,
        plan: dict[str, Any] | None = None,
        begin: tuple[int, int] | None = None,
        **facts: Any,
    ) -> None:
        """begin: goes on with an existing run, from this block and connection on."""
        self.plan = plan or plan_json()
        if begin is None:
            self.store = RunStore.create(directory)
            run = {"name": directory.name, "plan": self.plan, "environment": ENVIRONMENT, "notes": []}
            self.store.save_run(run | facts)
        else:
            self.store = RunStore.open(directory)
        self.recorder = Recorder(directory)
        self._blocks, self._connections = begin or (0, 0)

    def block(self, policy: str, number: int, links: Iterable[Link], ended: bool = True, **facts: Any) -> None:
        """One block of round `number`; without `ended` the worker died in it."""
        begun_ns = CLOCK_NS + self._blocks * BLOCK_NS + WARMUP_NS
        known = {"index": self._blocks, "round": number, "policy": policy, "first_connection": self._connections}
        self.recorder.block(known)
        known["window_begun_ns"] = begun_ns
        self.recorder.block(known)
        for link in links:
            self._write(link, begun_ns)
        if ended:
            end = {
                "window_ended_ns": begun_ns + WINDOW_NS,
                "cpu_ns": BLOCK_CPU_NS,
                "rss_bytes": RSS_BYTES,
                "whole": True,
            }
            self.recorder.block(known | end | facts)
        self._blocks += 1

    def settle(self) -> Any:
        """Close the recorder and turn its rows into samples."""
        self.recorder.close()
        return self.store.settle(cell_names(self.plan))

    def summary(self) -> dict[str, Any]:
        """Settle and summarise."""
        return summary_of(self.store, self.settle())

    def _write(self, link: Link, begun_ns: int) -> None:
        number = self._connections
        self._connections += 1
        slot = number % 2 if link.slot is None else link.slot
        for request_index, one in enumerate(link.exchanges):
            self.recorder.exchange(
                number, slot if one.user is None else one.user, request_index, begun_ns + one.at_ns, one.queue,
                one.late, one.send, one.wait, one.receive, one.own, one.lag, one.wait_delay, one.outcome,
                one.bytes_sent, (90 if one.outcome > 0 else 0) if one.bytes_received is None else one.bytes_received,
                one.continue_wait,
            )  # fmt: skip
        if link.row:
            opened_ns = begun_ns + link.exchanges[0].at_ns
            self.recorder.connection(
                number,
                slot,
                opened_ns,
                link.dns,
                link.connect,
                link.tunnel,
                link.tls,
                link.upgrade,
                link.connect_delay,
                link.flags,
                link.ending,
            )


def cell_names(plan: dict[str, Any]) -> tuple[str, ...]:
    """What a block's `policy` may be."""
    return tuple(cell.name for cell in Plan.from_json(plan).cells)


def summary_of(store: RunStore, samples: Any) -> dict[str, Any]:
    """The summary as `loadgen report` makes it."""
    facts: Any = store.load_run()
    summary: Any = summarise(facts["name"], samples, facts["plan"], facts["environment"], facts["notes"])
    check_summary(summary)
    found: dict[str, Any] = summary
    return found


def plan_json(
    policies: str = "persistent,close",
    rounds: int = 5,
    url: str = "http://127.0.0.1:8080/",
    rate_rps: float = 0.0,
    **more: Any,
) -> dict[str, Any]:
    """A plan of two users as a run's folder holds it."""
    load = Load(users=2, rounds=rounds, block_ns=BLOCK_NS, warmup_ns=WARMUP_NS, rate_rps=rate_rps)
    return Plan(parse_target(url), parse_policies(policies), load, **more).to_json(secrets=False)


def persistent_links(number: int, requests: int = 50) -> list[Link]:
    """Two users, one connection each, one request in the warm-up and `requests` counted; slower each round."""
    return [
        Link(
            [Exchange(-MS)] + [Exchange(at * MS, wait=(100 + number) * US + at * US) for at in range(requests)],
            slot=user,
            connect=30 * US,
        )
        for user in range(2)
    ]


def close_links(number: int, requests: int = 50, tls: int = ABSENT, flags: int = OPEN) -> list[Link]:
    """Two users, a connection for each request: 40 µs of connect and 7 µs of waiting more than `persistent_links`."""
    return [
        Link(
            [Exchange(at * MS, wait=(107 + number) * US + max(at, 0) * US)],
            slot=user, connect=40 * US, tls=tls, flags=flags,
        )
        for user in range(2)
        for at in range(-1, requests)
    ]  # fmt: skip


def links(policy: str, number: int, requests: int = 50, secure: bool = False) -> list[Link]:
    """The connections of a policy's block."""
    if policy == "persistent":
        return persistent_links(number, requests)
    resumes = policy == "close-resume"
    tls = (250 * US if resumes else 800 * US) if secure else ABSENT
    return close_links(number, requests, tls, (RESUMED if resumes else TLS) if secure else OPEN)


def full_run(directory: Path, policies: str = "persistent,close", rounds: int = 5, **plan: Any) -> RunWriter:
    """A whole run in which everything went well; rows are written, nothing is settled."""
    writer = RunWriter(directory, plan_json(policies, rounds, **plan))
    secure = writer.plan["url"].startswith("https")
    for number in range(rounds):
        for policy in policies.split(","):
            writer.block(policy, number, links(policy, number, secure=secure))
    return writer


def targets_run(
    directory: Path, later_ns: Mapping[str, int], policies: str = "persistent,close", rounds: int = 5,
    noise: Callable[[], int] = lambda: 0,
) -> RunWriter:  # fmt: skip
    """A whole run of several targets, each of which answers later by what its name stands for."""
    targets = tuple(NamedTarget(name, parse_target(f"http://{name}.test/")) for name in later_ns)
    writer = RunWriter(directory, plan_json(policies, rounds, url=str(targets[0].target), targets=targets))
    for number in range(rounds):
        for cell in Plan.from_json(writer.plan).cells:
            found = links(cell.policy.name, number)
            for exchange in (one for link in found for one in link.exchanges):
                exchange.wait += later_ns[str(cell.target)] + noise()
            writer.block(cell.name, number, found)
    return writer


OWN_NS, WAIT_DELAY_NS, CONNECT_DELAY_NS = 12 * US, 14 * US, 25 * US


def stamped_run(directory: Path, policies: str = "persistent,close", rounds: int = 5, **plan: Any) -> RunWriter:
    """A whole run whose stamps were compared with the kernel's: on every connection and on every second request."""
    writer = RunWriter(directory, plan_json(policies, rounds, **plan))
    secure = writer.plan["url"].startswith("https")
    for number in range(rounds):
        for policy in policies.split(","):
            found = links(policy, number, secure=secure)
            for link in found:
                link.connect_delay = CONNECT_DELAY_NS
                for index, exchange in enumerate(link.exchanges):
                    exchange.own = OWN_NS if index else 5 * OWN_NS
                    exchange.wait_delay = ABSENT if index % 2 else WAIT_DELAY_NS
            writer.block(policy, number, found)
    return writer


def sweep_plan(policies: str = "", rounds: int = 3, url: str = "http://127.0.0.1:8080/", **axes: Any) -> dict[str, Any]:
    """A plan over a grid, as a run's folder holds it."""
    load = Load(users=2, rounds=rounds, block_ns=BLOCK_NS, warmup_ns=WARMUP_NS)
    named = parse_policies(policies) if policies else ()
    values = {name: tuple(found) for name, found in axes.items()}
    return Plan(parse_target(url), named, load, axes=Axes(**values)).to_json(secrets=False)


EXCHANGE_NS, CONNECT_NS = 115 * US, 300 * US


def cell_links(cell: Cell, number: int, requests: int = 60, noise: Callable[[], int] = lambda: 0) -> list[Link]:
    """A cell's connections: its first request each pays 300 µs and waits 20 µs longer.

    More users, a higher rate and a larger response take longer; a round 1 µs more than the one before.
    """
    wait = 100 * US + number * US + cell.users * 2 * US + round(cell.rate_rps) * 10 + (cell.size or 0)
    limit = min(cell.policy.requests, requests)
    found = []
    for begin in range(0, requests, limit):
        exchanges = [
            Exchange(
                (begin + at) * MS, wait=wait + (20 * US if not at else 0) + noise(), user=begin % cell.users,
                late=3 * US if cell.rate_rps else ABSENT, queue=5 * US if cell.rate_rps else ABSENT,
            )
            for at in range(min(limit, requests - begin))
        ]  # fmt: skip
        found.append(Link(exchanges, slot=begin % cell.users, connect=CONNECT_NS + noise(), ending=_ending(cell)))
    return found


def _ending(cell: Cell) -> int:
    return Ending.CLIENT_SILENT if cell.policy.requests == UNLIMITED else Ending.CLIENT_ANNOUNCED


def sweep_run(
    directory: Path, plan: dict[str, Any], requests: int = 60, noise: Callable[[], int] = lambda: 0
) -> RunWriter:
    """A whole run over a grid; arrivals above 5,000/s are too many for its target."""
    writer = RunWriter(directory, plan)
    for number in range(plan["rounds"]):
        for cell in Plan.from_json(plan).cells:
            facts: dict[str, Any] = {}
            if cell.rate_rps:
                unstarted = requests // 10 if cell.rate_rps > 5_000 else 0
                facts = {"due": requests + unstarted, "unstarted": unstarted}
            writer.block(cell.name, number, cell_links(cell, number, requests, noise), **facts)
    return writer


def cutter(at: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes functions that are interrupted when they have been called `at` times, all together."""
    steps = iter(range(1_000))

    def cut(original: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **more: Any) -> Any:
            if next(steps) == at:
                raise KeyboardInterrupt
            return original(*args, **more)

        return step

    return cut
