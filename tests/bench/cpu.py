"""CPU time per request: of loadgen against its peers, and of this checkout against another one.

Where the server is the limit, all generators reach the same requests per second, so that ratio says nothing about the
generator. CPU time per request does: it is what one request costs on the generator's own core.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from tests.bench.machine import Server, find, run_counted, run_pinned

TURNS = 5
SECONDS = 3
USERS = 50
OTHER = "LOADGEN_OTHER"
"""Environment variable: the Python interpreter of another checkout's virtual environment."""

_K6_SCRIPT = str(Path(__file__).with_name("k6.js"))
_REQUESTS = {
    "wrk": re.compile(r"(\d+) requests in"),
    "ab": re.compile(r"Complete requests:\s+(\d+)"),
    "hey": re.compile(r"\[200\]\s+(\d+) responses"),
    "k6": re.compile(r"http_reqs[.:\s]+(\d+)"),
}


class Case(NamedTuple):
    """One kind of load. trust: loadgen's options for the server's certificate."""

    title: str
    url: str
    policy: str
    trust: tuple[str, ...] = ()


def cases(server: Server) -> tuple[Case, ...]:
    """What is measured. nginx keeps no TLS session, so that every generator makes full handshakes."""
    trust = ("--cacert", server.ca_file)
    return (
        Case("persistent HTTP", server.hello, "persistent"),
        Case("persistent HTTP, every head differs", server.distinct, "persistent"),
        Case("close HTTP", server.hello, "close"),
        Case("persistent HTTPS", server.secure_hello, "persistent", trust),
        Case("close HTTPS, full handshakes", server.secure_hello, "close", trust),
    )


def loadgen_cpu_us(python: str, case: Case, folder: Path) -> float:
    """CPU time (µs) of one request, as the summary of a run of this interpreter's loadgen says."""
    load = ["--users", str(USERS), "--rounds", "1", "--block", f"{SECONDS + 1}s", "--warmup", "1s"]
    command = [python, "-P", "-m", "loadgen", "compare", case.url, "--policies", case.policy, *load, *case.trust]
    summary = json.loads(run_pinned([*command, "--json", "--no-charts", "--out", str(folder / f"{time.time_ns()}")]))
    return float(summary["policies"][case.policy]["generator"]["cpu_ns_per_request"]) / 1e3


def peer_cpu_us(name: str, case: Case) -> float:
    """CPU time (µs) of one request of a peer: user and system time of its process by the requests that it counted."""
    output, cpu_s = run_counted(peer(name, case.url, case.policy == "close"))
    found = _REQUESTS[name].search(output)
    assert found is not None, output
    return cpu_s / int(found[1]) * 1e6


def peer(name: str, url: str, close: bool, users: int = USERS) -> list[str]:
    """The peer's command for this number of users during SECONDS."""
    k6_options = ["--no-usage-report", "--insecure-skip-tls-verify", "--vus", str(users), "--duration", f"{SECONDS}s"]
    return {
        "k6": ["k6", "run", *k6_options, *(["--no-connection-reuse"] if close else []), "-e", f"URL={url}", _K6_SCRIPT],
        "wrk": ["wrk", "-t1", f"-c{users}", f"-d{SECONDS}s", *(["-H", "Connection: close"] if close else []), url],
        "ab": ["ab", "-q", f"-c{users}", f"-t{SECONDS}", "-n10000000", *([] if close else ["-k"]), url],
        "hey": ["hey", "-c", str(users), "-z", f"{SECONDS}s", *(["-disable-keepalive"] if close else []), url],
    }[name]


def cpu(server: Server, folder: Path) -> None:
    """CPU time per request beside each peer that is installed, in alternating turns."""
    found = [name for name in _REQUESTS if find(name)]
    print(f"| CPU µs a request | loadgen | {' | '.join(found)} |")
    print("|---|---|" + "---|" * len(found))
    for case in cases(server):
        ways: dict[str, Callable[[], float]] = {
            "loadgen": lambda case=case: loadgen_cpu_us(sys.executable, case, folder),  # type: ignore[misc]
            **{name: lambda name=name, case=case: peer_cpu_us(name, case) for name in found},  # type: ignore[misc]
        }
        figures = in_turns(ways)
        ours = figures["loadgen"]
        cells = [
            f"{spread(figures[name])} (loadgen takes {spread_of_ratios(ours, figures[name])} of it)" for name in found
        ]
        print(f"| {case.title} | {' | '.join([spread(ours), *cells])} |", flush=True)


def checkout(server: Server, folder: Path) -> None:
    """CPU time per request of this checkout against another one's (LOADGEN_OTHER), in alternating turns."""
    other = os.environ.get(OTHER)
    if other is None:
        raise SystemExit(f"{OTHER} must name another checkout's interpreter: {OTHER}=../before/.venv/bin/python")
    print("| CPU µs a request | other | this | this / other |")
    print("|---|---|---|---|")
    for case in cases(server):
        figures = in_turns(
            {
                name: lambda python=python, case=case: loadgen_cpu_us(python, case, folder)  # type: ignore[misc]
                for name, python in (("other", other), ("this", sys.executable))
            }
        )
        print(
            f"| {case.title} | {spread(figures['other'])} | {spread(figures['this'])} | "
            f"{spread_of_ratios(figures['this'], figures['other'])} |",
            flush=True,
        )


def in_turns(ways: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """TURNS figures of each way, taken in turns; every second turn runs in the opposite order."""
    figures: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(TURNS):
        for name in list(ways) if turn % 2 == 0 else reversed(list(ways)):
            figures[name].append(ways[name]())
    return figures


def spread(figures: list[float]) -> str:
    """The median and the quartiles."""
    low, _, high = quantiles(figures, n=4, method="inclusive")
    return f"{median(figures):.1f} [{low:.1f}, {high:.1f}]"


def spread_of_ratios(ones: list[float], others: list[float]) -> str:
    """The median and the quartiles of the ratios turn by turn."""
    ratios = [one / other for one, other in zip(ones, others, strict=True)]
    low, _, high = quantiles(ratios, n=4, method="inclusive")
    return f"{median(ratios):.2f} × [{low:.2f}, {high:.2f}]"
