"""How the embedded target behaves, as a value. Serves nothing itself."""

from __future__ import annotations

from dataclasses import dataclass

from loadgen.model.exceptions import PlanError
from loadgen.model.options import MAX_SIZE_BYTES
from loadgen.model.units import NS_PER_S
from loadgen.model.value_types import Duration, Whole

STATS_PATH = "/.loadgen/stats"
"""Where the target gives its own account, as JSON."""

PROTOCOLS = ("http/1.1", "h2", "h2c", "websocket")
"""What a connection may end up speaking; h2c is HTTP/2 after an upgrade, h2 that after ALPN or prior knowledge."""
DECLINABLE = ("websocket", "h2c", "h2", "trailers")
"""What --decline can name: the target then does without it."""
CONTINUE, IGNORE, REFUSE = "continue", "ignore", "refuse"
EXPECT_ANSWERS = (CONTINUE, IGNORE, REFUSE)
"""What --on-expect can be: 100 Continue, nothing, or 417, behind which HTTP/1.1 closes."""
IDENTITY, GZIP = "identity", "gzip"
ENCODINGS = (IDENTITY, GZIP)
"""What --encoding can be."""

_MAX_STREAMS = (1 << 31) - 1  # a stream's number has 31 bits (RFC 9113 §5.1.1)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the target does with requests and connections.

    In HTTP/2 and WebSocket the limits count responses and messages, and GOAWAY or Close announces the end.
    """

    size_bytes: int = 5
    """The length of each response's body."""
    delay_ns: int = 0
    """Service time before each response."""
    close_after: int = 0
    """Responses on a connection before the server announces `Connection: close` and closes; 0 for no limit."""
    idle_timeout_ns: int = 0
    """A connection is closed after this time without a request; 0 for never."""
    ignore_close: bool = False
    """Keep the connection although the client sent `Connection: close`."""
    silent: bool = False
    """Announce no close, neither after a response nor of an idle connection."""
    declines: frozenset[str] = frozenset()
    """The members of DECLINABLE that it does without."""
    max_streams: int = 100
    """Concurrent streams of an HTTP/2 connection (SETTINGS_MAX_CONCURRENT_STREAMS)."""
    on_expect: str = CONTINUE
    """One of EXPECT_ANSWERS: what it does about `Expect: 100-continue`."""
    encoding: str = IDENTITY
    """One of ENCODINGS: how its bodies are coded (RFC 9110 §8.4)."""
    replica: str = ""
    """What the field X-Replica of its responses says; empty for no such field."""

    def __post_init__(self) -> None:
        for option, (value, kind) in {
            "--size": (self.size_bytes, Whole(0, MAX_SIZE_BYTES)),
            "--delay": (self.delay_ns, Duration()),
            "--close-after": (self.close_after, Whole(0)),
            "--idle-timeout": (self.idle_timeout_ns, Duration()),
            "--max-streams": (self.max_streams, Whole(1, _MAX_STREAMS)),
        }.items():
            complaint = kind.complaint(value)
            if complaint:
                raise PlanError(f"{option} {complaint}")
        for word in sorted(self.declines.difference(DECLINABLE)):
            raise PlanError(f"--decline can't be {word!r}; it takes {', '.join(DECLINABLE)}")

    def keep_alive_field(self, served: int) -> bytes:
        """The Keep-Alive field after `served` responses, or nothing where no limit is to be announced."""
        parameters: list[str] = []
        if self.silent:
            return b""
        if self.idle_timeout_ns >= NS_PER_S:
            parameters.append(f"timeout={self.idle_timeout_ns // NS_PER_S}")
        if self.close_after:
            parameters.append(f"max={self.close_after - served}")
        return f"Keep-Alive: {', '.join(parameters)}\r\n".encode() if parameters else b""
