"""What a pilot chose and tried, in words and as a table."""

from __future__ import annotations

from typing import Any

from loadgen.show.pilot_text import pilot_sentence
from loadgen.show.tables import pilot, pilot_note

FIGURES = {"requests": 9, "errors": 0, "rate_rps": 1.0, "latency_p50_ns": 82_000, "cpu_share": 0.24}
FOUND: Any = {
    "users": 1, "think_ns": 2_500_000, "rate_rps": 12.34, "reason": "CPU", "seconds": 0.52, "requests": 2165,
    "connections": 743,
    "trials": [
        {"users": 1, "think_ns": 0, "rate_rps": None, "policies": {"close": FIGURES}, "objection": ""},
        {
            "users": 20, "think_ns": 9_900_000, "rate_rps": 2007.4,
            "policies": {"persistent": FIGURES, "close": FIGURES | {"latency_p50_ns": None}}, "objection": "too much",
        },
    ],
}  # fmt: skip


def test_a_sentence_says_the_load_and_why() -> None:
    assert pilot_sentence(FOUND) == (
        "pilot: 1 user, with a pause of 2.50 ms after a response: at most 12.3 requests/s, because CPU"
    )


def test_the_table_has_a_row_for_each_load_that_was_tried() -> None:
    summary: Any = {"pilot": FOUND}
    assert pilot(summary).rows == [
        ("1", "–", "–", "close 82.0 µs", "close 24%", "–"),
        ("20", "9.90 ms", "2,007", "persistent 82.0 µs, close –", "persistent 24%, close 24%", "too much"),
    ]
    assert pilot_note(summary).startswith("Pilot: 1 user")
    assert pilot_note(summary).endswith(
        "It took 0.5 s, 2,165 requests and 743 connections, which are in no other table."
    )


def test_a_run_whose_load_was_given_has_no_such_table() -> None:
    summary: Any = {}
    assert pilot(summary).rows == []
    assert pilot_note(summary) == ""
