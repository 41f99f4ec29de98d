"""What a socket file's connections cost beside loopback TCP's: the same nginx, in the turns of one comparison each."""

from __future__ import annotations

import json
from typing import Any

from tests.bench.case import Bench
from tests.bench.machine import loadgen
from tests.bench.turns import ratios, spread

_LOAD = ["--policies", "close,persistent", "--users", "1", "--think", "2ms", "--rounds", "3", "--block", "700ms"]


def socket_file(bench: Bench) -> None:
    """Medians of `connect` and of the latency, and CPU of the generator, with the quartiles of the turns."""
    server = bench.server
    targets = ["--target", f"file=unix:{server.socket_file}:/hello", "--target", f"tcp={server.hello}"]
    turns = [_turn(targets, str(bench.folder / f"run{number}")) for number in range(bench.turns)]
    print("| one user, 2 ms of think time, µs | socket file | loopback TCP | TCP ÷ socket file |\n|---|---:|---:|---:|")
    for title, policy, value in (
        ("`close`: connect, p50", "close", _connect_us),
        ("`close`: latency, p50", "close", _latency_us),
        ("`persistent`: latency, p50", "persistent", _latency_us),
        ("`close`: CPU of the generator per request", "close", _cpu_us),
    ):
        of_file, of_tcp = ([value(one[f"{policy} · {target}"]) for one in turns] for target in ("file", "tcp"))
        cells = [title, spread(of_file).text(), spread(of_tcp).text(), ratios(of_tcp, of_file).text(2, " ×")]
        print(f"| {' | '.join(cells)} |", flush=True)


def _turn(targets: list[str], out: str) -> dict[str, Any]:
    """The policies of one comparison."""
    text = loadgen("compare", *targets, *_LOAD, "--out", out, "--json", "--no-charts", "--yes")
    found: dict[str, Any] = json.loads(text)["policies"]
    return found


def _connect_us(policy: dict[str, Any]) -> float:
    return float(policy["phases_ns"]["connect"]["p50"]) / 1e3


def _latency_us(policy: dict[str, Any]) -> float:
    return float(policy["latency_ns"]["p50"]) / 1e3


def _cpu_us(policy: dict[str, Any]) -> float:
    return float(policy["generator"]["cpu_ns_per_request"]) / 1e3
