"""What upgraded connections reach on one core: WebSocket beside HTTP/1.1, HTTP/2 beside h2load on the same server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.case import Bench
from tests.bench.machine import TARGET_CORE, find, pin, run_pinned
from tests.bench.spectrum import measure
from tests.support.processes import await_port, free_port

USERS = 50
STREAMS = 10
MANY = f"h2+streams:{STREAMS}"
_LOAD = ["--users", str(USERS), "--rounds", "1", "--block", "1500ms", "--warmup", "300ms", "--no-charts"]
_H2LOAD = ["h2load", "-t1", f"-c{USERS}", "--warm-up-time=300ms", "-D1"]
_H2LOAD_RATE = re.compile(r"finished in .*, ([\d.]+) req/s")
_H2LOAD_FAILED = re.compile(r"(\d+) failed")
_BARS = {"h2": "2,500 req/s (6,000)", MANY: "1.2 × h2 (2 ×)"}

Turn = dict[str, dict[str, Any]]
"""What one run of loadgen said of each policy."""
Serves = Callable[[Path, bool], AbstractContextManager[str]]
"""Runs a server for a while, over TLS or not, on the target's core; gives its URL."""


@contextmanager
def _ends(process: subprocess.Popen[str]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        process.communicate(timeout=20)


@contextmanager
def embedded(folder: Path, tls: bool) -> Iterator[str]:
    """The embedded target, with a certificate of its own."""
    command = [sys.executable, "-m", "loadgen", "target", "--port", "0", "--until-eof"]
    command += ["--tls", "--ca-file", str(folder / "target.pem")] if tls else []
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: pin(TARGET_CORE),
    )
    assert process.stdout is not None
    with _ends(process):
        yield process.stdout.readline().strip()


@contextmanager
def nghttpd(folder: Path, tls: bool) -> Iterator[str]:
    """nghttp2's server, with the certificate of the bench's nginx and the five bytes that it serves."""
    port = free_port()
    files = [str(folder / "key.pem"), str(folder / "chain.pem")] if tls else []
    command = [find("nghttpd") or "nghttpd", "--address=127.0.0.1", f"--htdocs={folder / 'www'}"]
    command += [str(port), *files] if tls else ["--no-tls", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True, preexec_fn=lambda: pin(TARGET_CORE))
    with _ends(process):
        await_port(port)
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}/"


def h2load_rps(url: str, streams: int) -> float:
    """What h2load gets from as many connections, with as many streams on each. Raises CalledProcessError."""
    text = run_pinned([*_H2LOAD, f"-m{streams}", url])
    rate, failed = _H2LOAD_RATE.search(text), _H2LOAD_FAILED.search(text)
    assert rate is not None, text
    assert failed is not None, text
    assert failed[1] == "0", text
    return float(rate[1])


def run_policies(url: str, folder: Path, names: str, *trust: str) -> Turn:
    """One block of each policy, in one run. Raises AssertionError where requests failed."""
    policies: Turn = measure(url, folder, "--policies", names, *_LOAD, *trust)["policies"]
    assert not any(sum(one["errors"].values()) for one in policies.values()), json.dumps(policies)
    return policies


def _rate_rps(turn: Turn, policy: str) -> float:
    return float(turn[policy]["throughput_rps"])


def _cpu_ns(turn: Turn, policy: str) -> float:
    return float(turn[policy]["generator"]["cpu_ns_per_request"])


def _against(turns: list[Turn], policy: str, baseline: str) -> str:
    """By time, and by CPU, which says the same where neither the target nor other programs hold the generator up."""
    by_time = median(_rate_rps(turn, policy) / _rate_rps(turn, baseline) for turn in turns)
    by_cpu = median(_cpu_ns(turn, baseline) / _cpu_ns(turn, policy) for turn in turns)
    return f"{baseline} {by_time:.2f} × (by CPU {by_cpu:.2f} ×)"


def _print_row(title: str, turns: list[Turn], policy: str, against: str, bar: str) -> None:
    rate_rps = median(_rate_rps(turn, policy) for turn in turns)
    cpu_us = median(_cpu_ns(turn, policy) for turn in turns) / 1e3
    cpu_share = median(turn[policy]["generator"]["cpu_share"] for turn in turns)
    print(f"| {title} | {rate_rps:,.0f} | {cpu_us:.1f} µs | {cpu_share:.0%} | {against} | {bar} |", flush=True)


def websocket(bench: Bench) -> None:
    """Echoes of five bytes against HTTP/1.1 responses of five, in the same run on the embedded target."""
    with embedded(bench.folder, False) as url:
        turns = [run_policies(url, bench.folder, "persistent,websocket") for _ in range(bench.turns)]
    against = _against(turns, "websocket", "persistent")
    _print_row("persistent HTTP/1.1, embedded target", turns, "persistent", "", "")
    _print_row("WebSocket echo, embedded target", turns, "websocket", against, "0.45 × persistent (0.7 ×)")


def http2(name: str, serves: Serves, bench: Bench, tls: bool, ca_file: str) -> None:
    """One stream a connection and STREAMS, in turns with h2load doing the same."""
    peer: dict[str, list[float]] = {"h2": [], MANY: []}
    turns = []
    with serves(bench.folder, tls) as url:
        for _ in range(bench.turns):
            turns.append(run_policies(url, bench.folder, f"h2,{MANY}", *(("--cacert", ca_file) if tls else ())))
            if find("h2load"):
                peer["h2"].append(h2load_rps(url, 1))
                peer[MANY].append(h2load_rps(url, STREAMS))
    for policy, theirs_rps in peer.items():
        pairs = zip(turns, theirs_rps, strict=False)  # none where h2load is missing
        ratios = [_rate_rps(turn, policy) / theirs for turn, theirs in pairs]
        against = [f"h2load {median(ratios):.2f} × ({median(theirs_rps):,.0f})"] if ratios else ["h2load is missing"]
        if policy == MANY:
            against.append(_against(turns, MANY, "h2"))
        title = f"{policy}, {name}, {'TLS' if tls else 'in clear'}"
        _print_row(title, turns, policy, ", ".join(against), _BARS[policy])


def upgrades(bench: Bench) -> None:
    """All of it, in under two minutes. What is not installed is named in the table."""
    print("| case | loadgen req/s | CPU a request | of its core | against | bar (stretch) |")
    print("|---|---|---|---|---|---|")
    websocket(bench)
    for tls in (False, True):
        if find("nghttpd"):
            http2("nghttpd", nghttpd, bench, tls, bench.server.ca_file)
        else:
            print(f"| h2, nghttpd{', TLS' if tls else ''} | – | – | – | nghttpd is missing (nghttp2-server) | – |")
        http2("embedded target", embedded, bench, tls, str(bench.folder / "target.pem"))
    if not find("h2load"):
        print("\nh2load is missing (Debian: nghttp2-client): nothing stands beside our figures")
