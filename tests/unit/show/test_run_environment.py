"""The environment of a run as the report shows it: words, no raw values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loadgen.show import tables
from loadgen.show.export.html import render
from tests.support.synthetic import full_run

GENERATOR = {
    "loadgen": "0.1.0", "started": "2026-01-02T03:04:05+00:00",
    "packages": {"gevent": "26.9.0", "h2": "4.4.1"}, "cpus_allowed": [0, 1], "cpu_count": 4, "optimised": 0,
    "python": "CPython 3.13.0", "system": "Linux", "cpu": "a processor", "clock": "CLOCK_MONOTONIC",
}  # fmt: skip
TARGET = {
    "address": "::1", "port": 8443, "http_version": "1.1", "status": 200, "server": "nginx",
    "keep_alive_timeout_s": None, "keep_alive_max": None,
    "tls": {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "group": None},
}  # fmt: skip
ACCOUNT = {
    "accepted": 2_475, "open": 1, "requests": 25_853, "requests_per_connection": {"1": 2_474, "23379": 1},
    "protocols": {"http/1.1": 2_475, "h2": 0},
}  # fmt: skip
HOP_BY_HOP: dict[str, Any] = {
    "removed": ["TE"], "forwarded": [], "response_removed": True, "via": None, "reason": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return full_run(tmp_path_factory.mktemp("plain") / "run", rounds=1).summary()


def shown(summary: dict[str, Any], **facts: Any) -> dict[str, str]:
    """The table of a run with these facts beside the generator's."""
    found = tables.environment(summary | {"environment": GENERATOR | facts})
    assert not any(raw in json.dumps(found.rows) for raw in ("None", "_s", "{"))
    return dict(found.rows)  # type: ignore[arg-type] # each row is a pair


def test_the_generator(plain: dict[str, Any]) -> None:
    found = shown(plain)
    assert found["packages"] == "gevent 26.9.0, h2 4.4.1"
    assert found["processors for the generator"] == "2 of 4: 0, 1"
    assert found["Python"] == "CPython 3.13.0"
    assert shown(plain, optimised=2)["Python"] == "CPython 3.13.0, -O level 2"
    assert (found["core"], shown(plain, core="compiled")["core"]) == ("pure Python", "compiled")
    assert not {"connected to", "proxy", "the target's own counters"} & set(found)


def test_the_target(plain: dict[str, Any]) -> None:
    found = shown(plain, target=TARGET)
    assert found["connected to"] == "[::1]:8443"
    assert found["first response"] == "HTTP/1.1 200"
    assert found["Server field"] == "nginx"
    assert found["Keep-Alive of the server"] == "not announced"
    assert found["TLS"] == "TLSv1.3, TLS_AES_256_GCM_SHA384"
    announced = shown(plain, target=TARGET | {"keep_alive_timeout_s": 5, "keep_alive_max": 1_000, "tls": None})
    assert (announced["Keep-Alive of the server"], announced["TLS"]) == ("timeout 5 s, max 1,000", "none")


def test_a_target_that_never_responded(plain: dict[str, Any]) -> None:
    found = shown(plain, target={"address": "127.0.0.1", "port": 80})
    assert found["connected to"] == "127.0.0.1:80"
    assert "first response" not in found


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        (ACCOUNT, "2,475 connections accepted, 1 still open, 25,853 requests; by protocol: HTTP/1.1 2,475"),
        (None, "not known"),
    ],
)
def test_the_embedded_target_s_counters(plain: dict[str, Any], account: Any, expected: str) -> None:
    assert shown(plain, embedded_target=account)["the target's own counters"] == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "removed TE; removed that of the response"),
        ({"forwarded": ["Foo"], "via": "1.1 p"}, "removed TE; passed on Foo; removed that of the response; Via: 1.1 p"),
        ({"reason": "it did not answer"}, "not known: it did not answer"),
    ],
)
def test_the_proxy(plain: dict[str, Any], change: dict[str, Any], expected: str) -> None:
    proxy = {"address": "127.0.0.1:3128", "hop_by_hop": HOP_BY_HOP | change}
    found = shown(plain, target=TARGET | {"proxy": "127.0.0.1:3128"}, proxy=proxy)
    assert found["proxy"] == "127.0.0.1:3128"
    assert found["connected to"] == "[::1]:8443, a proxy"
    assert found["fields for one hop only"] == expected


def test_what_a_target_wrote_is_escaped_and_cut(plain: dict[str, Any]) -> None:
    target = TARGET | {"server": "<b>" + "x" * 1_000}
    page = render(plain | {"environment": GENERATOR | {"target": target}}, {})
    assert "&lt;b&gt;xxx" in page
    assert "x" * 401 not in page


def test_wide_tables_and_charts_scroll_in_their_frames(plain: dict[str, Any]) -> None:
    page = render(plain, {"heat_map": b"<svg/>", "phases": b"<svg/>"})
    assert page.count("<table>") == page.count("<div class=scroll tabindex=0><table>")
    assert "<figure class=scroll tabindex=0><img alt='heat map'" in page
    assert "<figure class=scroll tabindex=0 data-plot=phases>" in page


def test_how_close_together_several_workers_began(plain: dict[str, Any]) -> None:
    starts = {
        "workers": 20, "blocks": 12, "spread_p50_ns": 3_100_000, "spread_max_ns": 12_000_000, "uneven_blocks": 0,
        "clock_error_ns": 400_000,
    }  # fmt: skip

    def said(**changes: Any) -> str:
        return shown(plain | {"block_starts": starts | changes})["blocks of several workers"]

    spread = "20 workers began within 3.10 ms of each other (median of 12 blocks), 12.0 ms at most"
    assert said(clock_error_ns=0) == spread
    assert said() == f"{spread}; clocks of other machines are known within 400 µs"
    assert said(clock_error_ns=None) == f"{spread}; how clocks of other machines differ is not known"
    assert "blocks of several workers" not in shown(plain)
