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


class ClosedBy(IntEnum):
    """Which side ended a connection first, as the client saw it."""

    CLIENT = 0
    SERVER = 1


class Ending(IntEnum):
    """How a connection came to its end, as the client saw it. Append only: the numbers are stored in recorded runs."""

    closed_by: ClosedBy
    """Which side ended it first."""

    CLIENT_ANNOUNCED = 0, ClosedBy.CLIENT  # the client's last request said `Connection: close`
    # The client closed an idle connection unannounced: abandoned, too old, or the block was over.
    CLIENT_SILENT = 1, ClosedBy.CLIENT
    CLIENT_GAVE_UP = 2, ClosedBy.CLIENT  # a deadline, bad bytes, a limit, an interruption
    NOT_OPENED = 3, ClosedBy.CLIENT  # it ended before its first request
    SERVER_ANNOUNCED = 4, ClosedBy.SERVER  # the server's response said that it would close
    SERVER_IDLE_FIN = 5, ClosedBy.SERVER  # the server closed between two requests, unannounced
    SERVER_IDLE_RST = 6, ClosedBy.SERVER
    SERVER_STALE = 7, ClosedBy.SERVER  # found closed once a request was sent on it, before any byte of a response
    # the same, for the connection's first request or its handshake, or behind an interim response
    SERVER_UNANSWERED = 8, ClosedBy.SERVER
    SERVER_MID_RESPONSE_FIN = 9, ClosedBy.SERVER
    SERVER_MID_RESPONSE_RST = 10, ClosedBy.SERVER
    # The server ended it between two requests with a response that no request had asked for, such as a 408.
    SERVER_IDLE_RESPONSE = 11, ClosedBy.SERVER

    def __new__(cls, number: int, closed_by: ClosedBy = ClosedBy.CLIENT) -> Ending:
        ending = int.__new__(cls, number)
        ending._value_ = number
        ending.closed_by = closed_by
        return ending

    @property
    def label(self) -> str:
        """The name used in `summary.json`."""
        return self.name.lower()


class ConnectionFlag(IntEnum):
    """Bits of a connection row's `flags`."""

    TLS = 1
    TLS_RESUMED = 2
    ESTABLISHED = 8  # TCP was connected; without it no server ever saw the connection
    IGNORED_CLOSE = 4  # the client sent `Connection: close`; the server neither announced a close nor closed
    UPGRADED = 16  # it speaks the policy's protocol instead of HTTP/1.1
    DECLINED = 32  # the server declined that, and the connection went on in HTTP/1.1
    EARLY_ACCEPTED = 64  # the server took the first request as early data
    EARLY_REJECTED = 128  # it was sent as early data, and the server did not take it
    EARLY_REPLAYED = 256  # so it was sent again, once the handshake was done
    PROXY_TLS = 512  # the TLS handshake with the proxy was done
    PROXY_TLS_RESUMED = 1024  # by a session of before


ADDRESS_SHIFT = 15
"""From this bit on, `flags` has the mark of the connection's address (address_marks), where connections may go to
several; 0 where they do not. So a row of a usual run is no longer than it was."""


# One row for each exchange. Times are points in time or durations, both in ns.
EXCHANGE_FIELDS = (
    "connection",
    "user",  # whose request it was
    "request_index",  # exchanges before it on its connection
    "scheduled",  # when it was due, or when its user wanted it
    "queue",  # from then until it got a connection; in a pipeline the wait behind others
    "late",  # the part of `queue` that is the generator's own (open loop)
    "send",
    "wait",
    "receive",
    "own",  # the generator's own work inside the request; in no phase
    "lag",  # how late its events were handled, summed
    "wait_delay",  # end of `wait` less the kernel's stamp of the first byte; on a share of the exchanges
    "outcome",  # the status code, or -ErrorKind
    "bytes_sent",
    "bytes_received",
    "continue_wait",  # the part of `send` in which the body waited for 100 Continue
)
EXCHANGE_ROW = struct.Struct(f"={len(EXCHANGE_FIELDS)}q")

# One row for each connection.
CONNECTION_FIELDS = (
    "connection",
    "slot",  # the place for a connection that it took: its user's, or one of a pool's
    "opened",  # when it began to open
    "dns",
    "connect",
    "tunnel",
    "tls",
    "upgrade",
    "connect_delay",  # `connect` less the kernel's own measurement of the round trip; on a share of the connections
    "flags",  # see ConnectionFlag and ADDRESS_SHIFT
    "ending",  # see Ending
)
CONNECTION_ROW = struct.Struct(f"={len(CONNECTION_FIELDS)}q")

# The columns of samples.npz, one entry a request.
COLUMNS = (
    "policy", "round", "worker", "user", "connection", "nth_on_connection", "scheduled", "queue", "dns", "connect",
    "tls", "upgrade", "send", "wait", "receive", "lag", "status", "error", "bytes_sent", "bytes_received",
    "tls_resumed", "closed_by", "late", "tunnel", "own", "wait_delay", "connect_delay",
    "continue_wait",
    "request",  # which of several requests it was; -1 where there is one
    "address",  # the mark of where its connection went; -1 where connections go to one address
)  # fmt: skip
