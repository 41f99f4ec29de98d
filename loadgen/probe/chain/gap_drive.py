"""Requests through a chain, each a chosen gap after the one before it, and which of them are lost.

One client, one request at a time, so that a proxy has one connection to the origin in use. Where a request of another
probe comes between, the gap is tried again: the proxy's connection would not have been idle for so long.
"""

from __future__ import annotations

from collections import Counter

import gevent

from loadgen.model.units import NS_PER_S
from loadgen.probe.failures import Loss, NoResponse, ProbeFailure
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import GATEWAY_ERRORS, ProbeSession

_MAX_TRIES = 20
_WORDS = {Loss.FIN: "closed", Loss.RESET: "reset", Loss.TIMEOUT: "no answer", Loss.MALFORMED: "malformed"}
_CLOSES = ("closed", "reset")


class OutOfTime(ProbeFailure):
    """The next gap would end after the time that is left."""


class GapDrive:
    """The client. until_ns: no request is due later. Losses are counted by what came instead, as `502` or `closed`."""

    def __init__(self, session: ProbeSession, until_ns: int) -> None:
        self.losses: Counter[str] = Counter()
        self.requests = 0
        self._session = session
        self._until_ns = until_ns
        self._stream: ProbeStream | None = None
        self._used_ns = 0
        """When the latest response through the chain was complete; 0 where the latest request was lost."""

    def __enter__(self) -> GapDrive:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()

    def is_lost(self, gap_ns: int, method: str = "GET") -> bool:
        """Whether a request is lost that comes this long after a response. Raises OutOfTime or ProbeFailure."""
        loss = self._loss(gap_ns, method)
        if loss in _CLOSES:
            # The proxy's own idle timeout may have ended the client's connection. A new one shows whether it was that.
            loss = self._loss(gap_ns, method, anew=True)
        self.requests += 1
        if loss:
            self.losses[loss] += 1
        return loss != ""

    def _loss(self, gap_ns: int, method: str, *, anew: bool = False) -> str:
        for _ in range(_MAX_TRIES):
            if not self._used_ns:
                self._prime()
            used_ns = self._used_ns
            if used_ns + gap_ns > self._until_ns:
                raise OutOfTime("there is no time left for it")
            self._rest(used_ns + gap_ns)
            if not self._session.others_sent_since(used_ns):
                if anew:
                    self._close()
                return self._send(method)
            self._used_ns = 0
        raise ProbeFailure("other requests come between")

    def _prime(self) -> None:
        """Have a request answered. A proxy may have more than one connection that the origin has closed."""
        for _ in range(_MAX_TRIES):
            if not self._send("GET"):
                return
        raise ProbeFailure("the chain answers nothing but errors of a gateway")

    def _rest(self, until_ns: int) -> None:
        stream = self._stream
        if stream is not None:
            stream.wait_end(until_ns)
        gevent.sleep(max(0, until_ns - self._session.now_ns()) / NS_PER_S)

    def _send(self, method: str) -> str:
        """What came instead of a response; empty where one came."""
        session = self._session
        if self._stream is None or self._stream.ended:
            self._close()
            self._stream = session.open()
        loss = ""
        try:
            reply = session.ask(self._stream, session.request(method=method))
        except NoResponse as error:
            loss = _WORDS[error.how]
            self._close()
        else:
            self._used_ns = reply.done_ns
            if reply.head.status in GATEWAY_ERRORS:
                loss = f"{reply.head.status}"
            if not reply.persists:
                self._close()
        if loss:
            self._used_ns = 0
        return loss

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
