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
from tests.bench.light_tables import POLICIES, errors, kernel, own, phases
from tests.bench.machine import loadgen, run_counted
from tests.bench.pairing import Pair, Row, pair
from tests.bench.segments import connections
from tests.bench.turns import in_turns

PAIRS, BLOCK_MS, WARMUP_MS, THINK_MS = 2, 1500, 300, 2
BARE = "bare"
"""The part that captures no packets, to show what capturing itself changes."""
_COLUMNS = ("policy", "scheduled_ns", "connect_ns", "send_ns", "wait_ns", "receive_ns")
_COLUMNS += ("own_ns", "wait_delay_ns", "connect_delay_ns")
_MIN_PAIRED = 0.98

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
        due, connect_begun, connect, send_begun, send_wait, receive = (int(number) for number in numbers)
        begun = {"connect_begun_ns": present(connect_begun), "send_begun_ns": send_begun}
        rows.append(Row(policy, due, present(connect), send_wait, receive, **begun))
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
            f"connect error {policy}": [one.connect_error_ns for one in wired],
            f"send + wait error {policy}": [one.send_wait_error_ns for one in wired],
            f"error {policy}": [one.error_ns for one in wired],
            f"connect leaves {policy}": [one.syn_delay_ns for one in wired],
            f"send + wait leaves {policy}": [one.request_delay_ns for one in wired],
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
    medians = {name: [one.medians_us for one in turns] for name, turns in found.items()}
    for table in (phases, errors, kernel, own):
        table(medians)
