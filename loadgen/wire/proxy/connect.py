"""A tunnel through a proxy by CONNECT (RFC 9110 §9.3.6), and the login that the proxy may ask for (RFC 7617).

Bytes in and out; knows no socket and no clock.
"""

from __future__ import annotations

import re

from loadgen.model.errors import ErrorKind
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.final_head import FinalHead, FinalHeadReader, status_text
from loadgen.wire.http1.head import ResponseHead, parse_response_head
from loadgen.wire.http1.response_reader import ResponseReader

CHALLENGE = 407
_UNAUTHORIZED = 401
_NOT_ACCEPTED = "the proxy does not accept the user and password that were given"
_MAX_REFUSAL_BYTES = 1 << 20
_MAX_SHOWN_BYTES = 60
_TUNNELLED = re.compile(rb"HTTP/1\.[01] 2")
# A 2xx to CONNECT has no content, whatever these say (RFC 9110 §9.3.6); they may even contradict each other.
_FRAMING = re.compile(rb"(?im)^(?:content-length|transfer-encoding)[ \t]*:[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*")
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"')
# A challenge begins with its scheme, and a parameter with its name and an equals sign (RFC 9110 §11.2).
_SCHEME = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]+(?![ \t=])|$)")


class ProxyLogin:
    """A run's credentials for its proxy: sent once the proxy has asked for them."""

    __slots__ = ("_authorization", "wanted")

    def __init__(self, authorization: str) -> None:
        self._authorization = authorization
        # The proxy has asked. From then on each request has them at once (RFC 7617 §2.2).
        self.wanted = False

    @property
    def authorization(self) -> str:
        """The value of Proxy-Authorization now; empty where none is sent."""
        return self._authorization if self.wanted else ""

    def challenged(self, head: ResponseHead, sent: bool) -> None:
        """The proxy answered 407. sent: the request had the credentials.

        Raises UpgradeFailure where no credentials would help.
        """
        schemes = challenge_schemes(head)
        if "basic" not in (scheme.lower() for scheme in schemes):
            reason = f"it asks for {', '.join(schemes)[:_MAX_SHOWN_BYTES]}" if schemes else "it does not say for which"
            raise _unanswerable(f"the proxy wants credentials, {reason}, and only Basic can be given")
        if not self._authorization:
            raise _unanswerable("the proxy wants credentials (Basic), and none were given")
        if sent:
            raise _unanswerable(_NOT_ACCEPTED)
        self.wanted = True


class ConnectRequest:
    """One connection's tunnel to `authority` (host:port): send what `outgoing` holds, then `feed` what comes."""

    __slots__ = (
        "_authority", "_heads", "_login", "_refusal", "_sent", "begun", "challenged", "open", "outgoing",
    )  # fmt: skip

    def __init__(self, authority: str, login: ProxyLogin) -> None:
        self._authority = authority
        self._login = login
        self._heads = FinalHeadReader(_parse_answer)
        self._refusal: ResponseReader | None = None
        # To be set by the transport: the proxy is connected to.
        self.begun = False
        # The tunnel is open: what follows is between the client and the target.
        self.open = False
        # The proxy has asked for credentials on this connection.
        self.challenged = False
        self._send_request()

    def feed(self, data: bytes) -> int:
        """Take bytes; returns how many of them were the proxy's: what follows a 2xx belongs to the tunnel.

        Raises UpgradeFailure where the proxy refuses, Malformed where this is no response.
        """
        taken = 0
        while taken < len(data) and not (self.open or self.outgoing):
            piece = data[taken:]
            if self._refusal is None:
                taken += self._feed_head(piece)
            else:
                taken += self._feed_refusal(self._refusal, piece)
        return taken

    def closed(self) -> UpgradeFailure:
        """What it means that the proxy closed the connection."""
        if self.challenged:
            detail = "the proxy asked for credentials and closed the connection; the next one sends them"
            return UpgradeFailure(ErrorKind.PROXY_AUTHENTICATION, detail, by_peer=True)
        if self._heads.begun:
            return UpgradeFailure(ErrorKind.TRUNCATED, "the proxy closed the connection within its answer to CONNECT")
        return UpgradeFailure(
            ErrorKind.CLOSED_WITHOUT_RESPONSE, "the proxy closed the connection instead of answering CONNECT"
        )

    # Inside

    def _send_request(self) -> None:
        authorization = self._login.authorization
        self._sent = bool(authorization)
        self.outgoing = connect_request(self._authority, authorization)

    def _feed_head(self, piece: bytes) -> int:
        found = self._heads.feed(piece)
        if found is None:
            return len(piece)
        self._decide(found)
        return len(piece) - len(found.rest)

    def _decide(self, found: FinalHead) -> None:
        """Act on the proxy's answer, a whole head."""
        head, raw = found.head, found.raw
        if head.status // 100 == 2:
            self.open = True
            return
        if head.status == _UNAUTHORIZED and self._sent:  # some proxies send 401 where 407 is due
            raise _unanswerable(f"{_NOT_ACCEPTED} ({status_text(raw)})")
        if head.status != CHALLENGE:
            raise UpgradeFailure(ErrorKind.PROXY_REFUSED, f"the proxy answered CONNECT with {status_text(raw)}")
        self._login.challenged(head, self._sent)
        self.challenged = True
        if not head.persists:
            raise self.closed()
        self._refusal = ResponseReader(_MAX_REFUSAL_BYTES)
        self._refusal.pipelined = True
        if self._refusal.feed(raw):
            self._try_again()

    def _feed_refusal(self, reader: ResponseReader, piece: bytes) -> int:
        """Skip the content of a 407: the next answer comes on the same connection."""
        if not reader.feed(piece):
            return len(piece)
        self._try_again()
        return len(piece) - len(reader.rest)

    def _try_again(self) -> None:
        self._refusal = None
        self._send_request()


def connect_request(authority: str, authorization: str) -> bytes:
    """CONNECT in authority-form (RFC 9112 §3.2.3); authorization: the credentials, empty for none."""
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}", "User-Agent: loadgen"]
    if authorization:
        lines.append(f"Proxy-Authorization: {authorization}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def challenge_schemes(head: ResponseHead) -> list[str]:
    """The authentication schemes that Proxy-Authenticate names (RFC 9110 §11.7.1), as they are written, each once."""
    found: dict[str, None] = {}
    for name, value in head.headers:
        if name.lower() == b"proxy-authenticate":
            for part in _QUOTED.sub(b'""', value).split(b","):
                scheme = _SCHEME.match(part.strip(b" \t"))
                if scheme:
                    found.setdefault(scheme[1].decode("ascii"))
    return list(found)


def _parse_answer(raw: bytes) -> ResponseHead:
    """The head of an answer to CONNECT. Raises Malformed."""
    return parse_response_head(_FRAMING.sub(b"", raw) if _TUNNELLED.match(raw) else raw)


def _unanswerable(detail: str) -> UpgradeFailure:
    return UpgradeFailure(ErrorKind.PROXY_AUTHENTICATION, detail)
