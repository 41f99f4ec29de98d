"""How well the connection doctor measures an idle timeout: against the configured ones of real servers."""

from __future__ import annotations

import gevent

from loadgen.model.audit import FindingRecord
from loadgen.model.units import NS_PER_S
from tests.bench.case import Bench
from tests.support.audits import finding
from tests.support.keep_alive_servers import KeepAliveServer, keep_alive_servers

SERVERS = (
    *(("nginx", timeout_s) for timeout_s in (0.5, 1, 2.5, 5, 12)),
    ("nginx-tls", 3),
    *(("node", timeout_s) for timeout_s in (1, 2, 5)),
    *(("uvicorn", timeout_s) for timeout_s in (1, 5, 10)),
    *(("hypercorn", timeout_s) for timeout_s in (2, 5)),
    *(("gunicorn", timeout_s) for timeout_s in (1, 2, 5)),
    *(("embedded", timeout_s) for timeout_s in (0.5, 3, 8)),
)
_WITHIN_S = 0.1
_WITHIN_SHARE = 0.02


def is_near(measured_s: float, kept_s: float) -> bool:
    """Within the bar: 2 % or 100 ms, whichever is more."""
    return abs(measured_s - kept_s) <= max(_WITHIN_S, _WITHIN_SHARE * kept_s)


def timeout_s(found: FindingRecord) -> float:
    """The measured one; 0 where there is none."""
    value = found["values"].get("timeout_ns")
    return value / NS_PER_S if isinstance(value, int) else 0


def measured(servers: list[KeepAliveServer], idle_max_s: float) -> list[FindingRecord]:
    """What the probe finds out about each of them, all at the same time."""
    plan = {"idle_max_ns": int(idle_max_s * NS_PER_S)}
    at_work = [gevent.spawn(finding, one.url, "idle_timeout", cacert=one.ca_file, **plan) for one in servers]
    return [greenlet.get() for greenlet in at_work]


def idle_timeout(bench: Bench) -> None:
    """One run of each server in each turn, with its distance from what the server was configured to do."""
    print("| server | keeps | measured | off by | as text |\n|---|---:|---:|---:|---|")
    near = runs = 0
    with keep_alive_servers(bench.folder, SERVERS) as servers:
        for _ in range(bench.turns):
            for server, found in zip(servers, measured(servers, 15), strict=True):
                seconds = timeout_s(found)
                runs += 1
                near += is_near(seconds, server.keeps_s)
                off_ms = 1000 * (seconds - server.keeps_s)
                row = f"{server.keeps_s:g} s | {seconds:.3f} s | {off_ms:+.0f} ms | {found['measured']}"
                print(f"| {server.name} | {row} |", flush=True)
    print(f"\n{near} of {runs} within 2 % or 100 ms", flush=True)
