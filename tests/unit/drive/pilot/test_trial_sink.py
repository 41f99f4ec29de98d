"""The figures of a trial's block, from the rows that a worker writes."""

from __future__ import annotations

from loadgen.drive.pilot.trial_sink import TrialSink
from loadgen.model.records import ABSENT

US = 1_000


def exchange(sink: TrialSink, connection: int, index: int, scheduled: int, wait_us: int, outcome: int = 200) -> None:
    sink.exchange(
        connection, 0, index, scheduled, ABSENT, ABSENT, 10 * US, wait_us * US, 5 * US, 3 * US, 7 * US, ABSENT, outcome,
        100, 200, ABSENT,
    )  # fmt: skip


def end(sink: TrialSink, connection: int, connect_us: int) -> None:
    sink.connection(connection, 0, 1, ABSENT, connect_us * US, ABSENT, ABSENT, ABSENT, ABSENT, 8, 0)


def test_requests_that_are_due_in_the_window_count_with_their_handshakes() -> None:
    sink = TrialSink()
    sink.begin()
    exchange(sink, 1, 0, 50, 1)  # before the window
    sink.open_window(100)
    exchange(sink, 1, 1, 150, 85)
    exchange(sink, 2, 0, 160, 35)
    exchange(sink, 3, 0, 170, 0, outcome=-4)
    sink.close_window(1_000_000)
    exchange(sink, 1, 2, 999_999, 185)  # was under way
    exchange(sink, 1, 3, 1_000_000, 1)  # was due later
    for connection in (1, 2, 3):
        end(sink, connection, 150)
    assert sink.figures(1_000_000, 300_000) == {
        "requests": 3,
        "errors": 1,
        "rate_rps": 3_000.0,
        "latency_p50_ns": 200 * US,
        "latency_mean_ns": 166_667,
        "lag_p50_ns": 7 * US,
        "cpu_share": 0.3,
        "cpu_ns_per_request": 100_000,
    }
    assert (sink.requests, sink.exchanges, sink.connections) == (6, 6, 3)


def test_the_next_block_begins_anew_and_may_stay_empty() -> None:
    sink = TrialSink()
    sink.begin()
    sink.open_window(0)
    exchange(sink, 1, 1, 5, 10)
    sink.begin()
    exchange(sink, 1, 2, 6, 10)  # no window is open
    found = sink.figures(0, 5)
    assert (found["requests"], found["rate_rps"], found["cpu_share"]) == (0, 0.0, 0.0)
    assert found["latency_p50_ns"] is found["latency_mean_ns"] is found["cpu_ns_per_request"] is None
    assert sink.requests == 2
