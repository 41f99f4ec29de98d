"""The record of one request: its phases, its outcome, its columns. Knows nothing of how it is measured.

On the hot path a sample is one packed row (`EXCHANGE_ROW`) plus, once per connection, one `CONNECTION_ROW`. All
times are integer nanoseconds of one monotonic clock; absent is -1 in rows and columns, and None in values.
"""

from __future__ import annotations

import struct
from enum import Enum, IntEnum

ABSENT = -1


class Phase(Enum):
    """The disjoint parts of a request's time, in the order in which they happen."""

    QUEUE = "queue"
    DNS = "dns"
    CONNECT = "connect"
    TUNNEL = "tunnel"
    TLS = "tls"
    UPGRADE = "upgrade"
    SEND = "send"
    WAIT = "wait"
    RECEIVE = "receive"


HANDSHAKE = (Phase.DNS, Phase.CONNECT, Phase.TUNNEL, Phase.TLS, Phase.UPGRADE)


class ErrorKind(IntEnum):
    """Why a request gave no complete response. Closed: whatever happens at a socket becomes one of these."""

    UNFINISHED = 1  # the run was interrupted while the request was under way
    DNS_FAILED = 2
    CONNECT_REFUSED = 3
    CONNECT_UNREACHABLE = 4
    CONNECT_TIMEOUT = 5
    CONNECT_FAILED = 6
    NO_LOCAL_PORT = 7  # EADDRNOTAVAIL: the ephemeral ports are used up
    NO_FILE_DESCRIPTOR = 8  # EMFILE or ENFILE
    TLS_UNTRUSTED = 9
    TLS_WRONG_NAME = 10
    TLS_FAILED = 11
    TLS_TIMEOUT = 12
    STALE_CONNECTION = 13  # a reused connection closed before the first byte of the response
    CLOSED_WITHOUT_RESPONSE = 14  # the same on a new connection
    TRUNCATED = 15  # closed or reset in the middle of a response
    SEND_FAILED = 16
    MALFORMED = 17
    HEAD_TOO_LARGE = 18
    BODY_TOO_LARGE = 19
    RESPONSE_TIMEOUT = 20
    PIPELINE_DROPPED = 21  # behind a request in a pipeline for which the client gave the connection up
    UPGRADE_REFUSED = 22  # another answer than 101 where nothing else can go on: 426, 403, 200
    UPGRADE_WRONG_PROTOCOL = 23  # 101, but to a protocol that was not asked for
    UPGRADE_TIMEOUT = 24
    WEBSOCKET_WRONG_ACCEPT = 25  # Sec-WebSocket-Accept is not the answer to our key
    WEBSOCKET_PROTOCOL = 26  # a frame that RFC 6455 forbids
    WEBSOCKET_MASKED = 27  # a server's frame with a mask (RFC 6455 §5.1)
    WEBSOCKET_INVALID_UTF8 = 28
    WEBSOCKET_TOO_LARGE = 29  # a message, or a frame, over --max-body
    WEBSOCKET_CLOSED = 30  # the server began the close handshake instead of answering
    HTTP2_PROTOCOL = 31  # a frame, or a header block, that RFC 9113 forbids; or no HTTP/2 at all
    HTTP2_FLOOD = 32  # more SETTINGS, PING or the like than any peer needs (RFC 9113 §10.5)
    HTTP2_SETTINGS_TIMEOUT = 33  # our SETTINGS were never acknowledged (RFC 9113 §6.5.3)
    HTTP2_GOAWAY = 34  # the server ended the connection and did not process this request
    HTTP2_RESET = 35  # the server ended this stream alone (RST_STREAM)
    PROXY_REFUSED = 36  # the proxy answered CONNECT with something else than 2xx or 407
    PROXY_AUTHENTICATION = 37  # 407, and there are no credentials, or not the right ones
    PROXY_TIMEOUT = 38

    @property
    def label(self) -> str:
        """The name used in `summary.json`: lower case, as in `stale_connection`."""
        return self.name.lower()


class ClosedBy(IntEnum):
    """Which side ended a connection first, as the client saw it."""

    CLIENT = 0
    SERVER = 1


class Ending(IntEnum):
    """How a connection came to its end, as the client saw it."""

    CLIENT_ANNOUNCED = 0  # our last request said `Connection: close`
    CLIENT_SILENT = 1  # we closed an idle connection without a word: abandoned, too old, or the block was over
    CLIENT_GAVE_UP = 2  # a deadline, bad bytes, a limit, an interruption
    NOT_OPENED = 3  # it never came to its first request
    SERVER_ANNOUNCED = 4  # its response said that it would close
    SERVER_IDLE_FIN = 5  # it closed between two requests without a word
    SERVER_IDLE_RST = 6
    SERVER_STALE = 7  # found closed when a request had been sent on it, no byte of a response
    SERVER_UNANSWERED = 8  # the same, with the connection's first request
    SERVER_MID_RESPONSE_FIN = 9
    SERVER_MID_RESPONSE_RST = 10

    @property
    def label(self) -> str:
        """The name used in `summary.json`."""
        return self.name.lower()

    @property
    def closed_by(self) -> ClosedBy:
        return ClosedBy.SERVER if self >= Ending.SERVER_ANNOUNCED else ClosedBy.CLIENT


class ConnectionFlag(IntEnum):
    """Bits of a connection row's `flags`."""

    TLS = 1
    TLS_RESUMED = 2
    ESTABLISHED = 8  # TCP was connected; without it no server ever saw the connection
    IGNORED_CLOSE = 4  # we sent `Connection: close`, the server neither announced nor did it
    UPGRADED = 16  # it speaks the protocol that the policy asked for instead of HTTP/1.1
    DECLINED = 32  # the server declined that, and the connection went on in HTTP/1.1


# user: whose request it was. scheduled: when it was due, or when its user wanted it. queue: from then until it got a
# connection, or in a pipeline the wait behind others. late: how much of that is the generator's own (open loop).
# outcome: the status code, or -ErrorKind.
EXCHANGE_FIELDS = (
    "connection", "user", "request_index", "scheduled", "queue", "late", "send", "wait", "receive", "lag", "outcome",
    "bytes_sent", "bytes_received",
)  # fmt: skip
EXCHANGE_ROW = struct.Struct(f"={len(EXCHANGE_FIELDS)}q")

# slot: which of the block's places for a connection it took: the user's, or one of a pool's.
CONNECTION_FIELDS = ("connection", "slot", "opened", "dns", "connect", "tunnel", "tls", "upgrade", "flags", "ending")
CONNECTION_ROW = struct.Struct(f"={len(CONNECTION_FIELDS)}q")

COLUMNS = (
    "policy", "round", "worker", "user", "connection", "nth_on_connection", "scheduled", "queue", "dns", "connect",
    "tls", "upgrade", "send", "wait", "receive", "lag", "status", "error", "bytes_sent", "bytes_received",
    "tls_resumed", "closed_by", "late", "tunnel",
)  # fmt: skip
