"""How the embedded target behaves, as a value. Serves nothing itself."""

from __future__ import annotations

from dataclasses import dataclass

from loadgen.model.exceptions import PlanError
from loadgen.model.units import NS_PER_S

STATS_PATH = "/.loadgen/stats"
"""Where the target gives its own account, as JSON."""
FIELDS_PATH = "/.loadgen/fields"
"""Where the target tells, as JSON, with what fields the request arrived: what intermediaries made of them."""

PROTOCOLS = ("http/1.1", "h2", "h2c", "websocket")
"""What a connection may end up speaking; h2c is HTTP/2 after an upgrade, h2 that after ALPN or prior knowledge."""
DECLINABLE = ("websocket", "h2c", "h2", "trailers")
"""What the target can be told not to do."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the target does with requests and connections.

    size_bytes: the body of each response. delay_ns: service time before it. close_after: responses a connection gets
    before the server announces `Connection: close` and closes; 0 for no limit. silent: it does not announce that, nor
    that it would close when idle. idle_timeout_ns: silent close after so long without a request; 0 for never.
    ignore_close: go on although the client sent `Connection: close`. declines: which of DECLINABLE it does not do.
    max_streams: concurrent streams that it lets an HTTP/2 connection have (SETTINGS_MAX_CONCURRENT_STREAMS).

    With HTTP/2 and WebSocket the limits hold for responses and messages, and what announces them is GOAWAY or Close.
    """

    size_bytes: int = 5
    delay_ns: int = 0
    close_after: int = 0
    idle_timeout_ns: int = 0
    ignore_close: bool = False
    silent: bool = False
    declines: frozenset[str] = frozenset()
    max_streams: int = 100

    def __post_init__(self) -> None:
        for option, value in (("--size", self.size_bytes), ("--close-after", self.close_after)):
            if value < 0:
                raise PlanError(f"{option} is {value}; it can't be negative")
        if self.max_streams < 1:
            raise PlanError(f"--max-streams is {self.max_streams}; it must be at least 1")
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
