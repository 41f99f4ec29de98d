"""Light load: one user who pauses between requests. Ours, a minimal client in C, and what the packets say of both.

Caches are cold then and nothing queues, so a time that the target did not take shows most. Ours and the client take
turns; each makes both policies in blocks that alternate. The packets of both are captured, and each request is paired
with its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from loadgen.model.records import ABSENT
from tests.bench.c_program import compiled
from tests.bench.capture import Capture, allowed
from tests.bench.case import Bench
from tests.bench.machine import loadgen, run_counted
from tests.bench.pairing import Pair, Row, connect_errors_ns, errors_ns, pair, send_wait_errors_ns
from tests.bench.segments import connections
from tests.bench.turns import below_bar, differences, in_turns, spread

PAIRS, BLOCK_MS, WARMUP_MS, THINK_MS = 2, 1500, 300, 2
POLICIES = ("persistent", "close")
BARE = "bare"
"""The part that captures no packets, to show what capturing itself changes."""
NONE = "–"
_TIMED = (("close", "connect"), ("persistent", "send + wait"), ("close", "send + wait"))
"""Phases that the packets show too."""
_COLUMNS = ("policy", "scheduled_ns", "connect_ns", "send_ns", "wait_ns", "receive_ns")
_COLUMNS += ("own_ns", "wait_delay_ns", "connect_delay_ns")
_MIN_PAIRED = 0.98
_PHASE_BAR_US, _PHASE_STRETCH_US = 30, 10
_BIAS_BAR_US, _BIAS_STRETCH_US = 10, 3

Runs = Callable[[Bench], list[Row]]


class Turn(NamedTuple):
    """One client's turn: medians (µs) by their names, such as `connect close` or `packets' send + wait persistent`."""

    rows: int
    medians_us: dict[str, float]


def our_rows(bench: Bench) -> list[Row]:
    """A run of ours with both policies. Raises AssertionError where a request failed."""
    from loadgen import load_run  # numpy takes its time

    folder = bench.folder / f"{time.time_ns()}"
    load = [
        "--users",
        "1",
        "--think",
        f"{THINK_MS}ms",
        "--rounds",
        f"{PAIRS}",
        "--no-charts",
        "--json",
        "--out",
        str(folder),
    ]
    blocks = ["--block", f"{BLOCK_MS}ms", "--warmup", f"{WARMUP_MS}ms"]
    summary = json.loads(loadgen("compare", bench.server.hello, "--policies", ",".join(POLICIES), *load, *blocks))
    assert not any(policy["errors"] for policy in summary["policies"].values()), summary["policies"]
    table = load_run(folder).samples
    columns = [table[name].tolist() for name in _COLUMNS]
    return [
        Row(policy, due, present(connect), send + wait, receive, *map(present, more))
        for policy, due, connect, send, wait, receive, *more in zip(*columns, strict=True)
    ]


def present(value: int) -> int | None:
    """A number of a column, or None for what is absent there."""
    return None if value == ABSENT else value


def client_rows(client: Path, bench: Bench) -> list[Row]:
    """A run of the reference client."""
    shape = [str(number) for number in (PAIRS, BLOCK_MS, WARMUP_MS, THINK_MS * 1000)]
    return parse_rows(run_counted([str(client), str(bench.server.port), "/hello", *shape]).output)


def parse_rows(output: str) -> list[Row]:
    """What the reference client printed."""
    rows = []
    for line in output.splitlines():
        policy, *numbers = line.split()
        due, connect, send_wait, receive = (int(number) for number in numbers)
        rows.append(Row(policy, due, present(connect), send_wait, receive))
    return rows


def turn(bench: Bench, runs: Runs) -> Turn:
    """Run a client, with its packets captured where that is allowed."""
    if not captures(bench):
        rows = runs(bench)
        return Turn(len(rows), medians_us(rows, []))
    offset_ns = time.time_ns() - time.monotonic_ns()
    with Capture(bench.server.port) as capture:
        rows = runs(bench)
    pairs = pair(rows, connections(capture.packets, bench.server.port), offset_ns)
    if len(pairs) < _MIN_PAIRED * len(rows):
        raise RuntimeError(f"only {len(pairs)} of {len(rows)} requests were found among the packets")
    return Turn(len(rows), medians_us(rows, pairs))


def captures(bench: Bench) -> bool:
    return allowed() and BARE not in bench.parts


def medians_us(rows: list[Row], pairs: list[Pair]) -> dict[str, float]:
    """The medians of one turn. `error`: what the phases have beyond the packets; `bias`: close's less persistent's."""
    found: dict[str, list[int | None]] = {}
    for policy in POLICIES:
        mine = [row for row in rows if row.policy == policy]
        wired = [one for one in pairs if one.row.policy == policy]
        found |= {
            f"connect {policy}": [row.connect_ns for row in mine],
            f"send + wait {policy}": [row.send_wait_ns for row in mine],
            f"receive {policy}": [row.receive_ns for row in mine],
            f"own {policy}": [row.own_ns for row in mine],
            f"wait delay {policy}": [row.wait_delay_ns for row in mine],
            f"connect delay {policy}": [row.connect_delay_ns for row in mine],
            f"packets' connect {policy}": [one.connect_ns for one in wired],
            f"packets' send + wait {policy}": [one.send_wait_ns for one in wired],
            f"connect error {policy}": [*connect_errors_ns(pairs, policy)],
            f"send + wait error {policy}": [*send_wait_errors_ns(pairs, policy)],
            f"error {policy}": [*errors_ns(pairs, policy)],
        }
    there = {name: [value for value in values if value is not None] for name, values in found.items()}
    medians = {name: median(values) / 1e3 for name, values in there.items() if values}
    if pairs:
        medians["bias"] = medians["error close"] - medians["error persistent"]
    return medians


def light(bench: Bench) -> None:
    """Both clients in turns, and what the packets say of each."""
    client = compiled("reference_client", bench.folder)
    ways: dict[str, Callable[[], Turn]] = {"ours": partial(turn, bench, our_rows)}
    if client is not None:
        ways["client"] = partial(turn, bench, partial(client_rows, client))
    found = in_turns(ways, bench.turns)
    print(f"1 user, {THINK_MS} ms of think time, turns: {bench.turns}; p50 in µs, medians of turns [quartiles]")
    print("Rows and packets are paired one by one, by the time of each request.")
    if client is None:
        print("The reference client is missing: it needs a C compiler (Debian: gcc).")
    if not captures(bench):
        why = f"as {BARE!r} asks" if BARE in bench.parts else "capturing takes root (CAP_NET_RAW)"
        print(f"Without packets: {why}.")
    for name, turns in found.items():
        print(f"{name}: {sum(one.rows for one in turns):,} requests")
    print_phases(found)
    print_errors(found)
    print_own(found)


def print_phases(found: dict[str, list[Turn]]) -> None:
    """Each phase by both clients and by the packets; and what ours has more, as it is and beyond each one's packets."""
    print("\n| phase | ours | C client | packets: ours | packets: C | ours less C | beyond packets | bar (stretch) |")
    print("|---|---|---|---|---|---|---|---|")
    timed = [*_TIMED, *((policy, "receive") for policy in POLICIES)]
    for phase in (f"{phase} {policy}" for policy, phase in timed):
        ours, theirs, our_packets, their_packets = (
            figures(found, name, key) for key in (phase, f"packets' {phase}") for name in ("ours", "client")
        )
        cells = [_text(values) for values in (ours, theirs, our_packets, their_packets)]
        less = differences(ours, theirs) if theirs else None
        cells.append(less.text() if less else NONE)
        beyond = NONE
        if our_packets and their_packets:
            columns = zip(ours, our_packets, theirs, their_packets, strict=True)
            beyond = spread([(mine - wire) - (their - its) for mine, wire, their, its in columns]).text()
        bar = below_bar(less.median, _PHASE_BAR_US, _PHASE_STRETCH_US) if less and "receive" not in phase else ""
        print(f"| {' | '.join([phase, *cells, beyond, bar])} |", flush=True)


def print_errors(found: dict[str, list[Turn]]) -> None:
    """By how much the phases exceed what the packets show, request by request; and the difference between policies."""
    if not figures(found, "ours", "bias"):
        return
    print("\n| beyond the packets | ours | C client | bar (stretch) |")
    print("|---|---|---|---|")
    titles = {f"{phase} error {policy}": f"{phase}, {policy}" for policy, phase in _TIMED}
    titles |= {f"error {policy}": f"connect + send + wait, {policy}" for policy in POLICIES}
    for key, title in {**titles, "bias": "the same, close less persistent"}.items():
        ours, theirs = (figures(found, name, key) for name in ("ours", "client"))
        bar = below_bar(abs(spread(ours).median), _BIAS_BAR_US, _BIAS_STRETCH_US) if key == "bias" else ""
        print(f"| {' | '.join([title, _text(ours), _text(theirs), bar])} |", flush=True)


def print_own(found: dict[str, list[Turn]]) -> None:
    """What ours says of itself: its own work in a request, and how late its stamps are by the kernel's."""
    print("\n| what ours reports of itself | persistent | close |")
    print("|---|---|---|")
    for key in ("own", "wait delay", "connect delay"):
        cells = [_text(figures(found, "ours", f"{key} {policy}")) for policy in POLICIES]
        print(f"| {' | '.join([key, *cells])} |", flush=True)


def figures(found: dict[str, list[Turn]], name: str, key: str) -> list[float]:
    """A median of each turn; empty where nobody measured it."""
    return [one.medians_us[key] for one in found.get(name, []) if key in one.medians_us]


def _text(values: list[float]) -> str:
    return spread(values).text() if values else NONE
