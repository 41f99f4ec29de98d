"""One HTTP/2 connection of a probe: opened in the way that the server speaks it, and read frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from loadgen.drive.requests.encoding import field_section
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.units import NS_PER_S
from loadgen.probe.failures import Loss, NoResponse, ProbeFailure
from loadgen.probe.frame_link import FrameLink
from loadgen.probe.http2.h2c_offer import is_h2c, offer_h2c, switched_to
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import MAX_BODY_BYTES, ProbeSession
from loadgen.probe.tunnelling import open_end_to_end
from loadgen.wire.http1.final_head import SWITCHING_PROTOCOLS
from loadgen.wire.http1.head import FieldLines, Malformed
from loadgen.wire.http2.h2_frame_client import DEFAULT_WINDOW_BYTES, LAST_STREAM_OPEN, FrameClient, FrameStream

MAX_ANSWER_NS = 2 * NS_PER_S
"""For the first answer; a server that speaks HTTP/1.1 alone may wait for the rest of a request."""


class Way(StrEnum):
    """How a connection comes to speak HTTP/2."""

    ALPN = "alpn"
    PRIOR = "prior"  # prior knowledge: its first bytes are HTTP/2's (RFC 9113 §3.3)
    UPGRADE = "upgrade"  # from HTTP/1.1 (RFC 7540 §3.2)


class NotSpoken(ProbeFailure):
    """The server does not speak HTTP/2 in this way."""


class Http2Link(FrameLink):
    """An open connection over which HTTP/2 is spoken."""

    def __init__(self, session: ProbeSession, stream: ProbeStream, client: FrameClient, unread: bytes = b"") -> None:
        """unread: bytes of HTTP/2 that came behind the head of an upgrade."""
        super().__init__(session, stream, session.now_ns())
        self.client = client
        self.opened_ns = self.at_ns
        self.goaway_ns = 0
        """When the first GOAWAY came."""
        self._unread = unread
        plan = session.plan
        self._plan = Plan(plan.target, parse_policies("persistent"), headers=plan.headers)

    def fields(self, method: str = "GET") -> FieldLines:
        """The field section of a plain request."""
        section = field_section(self._plan, self._plan.target.path, "")
        return ((b":method", method.encode("ascii")), *section[1:])

    def wait(self, done: Callable[[], bool], until_ns: int) -> bool:
        """The same, once what there is to send is sent."""
        self.flush()
        if self._unread:
            data, self._unread = self._unread, b""
            self.at_ns = self._session.now_ns()
            self.take(data)
        return super().wait(done, until_ns)

    def await_settings(self) -> dict[int, int]:
        """What the server announces in its SETTINGS, once they have come. Raises ProbeFailure, or UpgradeFailure."""
        if not self.wait(lambda: self.client.settings is not None, self._session.timeout_at_ns):
            raise ProbeFailure(f"no SETTINGS came: {self.loss}")
        return self.client.settings or {}

    @property
    def last_stream_id(self) -> int:
        """The last stream that the server answers, by what it said last."""
        return min((one.last_stream_id for one in self.client.goaways), default=LAST_STREAM_OPEN)

    def take(self, data: bytes) -> None:
        self.client.feed(data)
        if self.client.goaways and not self.goaway_ns:
            self.goaway_ns = self.at_ns
        self.flush()

    def start(self, method: str = "GET") -> FrameStream:
        """Begin one request; the next wait sends it. Raises OverBudget."""
        self._session.spend(1)
        return self.client.streams[self.client.request(self.fields(method))]

    def ask(self) -> FrameStream:
        """One request and its whole response. Raises NoResponse."""
        return self.response(self.start())

    def response(self, stream: FrameStream) -> FrameStream:
        """The same stream, once its response is whole or it was reset. Raises NoResponse."""
        if not self.wait(lambda: stream.done or stream.body_bytes > MAX_BODY_BYTES, self._session.timeout_at_ns):
            raise NoResponse(self.loss, b"", self._session.now_ns())
        if not stream.done:
            detail = f"the response is longer than the {MAX_BODY_BYTES >> 20} MiB that are read; name a smaller one"
            raise NoResponse(Loss.TOO_LONG, b"", self._session.now_ns(), detail)
        return stream

    def flush(self) -> None:
        self.send(self.client.take())

    def farewell(self) -> bytes:
        self.client.close()
        return self.client.take()


def open_http2(session: ProbeSession, way: Way, window_bytes: int = DEFAULT_WINDOW_BYTES) -> Http2Link:
    """A connection on which the client's preface was sent. Raises NotSpoken, OpenFailure or OverBudget.

    window_bytes: how much of each response may come unasked.
    """
    stream = open_end_to_end(session, offers_h2=way is Way.ALPN)
    try:
        if way is Way.UPGRADE:
            return _upgraded(session, stream, window_bytes)
        if way is Way.ALPN and getattr(stream.transport, "alpn", "") != "h2":
            raise NotSpoken("ALPN did not choose h2")
        link = Http2Link(session, stream, FrameClient(window_bytes))
        link.flush()
    except BaseException:
        stream.close()
        raise
    return link


def _upgraded(session: ProbeSession, stream: ProbeStream, window_bytes: int) -> Http2Link:
    client = FrameClient(window_bytes, upgraded=True)
    try:
        found = offer_h2c(session, stream, client, min(session.plan.timeout_ns, MAX_ANSWER_NS))
    except NoResponse:
        raise NotSpoken("the server does not answer an offer to upgrade") from None
    except Malformed as error:
        raise NotSpoken(f"the answer to an offer to upgrade is not HTTP: {error}") from None
    if found.head.status != SWITCHING_PROTOCOLS or not is_h2c(switched_to(found.head)):
        raise NotSpoken(f"the server declines an upgrade with {found.head.status}")
    link = Http2Link(session, stream, client, found.rest)
    link.flush()
    return link
