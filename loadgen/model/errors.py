"""Every way in which a request can fail, one row each: what it is called, what it means, what follows from it.

Append only. The numbers are stored in recorded runs: a new kind takes the next one, and no kind is ever renumbered or
removed. docs/errors.md is made from this table. Knows no socket, no connection and no policy.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import Enum, IntEnum

from loadgen.model.records import Ending, Phase


class Layer(Enum):
    """Where a request failed."""

    CLIENT = "client"
    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"  # in any version
    HTTP1 = "http/1.1"
    UPGRADE = "upgrade"
    WEBSOCKET = "websocket"
    HTTP2 = "http/2"
    PROXY = "proxy"


class OthersKind(Enum):
    """The kind that the other exchanges on the connection get when one fails and the connection ends."""

    SAME = "the same kind"
    DROPPED = "pipeline_dropped"  # the client gave the connection up
    STALE = "stale_connection"  # the server closed it before any byte of their responses
    BY_PROGRESS = "by how far each had come"  # the server closed it; some responses may have begun


# With a proxy in between, failures of these layers say something of the proxy and not of the target.
_ABOUT_PROXY = frozenset({Layer.DNS, Layer.TCP, Layer.PROXY})
# The names of kinds of these layers say too little to a user who does not know the protocol.
_EXPLAINED = frozenset({Layer.UPGRADE, Layer.WEBSOCKET, Layer.HTTP2, Layer.PROXY})


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind; see the attributes of ErrorKind."""

    number: int
    layer: Layer
    meaning: str
    advice: str = ""
    hits_every_policy: bool = False
    tries_next_address: bool = False
    may_pass: bool = False
    ending: Ending = Ending.CLIENT_GAVE_UP
    ending_by_reset: Ending | None = None
    pipeline_others: OthersKind = OthersKind.DROPPED
    streams_others: OthersKind = OthersKind.SAME
    errnos: tuple[int, ...] = ()
    timeout_in: Phase | None = None
    is_unprocessed: bool = False
    is_stale: bool = False


class ErrorKind(IntEnum):
    """Why a request gave no complete response. Closed: whatever happens at a socket becomes one of these."""

    layer: Layer
    meaning: str
    """One line, to follow the kind's name."""
    advice: str
    """What a user can do; empty where nothing general can be said."""
    hits_every_policy: bool
    """The way to the server fails, whatever the policy is. False: it may be one policy's alone."""
    tries_next_address: bool
    """Where the name has other addresses, the next one may work."""
    may_pass: bool
    """A moment later the same request may succeed: the run's first request is sent again."""
    ending: Ending
    """How a connection ended whose exchange failed in this way, if it ended with that."""
    ending_by_reset: Ending
    """The same where the peer reset the connection."""
    pipeline_others: OthersKind
    """What the requests behind it in an HTTP/1.1 pipeline get."""
    streams_others: OthersKind
    """What the other streams of an HTTP/2 connection get."""
    errnos: tuple[int, ...]
    """The error numbers of the system that mean this kind while the connection is being opened."""
    timeout_in: Phase | None
    """A deadline that passes in this phase is this kind."""
    is_unprocessed: bool
    """The server says that it did nothing for the request: any method may be sent again (RFC 9113 §8.7)."""
    is_stale: bool
    """The server had ended the idle connection, or was about to, when it got the request: another one may work."""

    UNFINISHED = _Kind(
        1, Layer.CLIENT, "the run was interrupted while the request was under way", pipeline_others=OthersKind.SAME
    )
    DNS_FAILED = _Kind(
        2, Layer.DNS, "the name has no address, or no answer came in time", "check the name",
        hits_every_policy=True, timeout_in=Phase.DNS,
    )  # fmt: skip
    CONNECT_REFUSED = _Kind(
        3, Layer.TCP, "no one listens at this address and port, or on this socket file",
        "is the server running, and does it listen there?",
        hits_every_policy=True, tries_next_address=True, errnos=(errno.ECONNREFUSED, errno.ENOENT), may_pass=True,
    )  # fmt: skip
    CONNECT_UNREACHABLE = _Kind(
        4, Layer.TCP, "there is no route to this host or network",
        hits_every_policy=True, tries_next_address=True, errnos=(errno.ENETUNREACH, errno.EHOSTUNREACH),
        may_pass=True,
    )  # fmt: skip
    CONNECT_TIMEOUT = _Kind(
        5, Layer.TCP, "the TCP handshake was not answered in time",
        hits_every_policy=True, tries_next_address=True, errnos=(errno.ETIMEDOUT,), timeout_in=Phase.CONNECT,
        may_pass=True,
    )  # fmt: skip
    CONNECT_FAILED = _Kind(
        6, Layer.TCP, "the TCP handshake failed in another way", hits_every_policy=True, may_pass=True
    )
    NO_LOCAL_PORT = _Kind(
        7, Layer.CLIENT, "the ephemeral ports of this machine are used up (EADDRNOTAVAIL)",
        "closed connections hold them in TIME_WAIT; wait a minute, or add --source-ip ADDR",
        hits_every_policy=True, errnos=(errno.EADDRNOTAVAIL,),
    )  # fmt: skip
    NO_FILE_DESCRIPTOR = _Kind(
        8, Layer.CLIENT, "this process, or the machine, has no file descriptor left (EMFILE, ENFILE)",
        hits_every_policy=True, errnos=(errno.EMFILE, errno.ENFILE),
    )  # fmt: skip
    TLS_UNTRUSTED = _Kind(
        9, Layer.TLS, "no trusted authority vouches for the server's certificate",
        "give the authority's certificate with --cacert FILE, or skip the check with --insecure",
        hits_every_policy=True,
    )  # fmt: skip
    TLS_WRONG_NAME = _Kind(
        10, Layer.TLS, "the server's certificate is for another name",
        "use a name that the certificate holds, or skip the check with --insecure", hits_every_policy=True,
    )  # fmt: skip
    TLS_FAILED = _Kind(
        11, Layer.TLS, "the TLS handshake, or the record layer, failed", "does this port speak TLS 1.2 or 1.3?",
        hits_every_policy=True, ending_by_reset=Ending.SERVER_UNANSWERED, may_pass=True,
    )  # fmt: skip
    TLS_TIMEOUT = _Kind(
        12, Layer.TLS, "the TLS handshake was not finished in time",
        hits_every_policy=True, may_pass=True, timeout_in=Phase.TLS,
    )  # fmt: skip
    STALE_CONNECTION = _Kind(
        13, Layer.HTTP, "a reused connection was closed before the first byte of the response",
        ending=Ending.SERVER_STALE, pipeline_others=OthersKind.STALE, streams_others=OthersKind.BY_PROGRESS,
        is_stale=True, may_pass=True,
    )  # fmt: skip
    # The error numbers are those of a connection that the server accepted and reset before the client looked at it
    # (tcp(7)): a server that refuses it instead is ECONNREFUSED.
    CLOSED_WITHOUT_RESPONSE = _Kind(
        14, Layer.HTTP, "a new connection was closed before any byte of the response, or any one behind a 1xx alone",
        ending=Ending.SERVER_UNANSWERED, pipeline_others=OthersKind.STALE, streams_others=OthersKind.BY_PROGRESS,
        may_pass=True, errnos=(errno.ECONNRESET, errno.EPIPE),
    )  # fmt: skip
    TRUNCATED = _Kind(
        15, Layer.HTTP, "the connection was closed or reset in the middle of the response",
        ending=Ending.SERVER_MID_RESPONSE_FIN, ending_by_reset=Ending.SERVER_MID_RESPONSE_RST, may_pass=True,
        pipeline_others=OthersKind.STALE, streams_others=OthersKind.BY_PROGRESS,
    )  # fmt: skip
    SEND_FAILED = _Kind(
        16, Layer.HTTP, "the server closed a new connection in the middle of the request",
        ending=Ending.SERVER_UNANSWERED, pipeline_others=OthersKind.STALE, may_pass=True,
    )  # fmt: skip
    MALFORMED = _Kind(
        17, Layer.HTTP, "the response breaks a rule of HTTP, or does not tell where it ends",
        "other clients may refuse this response too",
    )  # fmt: skip
    HEAD_TOO_LARGE = _Kind(
        18, Layer.HTTP, "a head or a trailer section was too long, or came with too many 1xx before it"
    )
    BODY_TOO_LARGE = _Kind(19, Layer.HTTP, "the response's body was longer than --max-body")
    RESPONSE_TIMEOUT = _Kind(
        20, Layer.HTTP, "the response did not come in time", "allow more with --timeout", may_pass=True
    )
    PIPELINE_DROPPED = _Kind(
        21, Layer.HTTP1, "the client gave the connection up for a request that was ahead of this one in the pipeline"
    )
    UPGRADE_REFUSED = _Kind(
        22, Layer.UPGRADE, "the server answered the upgrade like any request", "does this path speak WebSocket?"
    )
    UPGRADE_WRONG_PROTOCOL = _Kind(23, Layer.UPGRADE, "the server switched to another protocol than the one asked for")
    UPGRADE_TIMEOUT = _Kind(
        24, Layer.UPGRADE, "the upgrade was not answered in time",
        "does the server know this upgrade? If it does, allow more with --timeout", timeout_in=Phase.UPGRADE,
    )  # fmt: skip
    WEBSOCKET_WRONG_ACCEPT = _Kind(
        25, Layer.WEBSOCKET, "the server's Sec-WebSocket-Accept does not fit the key", "is a cache in between?"
    )
    WEBSOCKET_PROTOCOL = _Kind(26, Layer.WEBSOCKET, "the server sent a frame that RFC 6455 forbids")
    WEBSOCKET_MASKED = _Kind(
        27, Layer.WEBSOCKET, "the server masks its frames, which only a client may (RFC 6455 §5.1)"
    )
    WEBSOCKET_INVALID_UTF8 = _Kind(28, Layer.WEBSOCKET, "the server sent text that is not UTF-8 (RFC 6455 §8.1)")
    WEBSOCKET_TOO_LARGE = _Kind(29, Layer.WEBSOCKET, "the answer was longer than --max-body")
    WEBSOCKET_CLOSED = _Kind(
        30, Layer.WEBSOCKET, "the server began the close handshake instead of answering",
        "if it ends connections after some messages, use recycle:K with a K below that",
        ending=Ending.SERVER_ANNOUNCED, may_pass=True,
    )  # fmt: skip
    HTTP2_PROTOCOL = _Kind(31, Layer.HTTP2, "the server sent what RFC 9113 forbids, or does not speak HTTP/2 here")
    HTTP2_FLOOD = _Kind(32, Layer.HTTP2, "the server sent more control frames than any client needs (RFC 9113 §10.5)")
    HTTP2_SETTINGS_TIMEOUT = _Kind(33, Layer.HTTP2, "the server never acknowledged our SETTINGS (RFC 9113 §6.5.3)")
    HTTP2_GOAWAY = _Kind(
        34, Layer.HTTP2, "the server ended the connection and did not process these requests",
        "if it does so after some streams, use recycle:K with a K below that, or have them sent once more with "
        "--retry-stale", ending=Ending.SERVER_ANNOUNCED, is_unprocessed=True, may_pass=True,
    )  # fmt: skip
    HTTP2_RESET = _Kind(
        35, Layer.HTTP2, "the server ended single streams (RST_STREAM) and kept the connection", may_pass=True
    )
    PROXY_REFUSED = _Kind(
        36, Layer.PROXY, "the proxy did not let the connection through to the target",
        "does it allow CONNECT to this host and port, and does the target answer there?", may_pass=True,
    )  # fmt: skip
    PROXY_AUTHENTICATION = _Kind(
        37, Layer.PROXY, "the proxy wants credentials (407, or a SOCKS login), or others than it got",
        "give them in --proxy, before the host: USER:PASSWORD@HOST:PORT", hits_every_policy=True,
    )  # fmt: skip
    PROXY_TIMEOUT = _Kind(
        38, Layer.PROXY, "the proxy did not open the way to the target in time", "allow more with --timeout",
        hits_every_policy=True, may_pass=True, timeout_in=Phase.TUNNEL,
    )  # fmt: skip
    HTTP2_REFUSED_STREAM = _Kind(
        39, Layer.HTTP2, "the server refused single streams before it processed them (RST_STREAM: REFUSED_STREAM)",
        "use fewer streams:S than it allows, or have them sent once more with --retry-stale",
        is_unprocessed=True, may_pass=True,
    )  # fmt: skip
    NOT_HTTP = _Kind(
        40, Layer.HTTP, "the server's first bytes are not HTTP/1.x", "does this port speak HTTP/1.1 in clear?"
    )
    CROSSED_BY_CLOSE = _Kind(
        41, Layer.HTTP,
        "the server was ending the idle connection with a response, such as a 408, while the request was on its way",
        "keep the gap between two requests below the server's idle timeout",
        ending=Ending.SERVER_IDLE_RESPONSE, pipeline_others=OthersKind.STALE, is_stale=True, may_pass=True,
    )  # fmt: skip
    TLS_CERTIFICATE_REQUIRED = _Kind(
        42, Layer.TLS, "the server wants a client certificate and got none",
        "give one with --cert FILE, and its key with --key FILE", hits_every_policy=True,
    )  # fmt: skip
    TLS_CERTIFICATE_REFUSED = _Kind(
        43, Layer.TLS, "the server does not take the client certificate of --cert",
        "does it trust the authority that signed it, and is its chain in the file?", hits_every_policy=True,
    )  # fmt: skip

    # A client that does not block is not made to wait (connect(2)); over TCP the SYN is dropped, and sent again.
    CONNECT_QUEUE_FULL = _Kind(
        44, Layer.TCP, "the queue of the socket file's listener is full (EAGAIN)",
        "give its server a longer queue, its backlog and net.core.somaxconn, or use fewer users",
        hits_every_policy=True, errnos=(errno.EAGAIN,), may_pass=True,
    )  # fmt: skip
    SOCKS_REFUSED = _Kind(
        45, Layer.PROXY, "the SOCKS server does not open a connection to the target",
        "its rules must allow the target's host and port", hits_every_policy=True, may_pass=True,
    )  # fmt: skip
    SOCKS_UNREACHABLE = _Kind(
        46, Layer.PROXY, "the SOCKS server can't reach the target",
        "it connects itself: does the target answer where the SOCKS server runs?", hits_every_policy=True,
        may_pass=True,
    )  # fmt: skip
    PROXY_UNTRUSTED = _Kind(
        47, Layer.PROXY, "no trusted authority vouches for the proxy's own certificate",
        "give the authority's certificate with --proxy-cacert FILE, or skip the check with --proxy-insecure",
        hits_every_policy=True,
    )  # fmt: skip
    PROXY_WRONG_NAME = _Kind(
        48, Layer.PROXY, "the proxy's own certificate is for another name",
        "use a name in --proxy that the certificate holds, or skip the check with --proxy-insecure",
        hits_every_policy=True,
    )  # fmt: skip
    PROXY_TLS_FAILED = _Kind(
        49, Layer.PROXY, "the TLS handshake with the proxy failed",
        "does the proxy speak TLS on this port? One that does not is --proxy http://", hits_every_policy=True,
        may_pass=True,
    )  # fmt: skip
    PROXY_CERTIFICATE_REQUIRED = _Kind(
        50, Layer.PROXY, "the proxy wants a client certificate and got none",
        "give one with --proxy-cert FILE, and its key with --proxy-key FILE", hits_every_policy=True,
    )  # fmt: skip
    PROXY_CERTIFICATE_REFUSED = _Kind(
        51, Layer.PROXY, "the proxy does not take the client certificate of --proxy-cert",
        "does it trust the authority that signed it, and is its chain in the file?", hits_every_policy=True,
    )  # fmt: skip
    BODY_UNREADABLE = _Kind(
        52, Layer.CLIENT, "the file with the request's body could not be read to its end, so the request was cut off",
        "let nothing change the file of --data while the run goes on",
    )  # fmt: skip
    TLS_EXPIRED = _Kind(
        53, Layer.TLS, "the server's certificate, or one that vouches for it, has expired, or is not valid yet",
        "have it renewed, check this machine's clock, or skip the check with --insecure", hits_every_policy=True,
    )  # fmt: skip
    PROXY_EXPIRED = _Kind(
        54, Layer.PROXY, "the proxy's own certificate, or one that vouches for it, has expired, or is not valid yet",
        "have it renewed, check this machine's clock, or skip the check with --proxy-insecure", hits_every_policy=True,
    )  # fmt: skip

    def __new__(cls, row: _Kind | int) -> ErrorKind:
        assert isinstance(row, _Kind), "an int is for type checkers alone: ErrorKind(13) looks a member up"
        kind = int.__new__(cls, row.number)
        kind._value_ = row.number
        for name in _Kind.__slots__:
            if name != "number":
                setattr(kind, name, getattr(row, name))
        if row.ending_by_reset is None:
            kind.ending_by_reset = row.ending
        return kind

    @property
    def label(self) -> str:
        """The name used in `summary.json`: lower case, as in `stale_connection`."""
        return self.name.lower()

    @property
    def is_about_proxy(self) -> bool:
        """With a proxy in between, this says something of the proxy and not of the target."""
        return self.layer in _ABOUT_PROXY

    @property
    def explanation(self) -> str:
        """What a report adds to the kind's name; empty where the name says it all."""
        if self.layer not in _EXPLAINED:
            return ""
        return f"{self.meaning}: {self.advice}" if self.advice else self.meaning


def markdown_table() -> str:
    """All kinds as a table in Markdown, for docs/errors.md."""
    lines = [
        "| number | kind | layer | what happened | what to do | connection closed by |",
        "|---:|---|---|---|---|---|",
    ]
    for kind in ErrorKind:
        closers = sorted({ending.closed_by.name.lower() for ending in (kind.ending, kind.ending_by_reset)})
        lines.append(
            f"| {kind.value} | `{kind.label}` | {kind.layer.value} | {kind.meaning} | {kind.advice} | "
            f"{' or '.join(closers)} |"
        )
    return "\n".join(lines) + "\n"
