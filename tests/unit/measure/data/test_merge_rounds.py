"""Blocks of several rounds as one: what the summary says of them is the same."""

from __future__ import annotations

from typing import Any

from loadgen.measure.data.merge_rounds import merge_rounds
from loadgen.measure.summary.sockets import server, sockets


def block(number: int, **more: Any) -> Any:
    """A block's facts, each number of which differs from those of other blocks."""
    time_wait = {"peak": 50 - number, "client": number, "server": None}
    return {
        "index": number, "round": number, "policy": "close", "window_ns": 1_000 + number, "started": 10, "exchanges": 9,
        "connections": {"opened": number, "slots": 2}, "endings": {"client_closed": number}, "next_connection": number,
        "warmup_outlasted": 0, "warmup_errors": 1, "cpu_ns": 10 + number, "rss_bytes": 1_000 - number, "workers": 3,
        "kernel": {
            "time_wait": time_wait, "sockets_peak": number, "syn_retransmits": number, "listen_overflows": 1,
            "listen_drops": None, "retransmits": 2, "ports": {"range": 100, "left": 40 - number},
        },
        "tcp": {"sampled": 1 + number, "rtt_us_p50": 7, "cwnd_p50": 10, "retransmits": number},
        "server": {"cpu_ns": 100 * number, "rss_bytes": 5_000 + number, "sockets": 4},
        **more,
    }  # fmt: skip


def test_costs_add_up_and_levels_count_where_they_were_highest() -> None:
    blocks = [block(number) for number in range(4)]
    merged = merge_rounds([merge_rounds(blocks[:2]), merge_rounds(blocks[2:])])
    assert merged["grouped"] == 4
    assert merged["window_ns"] == 4_006
    assert (merged["started"], merged["cpu_ns"], merged["busiest_cpu_ns"]) == (40, 46, 46)
    assert (merged["rss_bytes"], merged["workers"]) == (1_000, 3)
    assert merged["connections"]["opened"] == 6
    assert sockets([merged]) == sockets(blocks)
    one, exact = server([merged], 40), server(blocks, 40)
    assert one is not None
    assert exact is not None
    assert one == exact


def test_what_no_block_knows_stays_unknown() -> None:
    merged = merge_rounds([block(0, kernel=None, server=None), block(1, kernel=None, server=None)])
    assert not merged.get("kernel")
    assert not merged.get("server")
    assert merged["tcp"]["sampled"] == 3
