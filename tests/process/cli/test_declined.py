"""Servers that decline what a policy asks for: their own counts, and what the verdict says of it."""

from __future__ import annotations

import json
from pathlib import Path

from loadgen.show import tables
from tests.support.processes import QUICK, compare, loadgen
from tests.support.proxies import fake_proxy, proxy_url
from tests.support.runs import Start


def test_our_counts_are_the_target_s_own(share_target: Start, tmp_path: Path) -> None:
    target = share_target()
    names = "close,persistent,h2c-upgrade,h2,websocket,websocket-close"
    summary = compare(target.url, tmp_path / "run", "--policies", names, "--users", "2", "--trailers")
    opened = {name: one["connections"]["opened"] for name, one in summary["policies"].items()}
    spoken = target.stats()["protocols"]
    assert spoken["h2c"] == opened["h2c-upgrade"] == 4
    assert spoken["h2"] == opened["h2"] == 4
    assert spoken["websocket"] == opened["websocket"] + opened["websocket-close"]
    assert spoken["http/1.1"] >= opened["close"] + opened["persistent"]  # and the one that asks for this
    for name, one in summary["policies"].items():
        connections, trailers = one["connections"], one["trailers"]
        assert connections["upgraded"] == (0 if name in ("close", "persistent") else connections["opened"])
        carried = 0 if name.startswith("websocket") else connections["exchanges_with_warmup"]
        assert trailers["responses"] == trailers["fields"].get("x-loadgen-served", 0) == carried
    assert summary["policies"]["websocket"]["upgrade"]["mean_ns"] > 0


def test_a_target_that_declines(share_target: Start, tmp_path: Path) -> None:
    target = share_target("--decline", "h2c,trailers")
    names = "persistent,h2c-upgrade"
    summary = compare(target.url, tmp_path / "run", "--policies", names, "--users", "2", "--trailers")
    connections = summary["policies"]["h2c-upgrade"]["connections"]
    assert (connections["upgraded"], connections["upgrade_declined"]) == (0, 4)
    assert target.stats()["protocols"]["h2c"] == 0
    assert "upgrade_declined" in [one["code"] for one in summary["warnings"]]
    assert "h2c-upgrade (declined: HTTP/1.1)" in summary["verdict"]
    assert "never sent any (persistent, h2c-upgrade)" in tables.trailers_note(summary)


def test_a_target_that_declines_alone_and_over_a_grid(share_target: Start, tmp_path: Path) -> None:
    target = share_target("--decline", "h2c")
    summary = compare(target.url, tmp_path / "run", "--policies", "h2c-upgrade", "--users", "2")
    assert summary["verdict"].startswith("h2c-upgrade (declined: HTTP/1.1) answered ")
    grid = ["--policies", "h2c-upgrade", "--recycle", "1,10,100", "--users", "2", "--out", "grid", "--json", *QUICK]
    done = loadgen("sweep", target.url, *grid, "--no-charts", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (
        "; the server declined h2c-upgrade, so these figures are those of HTTP/1.1"
        in json.loads(done.stdout)["verdict"]
    )


def test_a_proxy_whose_target_is_down(tmp_path: Path) -> None:
    with fake_proxy(lambda connection, _request: connection.sendall(REFUSED) is None) as (_, port):
        summary = compare("http://127.0.0.1:9/", tmp_path / "run", "--proxy", proxy_url(port, ""), "--users", "2")
    assert summary["verdict"].startswith(
        "every response was an error (502), perhaps the proxy's own, so all figures are"
    )


REFUSED = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
