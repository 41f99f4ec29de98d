"""Gates over an audit: units and intervals of findings, and values that are not there."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.model.units import NS_PER_S
from loadgen.probe.audit_gates import judge_gates, resolve_gates
from loadgen.probe.registry import PROBES

RECORD: Any = {
    "requests": 40,
    "connections": 9,
    "duration_ns": 7 * NS_PER_S,
    "findings": {
        "idle_timeout": {
            "verdict": "note",
            "values": {"timeout_ns": 5 * NS_PER_S, "timeout_low_ns": 4 * NS_PER_S, "timeout_high_ns": 6 * NS_PER_S},
        },
        "stale_window": {"verdict": "warning", "values": {"rate": 0.02, "rate_low": 0.01, "rate_high": 0.03}},
        "pipelining": {"verdict": "violation", "values": {"in_order": False}},
        "tls_negotiated": {"verdict": "ok", "values": {"version": "TLSv1.3"}},
        "header_timeout": {"verdict": "unknown", "values": {}},
    },
}


@pytest.mark.parametrize(
    ("expression", "passed", "could_be_noise"),
    [
        ("idle_timeout.timeout_ms < 60000", False, False),
        ("idle_timeout.timeout < 4500ms", True, True),
        ("stale_window.rate > 0", False, False),
        ("stale_window.rate > 1.5%", False, True),
        ("violations > 0", False, None),
        ("warnings > 2", True, None),
        ("unknowns > 0", False, None),
        ("requests > 100", True, None),
        ("duration > 10s", True, None),
        ("pipelining.verdict == violation", False, None),
        ("pipelining.in_order == false", False, None),
        ("tls_negotiated.version != TLSv1.3", True, None),
        ("header_timeout.timeout > 60s", False, None),  # not found out
        ("tls_negotiated.version > 3", False, None),  # a text is no number
    ],
)
def test_findings(expression: str, passed: bool, could_be_noise: bool | None) -> None:
    (gate,) = judge_gates(resolve_gates((expression,), PROBES), RECORD)
    assert (gate["passed"], gate["could_be_noise"]) == (passed, could_be_noise)
