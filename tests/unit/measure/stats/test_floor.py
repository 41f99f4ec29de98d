"""The floor of a difference, by hand: what the stamps of one policy add and those of the other don't."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.measure.stats.floor import floor_ns, stamp_errors
from tests.support.calibrations import calibration, spread
from tests.support.summaries import policy_summary

STEP_NS, CONNECT_NS, TLS_NS, SEND_WAIT_NS = 40, 30_000, 90_000, 20_000


def paying(connects: int, handshakes: int = 0) -> Any:
    """A policy of 1,000 requests; how many of them open a connection, and how many shake hands."""
    one = policy_summary()
    for name, count in (("connect", connects), ("tls", handshakes)):
        one["phases_ns"][name] = {**one["phases_ns"][name], "count": count}
    return one


@pytest.mark.parametrize(
    ("baseline", "candidate", "expected"),
    [
        (paying(0), paying(0), STEP_NS + SEND_WAIT_NS),
        (paying(1_000), paying(1_000), STEP_NS + SEND_WAIT_NS),
        (paying(0), paying(1_000), STEP_NS + SEND_WAIT_NS + CONNECT_NS),
        (paying(1_000), paying(0), STEP_NS + SEND_WAIT_NS + CONNECT_NS),
        (paying(2), paying(102), STEP_NS + SEND_WAIT_NS + CONNECT_NS // 10),
        (paying(0, 0), paying(1_000, 1_000), STEP_NS + SEND_WAIT_NS + CONNECT_NS + TLS_NS),
    ],
)
def test_a_phase_counts_as_far_as_one_policy_has_it_more_often(baseline: Any, candidate: Any, expected: int) -> None:
    assert floor_ns(calibration(), baseline, candidate) == expected


def test_a_policy_without_requests_pays_nothing() -> None:
    assert floor_ns(calibration(), paying(0), policy_summary(requests=0)) == STEP_NS + SEND_WAIT_NS


def test_packets_come_before_the_kernel_s_stamps() -> None:
    delays = {"connect": spread(50_000), "wait": spread(7_000)}
    assert stamp_errors(None, delays) == {"source": "stamps", "connect": 50_000, "tls": 50_000, "send_wait": 7_000}
    at_once = {"connect": spread(0), "wait": spread(7_000)}
    assert stamp_errors(None, at_once) == {"source": "stamps", "connect": 0, "tls": 7_000, "send_wait": 7_000}
    assert stamp_errors(None, {}) == {"source": "stamps", "connect": 0, "tls": 0, "send_wait": 0}
    errors = {"connect": spread(33_000), "send_wait": spread(-27_000), "tls": spread(100_000)}
    packets: Any = {"matched": 9, "unmatched": 0, "errors_ns": errors}
    assert stamp_errors(packets, delays) == {
        "source": "packets", "connect": 33_000, "tls": 100_000, "send_wait": 27_000,
    }  # fmt: skip
    del errors["tls"]
    assert stamp_errors(packets, delays)["tls"] == 33_000
    del errors["connect"]
    assert stamp_errors(packets, delays)["source"] == "stamps"
