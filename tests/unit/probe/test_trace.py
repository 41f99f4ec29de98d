"""The events of an audit's connections stay within bounds."""

from __future__ import annotations

from loadgen.probe.trace import Traces


def test_of_very_much_the_first_and_the_last_stay() -> None:
    traces = Traces(100)
    trace = traces.new("idle_timeout", 150)
    for at_ns in range(200, 1200):
        trace.add("received", at_ns, 5)
    (record,) = traces.records()
    times = [one["at_ns"] for one in record["events"]]
    assert record["opening_ns"] == 50
    assert len(times) <= 30
    assert times == sorted(times)
    assert (times[0], times[-1]) == (100, 1099)


def test_of_very_many_connections_some_stay() -> None:
    traces = Traces(0)
    for number in range(1000):
        traces.new("max_requests", number)
    assert 100 <= len(traces.records()) <= 500
