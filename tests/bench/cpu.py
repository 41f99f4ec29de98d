"""CPU time per request: of loadgen beside its peers, of pure Python beside the compiled core, of another checkout.

Where the server is the limit, all generators reach the same requests per second, so that ratio says nothing about the
generator. CPU time per request does: it is what one request costs on the generator's own core. Ours is the CPU time of
the whole worker process (all threads, user and system) in the counted window by the requests begun in it. A peer's is
the user and system time of its whole process, start included, by the requests that it counted. Not in ours is the
parent process, which waits meanwhile; in neither is the kernel's work outside any process.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench import peers
from tests.bench.c_program import compiled
from tests.bench.case import Bench
from tests.bench.machine import Server, cpu_s, embedded_target, find, run_counted, run_pinned
from tests.bench.turns import against_bar, in_turns, ratios, spread

SECONDS = 2
USERS = 50
OTHER = "LOADGEN_OTHER"
"""Environment variable: the Python interpreter of another checkout's virtual environment."""
_FULL = 0.95


class Cost(NamedTuple):
    """What one turn of one generator cost. Shares are parts of one core: the generator's, and the server's."""

    cpu_us: float
    rate_rps: float
    generator_share: float
    server_share: float


class Load(NamedTuple):
    """One kind of load. trust: loadgen's options for the server's certificate. pid: the server's process.

    peer: whose ratio is held to bar and stretch.
    """

    title: str
    url: str
    policy: str
    pid: int
    peer: str = ""
    bar: float = 0
    stretch: float = 0
    trust: tuple[str, ...] = ()


def loads(server: Server) -> dict[str, Load]:
    """What is measured on nginx. It keeps no TLS session, so that every generator makes full handshakes."""
    trust = ("--cacert", server.ca_file)
    pid = server.pid
    return {
        "persistent": Load("persistent HTTP", server.hello, "persistent", pid, "wrk", 0.8, 1.1),
        "distinct": Load("persistent HTTP, every head differs", server.distinct, "persistent", pid, "wrk", 0.6, 0.9),
        "close": Load("close HTTP", server.hello, "close", pid, "wrk", 0.7, 0.9),
        "https": Load("persistent HTTPS", server.secure_hello, "persistent", pid, "wrk", 0.7, 0.9, trust),
        "https-close": Load("close HTTPS, full handshakes", server.secure_hello, "close", pid, "ab", 0.8, 1.0, trust),
    }


PARTS = ("persistent", "distinct", "close", "https", "https-close", "websocket")


def ours(load: Load, folder: Path, python: str = sys.executable, env: Mapping[str, str] | None = None) -> Cost:
    """One block of this interpreter's loadgen, as its summary says. Raises AssertionError where requests failed."""
    shape = ["--users", str(USERS), "--rounds", "1", "--block", f"{SECONDS}s", "--warmup", "500ms"]
    command = [python, "-P", "-m", "loadgen", "compare", load.url, "--policies", load.policy, *shape, *load.trust]
    server_begun_s = cpu_s(load.pid)
    output = run_pinned([*command, "--json", "--no-charts", "--out", str(folder / f"{time.time_ns()}")], env)
    server_s = cpu_s(load.pid) - server_begun_s
    policy: dict[str, Any] = json.loads(output)["policies"][load.policy]
    assert not policy["errors"], policy["errors"]
    generator, rate_rps = policy["generator"], policy["throughput_rps"]
    answered = policy["connections"]["exchanges_with_warmup"]
    return Cost(generator["cpu_ns_per_request"] / 1e3, rate_rps, generator["cpu_share"], server_s / answered * rate_rps)


def theirs(peer: str, load: Load) -> Cost:
    """One turn of a peer: CPU time of its process by the requests that it counted."""
    close = load.policy == "close"
    server_begun_s = cpu_s(load.pid)
    done = run_counted(peers.command(peer, load.url, close, USERS, SECONDS))
    server_s = cpu_s(load.pid) - server_begun_s
    requests = peers.requests(peer, done.output)
    # The time of the whole process: most of it is load, and a share that errs is too low, never too high.
    seconds = done.seconds
    return Cost(done.cpu_s / requests * 1e6, requests / seconds, done.cpu_s / seconds, server_s / seconds)


def full(costs: list[Cost]) -> str:
    """Who had no time left, with the median shares of both cores."""
    generator = spread([cost.generator_share for cost in costs]).median
    server = spread([cost.server_share for cost in costs]).median
    names = [name for name, share in (("generator", generator), ("server", server)) if share >= _FULL]
    return f"{' and '.join(names) or 'neither'} ({generator:.0%}, {server:.0%})"


def cpu_us(costs: list[Cost]) -> list[float]:
    return [cost.cpu_us for cost in costs]


def cpu(bench: Bench) -> None:
    """CPU time per request beside each peer that is installed, in alternating turns."""
    every = [
        name for name in peers.PEERS if find(name) and (not set(bench.parts) & set(peers.PEERS) or bench.wants(name))
    ]
    print(
        f"CPU time per request, {USERS} connections, turns: {bench.turns}; medians [quartiles]. "
        f"Peers: {', '.join(every)}"
    )
    print(
        "\n| case | ours, µs | peer | peer's, µs | peer ÷ ours | bar (stretch) | full with ours | full with the peer |"
    )
    print("|---|---|---|---|---|---|---|---|")
    wanted = [part for part in PARTS if part in bench.parts] or PARTS
    for part, load in loads(bench.server).items():
        if part in wanted:
            able = [name for name in every if peers.can(name, load.policy == "close")]
            ways = {"ours": partial(ours, load, bench.folder), **{name: partial(theirs, name, load) for name in able}}
            print_rows(load, in_turns(ways, bench.turns))
    if "websocket" in wanted:
        websocket(bench)


def print_rows(load: Load, costs: dict[str, list[Cost]]) -> None:
    """One row for each peer; the first also has our own figure."""
    mine = costs.pop("ours")
    for name, found in costs.items() or [("none is installed", [])]:
        if not found:
            print(f"| {load.title} | {spread(cpu_us(mine)).text()} | {name} | | | | {full(mine)} | |", flush=True)
            continue
        ratio = ratios(cpu_us(found), cpu_us(mine))
        bar = against_bar(ratio.median, load.bar, load.stretch) if name == load.peer else ""
        cells = [load.title, spread(cpu_us(mine)).text(), name, spread(cpu_us(found)).text(), ratio.text(2, " ×")]
        print(f"| {' | '.join([*cells, bar, full(mine), full(found)])} |", flush=True)


def websocket(bench: Bench) -> None:
    """Echoes of five bytes on the embedded target, beside a minimal client in C; our own HTTP stands beside both."""
    with embedded_target() as target:
        echo = Load("WebSocket echo of 5 bytes, embedded target", target.url, "websocket", target.pid)
        http = echo._replace(title="", policy="persistent")
        ways = {"ours": partial(ours, echo, bench.folder), "our persistent HTTP": partial(ours, http, bench.folder)}
        client = compiled("websocket_client", bench.folder)
        if client is not None:
            ways["minimal C client"] = partial(websocket_cost, client, echo)
        print_rows(echo, in_turns(ways, bench.turns))


def websocket_cost(client: Path, load: Load) -> Cost:
    """One turn of the minimal WebSocket client."""
    server_begun_s = cpu_s(load.pid)
    port = load.url.rstrip("/").rpartition(":")[2]
    done = run_counted([str(client), port, str(USERS), str(SECONDS)])
    server_s = cpu_s(load.pid) - server_begun_s
    echoes, seconds = int(done.output), done.seconds
    return Cost(done.cpu_s / echoes * 1e6, echoes / seconds, done.cpu_s / seconds, server_s / seconds)


def pure(bench: Bench) -> None:
    """CPU time per request of the pure Python core against the default one of this checkout, in alternating turns."""
    way = partial(ours, folder=bench.folder, python=sys.executable)
    _compare(
        bench, {"pure": partial(way, env={"LOADGEN_PURE": "1"}), "default": partial(way, env={"LOADGEN_PURE": "0"})}
    )


def checkout(bench: Bench) -> None:
    """CPU time per request of another checkout (LOADGEN_OTHER) against this one, in alternating turns."""
    other = os.environ.get(OTHER)
    if other is None:
        raise SystemExit(f"{OTHER} must name another checkout's interpreter: {OTHER}=../before/.venv/bin/python")
    way = partial(ours, folder=bench.folder)
    _compare(bench, {"other": partial(way, python=other), "this": partial(way, python=sys.executable)})


def _compare(bench: Bench, ways: dict[str, Callable[[Load], Cost]]) -> None:
    """Two ways of ours; the ratio is the first's CPU by the second's."""
    first, second = ways
    print(f"| CPU µs a request | {first} | {second} | {first} ÷ {second} | full with {first} | full with {second} |")
    print("|---|---|---|---|---|---|")
    for part, load in loads(bench.server).items():
        if bench.wants(part):
            found = in_turns({name: partial(way, load) for name, way in ways.items()}, bench.turns)
            ones, others = (found[name] for name in ways)
            ratio = ratios(cpu_us(ones), cpu_us(others)).text(2, " ×")
            cells = [load.title, spread(cpu_us(ones)).text(), spread(cpu_us(others)).text(), ratio]
            print(f"| {' | '.join([*cells, full(ones), full(others)])} |", flush=True)
