"""Idle timeouts of real servers come out as they are configured. `make bench BENCH=idle_timeout` has more of them."""

from __future__ import annotations

from pathlib import Path

import gevent
import pytest

from loadgen.model.units import NS_PER_S
from tests.bench.idle_timeout import is_near, measured, timeout_s
from tests.support.audits import audit
from tests.support.keep_alive_servers import keep_alive_servers

pytestmark = pytest.mark.alone  # they measure time

SERVERS = (
    *(("nginx", 0.5), ("nginx", 1), ("nginx", 2.5), ("nginx-tls", 1.5)),
    *(("node", 0.5), ("node", 2), ("uvicorn", 1), ("uvicorn", 2)),
    *(("hypercorn", 1), ("hypercorn", 2), ("gunicorn", 1), ("gunicorn", 2)),
)

HEADS = ("first_request_timeout", "header_timeout")
# For a first request, for the rest of a head, and what is said before the close.
WAITS = {"nginx 0.5 s": (1, 1, None), "nginx 1 s": (2, 2, None), "node 2 s": (4, 4, 408), "hypercorn 2 s": (2, 2, None)}


def test_configured_timeouts_come_out(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with keep_alive_servers(tmp_path, SERVERS) as servers:
        heads = [gevent.spawn(audit, one.url, *HEADS, cacert=one.ca_file, idle_max_ns=6 * NS_PER_S) for one in servers]
        found = measured(servers, idle_max_s=6)
        partial = {server.name: one.get()["findings"] for server, one in zip(servers, heads, strict=True)}
    assert servers
    off = {
        server.name: one["measured"]
        for server, one in zip(servers, found, strict=True)
        if not is_near(timeout_s(one), server.keeps_s)
    }
    assert off == {}
    for server, one in zip(servers, found, strict=True):
        assert one["verdict"] == "ok", server.name
        # Gunicorn looks for old connections once a second, and whenever it wakes for another reason. A busy machine
        # may scatter what a timer closes, but makes no sweeps of it.
        assert one["values"]["shape"] in ("timer", "scattered") or "gunicorn" in server.name, one["measured"]
        assert (one["announced"] is not None) == ("node" in server.name)
    for name in WAITS.keys() & partial.keys():
        first_s, header_s, status = WAITS[name]
        for probe, wait_s in zip(HEADS, (first_s, header_s), strict=True):
            assert is_near(timeout_s(partial[name][probe]), wait_s), (name, partial[name][probe]["measured"])
            assert partial[name][probe]["values"].get("last_status") == status, (name, probe)
