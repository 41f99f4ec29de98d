"""Facts of blocks, summed by hand."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.measure.summary.sockets import server, sockets
from loadgen.measure.warnings.sockets import socket_warnings

S = 1_000_000_000


def block(window_ns: int = 2 * S, **facts: Any) -> dict[str, Any]:
    return {"window_ns": window_ns, **facts}


def kernel(peak: int, client: int | None, server: int | None, events: int, left: int | None) -> dict[str, Any]:
    return {
        "time_wait": {"before": 0, "peak": peak, "after": peak, "client": client, "server": server},
        "sockets_peak": peak + 1,
        "syn_retransmits": events,
        "listen_overflows": events * 2,
        "listen_drops": events * 3,
        "retransmits": events * 4,
        "ports": {"range": 28_232, "in_use": 10, "left": left},
    }


def tcp(sampled: int, rtt_us: int | None, cwnd: int | None, retransmits: int | None) -> dict[str, Any]:
    return {"sampled": sampled, "rtt_us_p50": rtt_us, "cwnd_p50": cwnd, "retransmits": retransmits}


def test_highest_lowest_and_sums() -> None:
    blocks = [
        block(kernel=kernel(500, 490, 3, 1, 20_000), tcp=tcp(10, 40, 10, 1)),
        block(kernel=kernel(300, 200, 9, 5, 25_000), tcp=tcp(10, 60, 20, 2)),
    ]
    assert sockets(blocks) == {
        "time_wait_peak": 500,
        "time_wait_client": 490,
        "time_wait_server": 9,
        "sockets_peak": 501,
        "syn_retransmits": 6,
        "listen_overflows": 12,
        "listen_drops": 18,
        "retransmits": 24,
        "ports_range": 28_232,
        "ports_left": 20_000,
        "tcp_rtt_ns_p50": 40_000,
        "tcp_cwnd_p50": 10,
        "tcp_retransmits": 3,
        "tcp_sampled": 20,
    }


def test_blocks_without_facts_are_passed_over() -> None:
    known = block(kernel=kernel(0, 0, None, 0, None), tcp=tcp(0, None, None, None))
    found = sockets([block(), known, block(kernel=None, tcp=None)])
    zero = ("time_wait_peak", "time_wait_client", "syn_retransmits", "listen_overflows", "tcp_sampled")
    assert [found[name] for name in zero] == [0] * 5, "none seen is not the same as not known"
    absent = ("time_wait_server", "ports_left", "tcp_rtt_ns_p50", "tcp_cwnd_p50", "tcp_retransmits")
    assert [found[name] for name in absent] == [None] * 5


def test_without_any_facts_everything_is_absent() -> None:
    assert set(sockets([block(), block()]).values()) == set(sockets([]).values()) == {None}


def test_medians_weigh_by_their_samples() -> None:
    blocks = [block(tcp=tcp(1, 900, 90, 0)), block(tcp=tcp(5, 100, 10, 0)), block(tcp=tcp(3, 50, 20, 0))]
    found = sockets(blocks)
    assert found["tcp_rtt_ns_p50"] == 100_000
    assert found["tcp_cwnd_p50"] == 10


def test_what_a_request_costs_the_server() -> None:
    blocks = [
        block(2 * S, server={"cpu_ns": S, "rss_bytes": 100, "sockets": 50}),
        block(2 * S, server={"cpu_ns": S // 2, "rss_bytes": 300, "sockets": 30}),
    ]
    assert server(blocks, 1_000) == {
        "cpu_ns_per_request": 1_500_000,
        "cpu_share": 0.375,
        "rss_bytes": 300,
        "sockets": 50,
        "sockets_per_request": 0.08,
        "socket_ns_per_request": 160_000_000,
    }


def test_the_server_s_part_is_absent_where_nobody_watched() -> None:
    assert server([block(), block()], 10) is None
    assert server([], 0) is None


def test_a_block_without_the_server_s_cpu_time_makes_it_unknown_not_small() -> None:
    watched = block(server={"cpu_ns": S, "rss_bytes": 100, "sockets": 50})
    ended = block(server={"cpu_ns": None, "rss_bytes": None, "sockets": None})
    empty = block(0)  # interrupted before its window
    found = server([watched, ended], 10)
    assert found is not None
    assert found["rss_bytes"] == 100
    assert found["cpu_ns_per_request"] is found["cpu_share"] is found["sockets_per_request"] is None
    found = server([watched, empty], 10)
    assert found is not None
    assert found["cpu_ns_per_request"] == S / 10
    assert found["cpu_share"] == 0.5
    found = server([watched], 0)
    assert found is not None
    assert found["cpu_ns_per_request"] is found["socket_ns_per_request"] is None
    assert found["cpu_share"] == 0.5


@pytest.mark.parametrize(
    ("facts", "opened", "codes"),
    [
        ({}, 100, []),
        ({"ports_left": 20_000, "ports_range": 28_232, "syn_retransmits": 0, "listen_overflows": 0}, 100, []),
        ({"ports_left": 2_824, "ports_range": 28_232}, 100, []),
        ({"ports_left": 2_823, "ports_range": 28_232, "time_wait_client": 2_824}, 100, ["ports_nearly_used_up"]),
        ({"ports_left": 0, "ports_range": 28_232, "time_wait_client": 20_000}, 100, ["ports_nearly_used_up"]),
        # Others used them up.
        ({"ports_left": 0, "ports_range": 28_232, "time_wait_client": 2_823}, 100, []),
        ({"ports_left": 0, "ports_range": 28_232, "time_wait_client": 0}, 100, []),
        ({"syn_retransmits": 1}, 1_001, []),
        ({"syn_retransmits": 1}, 1_000, ["syn_retransmits"]),
        ({"listen_overflows": 1}, 10, ["listen_overflows"]),
        (dict.fromkeys(("ports_left", "ports_range", "syn_retransmits", "listen_overflows")), 10, []),
    ],
)
def test_warnings(facts: dict[str, Any], opened: int, codes: list[str]) -> None:
    known = sockets([]) | facts
    found = list(socket_warnings("close", {"sockets": known, "connections": {"opened": opened}}))
    assert [code for code, _ in found] == codes
    for _, message in found:
        assert "\n" not in message
        assert "raise" in message or "add --source-ip" in message, "it says what to do"


def test_blocks_of_an_earlier_version_have_no_sockets() -> None:
    found = sockets([block()])
    assert set(found.values()) == {None}
    assert list(socket_warnings("close", {"sockets": found, "connections": {"opened": 5}})) == []
