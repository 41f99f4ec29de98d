"""What happened on each connection of an audit and when, for its picture. Bounded, whatever a server sends."""

from __future__ import annotations

from typing import Literal

from loadgen.model.audit import TraceEventRecord, TraceRecord

TraceEvent = Literal["opened", "sent", "received", "fin", "reset", "closed"]

_MAX_TRACES = 400
_MAX_EVENTS = 24


class Trace:
    """The events of one connection. zero_ns: the start of the audit."""

    def __init__(self, probe: str, opening_ns: int, zero_ns: int) -> None:
        self.probe = probe
        self._opening_ns = opening_ns
        self._zero_ns = zero_ns
        self._events: list[TraceEventRecord] = []

    def add(self, event: TraceEvent, at_ns: int, size_bytes: int = 0) -> None:
        """Note one event. Of very many, the first half and the last ones stay."""
        if len(self._events) == _MAX_EVENTS:
            del self._events[_MAX_EVENTS // 2]
        self._events.append({"at_ns": at_ns - self._zero_ns, "event": event, "bytes": size_bytes})

    def record(self) -> TraceRecord:
        return {"probe": self.probe, "opening_ns": self._opening_ns - self._zero_ns, "events": list(self._events)}


class Traces:
    """Those of an audit, up to a bound."""

    def __init__(self, zero_ns: int) -> None:
        self.zero_ns = zero_ns
        self._kept: list[Trace] = []

    def new(self, probe: str, opening_ns: int) -> Trace:
        """The trace of a connection that is about to open."""
        trace = Trace(probe, opening_ns, self.zero_ns)
        if len(self._kept) < _MAX_TRACES:
            self._kept.append(trace)
        return trace

    def records(self) -> list[TraceRecord]:
        return [trace.record() for trace in self._kept]
