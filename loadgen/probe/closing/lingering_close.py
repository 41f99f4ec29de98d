"""Does a response arrive whole although bytes for a server that closes are still on their way (RFC 9112 §9.6)?

A server that closes both directions at once answers such bytes with a reset. That reset destroys what is still unsent
of the response, and on some systems what the client has not read yet.
"""

from __future__ import annotations

from typing import NamedTuple

import gevent

from loadgen.model.audit import Verdict
from loadgen.model.units import NS_PER_MS
from loadgen.probe.failures import Loss, NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_SIZE_BYTES = 2_000_000
"""Of the response, where the server gives one of any size: more than the kernel takes for a client that does not read,
and little enough for the server to hand over at once."""
_BEFORE_MORE_S = 0.02
"""Before more bytes are sent: the server has read the request by then, and has begun to answer."""
_BEFORE_READING_S = 0.1
"""Before the client reads: the server has written what the buffers take by then."""
_END_NS = 300 * NS_PER_MS
_HEAD_END = b"\r\n\r\n"


class _LastResponse(NamedTuple):
    """How the response and the connection ended."""

    bytes_read: int
    """Of its content; where it was cut off, with the sizes of chunks."""
    is_whole: bool
    was_reset: bool


def _run(session: ProbeSession) -> Finding:
    path = f"/?size={_SIZE_BYTES}" if session.first.field("server") == "loadgen" else None
    request = session.request(connection="close", path=path)
    plain, crowded = _try(session, request, more=b""), _try(session, request, more=session.request())
    values = {
        "response_bytes": plain.bytes_read if plain.is_whole else max(plain.bytes_read, crowded.bytes_read),
        "whole": plain.is_whole,
        "reset": plain.was_reset,
        "whole_with_more": crowded.is_whole,
        "reset_with_more": crowded.was_reset,
    }
    size = f"{values['response_bytes']:,} bytes"
    if not plain.is_whole:
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"a response was cut off at {plain.bytes_read:,} bytes",
            values=values,
            advice="the server closes before it has sent everything; it has to wait until the client has read it",
            topic="lingering_close",
        )
    if not crowded.is_whole:
        by = " by a reset" if crowded.was_reset else ""
        return Finding(
            # A client that has asked for the close must not send more (RFC 9112 §9.6); one that pipelines may.
            verdict=Verdict.NOTE,
            measured=f"{size} whole, but cut off at {crowded.bytes_read:,}{by} when more was sent",
            values=values,
            advice="close in stages: first the server's own side, the rest once the client has closed",
            topic="lingering_close",
        )
    if crowded.was_reset or plain.was_reset:
        when = "" if plain.was_reset else " when more was sent"
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"{size} whole, then a reset{when}",
            values=values,
            advice="a longer response may be cut off by it; a server that closes in stages sends none",
            topic="lingering_close",
        )
    return Finding(verdict=Verdict.OK, measured=f"{size} whole, closed by FIN, also when more was sent", values=values)


def _try(session: ProbeSession, request: bytes, more: bytes) -> _LastResponse:
    with session.open() as stream:
        session.send(stream, request)
        if more:
            gevent.sleep(_BEFORE_MORE_S)
            session.send(stream, more)
        gevent.sleep(_BEFORE_READING_S)
        try:
            reply = session.read(stream)
        except NoResponse as failure:
            if not failure.received or failure.how not in (Loss.FIN, Loss.RESET):
                raise
            content_bytes = len(failure.received.partition(_HEAD_END)[2])
            return _LastResponse(content_bytes, is_whole=False, was_reset=failure.how is Loss.RESET)
        stream.wait_end(session.until_ns(_END_NS))
        return _LastResponse(len(reply.body), is_whole=True, was_reset=stream.ended == "reset")


LINGERING_CLOSE = Probe(
    name="lingering_close",
    title="Nothing lost by a close",
    question="Does a response arrive whole while bytes for the closing server are still on their way?",
    method="A request with `Connection: close` on each of 2 connections, on the second one followed by another "
    "request before the response is read. The response is the URL's; the embedded target's has 2 MB.",
    section="RFC 9112 §9.6",
    values={
        "response_bytes": "length of the response's body; a short one fits into the buffers, and can hardly be lost",
        "whole": "the response was read in full, with nothing else sent",
        "reset": "that connection was reset",
        "whole_with_more": "the response was read in full, with one more request sent before it was read",
        "reset_with_more": "that connection was reset",
    },
    requests=3,
    connections=2,
    run=_run,
)
