"""The types of what `summary.json` says of a policy's connections. Computes nothing."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class ClosedByCounts(TypedDict):
    """Connections by the side that ended them first, as the client saw it."""

    client: int
    """Ended by the client."""
    server: int
    """Ended by the server, or by a proxy in its place."""


class AfterClose(TypedDict):
    """Requests that a policy with `ignore-close` sent on connections whose close had been announced."""

    tried: int
    """Sent after an announced close."""
    answered: int
    """Of these, answered."""


class ServerAnnounced(TypedDict):
    """What the Keep-Alive fields of responses said."""

    keep_alive_timeout_s: int | None
    """The smallest `timeout` (s); null where none was announced."""
    keep_alive_max: int | None
    """The largest `max`; null where none was announced."""


class LostRows(TypedDict):
    """What ended when the disk had no room for its row."""

    exchanges: int
    """Requests."""
    connections: int
    """Connections."""


class EarlyDataCounts(TypedDict):
    """Requests that went as early data (0-RTT), warm-up included."""

    accepted: int
    """The server took them."""
    rejected: int
    """It did not."""
    replayed: int
    """Of these, sent again once the handshake was done."""


class RacesSummary(TypedDict):
    """What connections cost that tried several addresses (`--happy-eyeballs`, RFC 8305), warm-up included."""

    races: int
    """Connections that were begun."""
    attempts: int
    """Attempts to connect that they began."""
    lost: int
    """Attempts that did not become the connection: they failed, or another one was faster."""
    lost_connected: int
    """Of these, connected as well, and closed unused: the servers accepted `opened` connections and these."""
    won_ipv4: int
    """Races that an IPv4 address has won."""
    won_ipv6: int
    """Races that an IPv6 address has won."""
    delayed: int
    """Races that a later attempt than the first has won."""
    delay_mean_ns: int | None
    """Mean time by which the winning attempt began later than the first one, over all races that were won (ns): the
    part of `connect` that was spent on attempts that were lost."""
    connect_mean_ns: int | None
    """Mean time that the winning attempt took itself (ns): the rest of `connect`."""


class RequestRange(TypedDict):
    """The fewest and the most requests that each of some connections carried."""

    min: int
    """Fewest."""
    max: int
    """Most."""


class ConnectionsSummary(TypedDict):
    """What became of a policy's connections, warm-up included."""

    opened: int
    """Connections opened."""
    ideal: int
    """Connections that perfect reuse takes: one for each slot that was used in a block."""
    proxy_asked: int
    """Connections that a proxy closed to ask for credentials; perfect reuse takes them too, so `ideal` has them."""
    reuse_ratio: float
    """Share of complete requests that were not the first on their connection."""
    requests_per_connection: float
    """`exchanges_with_warmup` / `opened`: what the server's own log shows."""
    closed_by: ClosedByCounts
    """By the side that ended them first."""
    endings: dict[str, int]
    """How many ended in which way; endings that did not occur are left out."""
    ended_after: NotRequired[dict[str, RequestRange]]
    """How many requests were answered on connections that the server ended, by the way in which it did: the same number
    where it has a limit. Absent in runs of earlier versions."""
    retried: int
    """Requests that met a stale connection, or were not processed, and were sent once more (`--retry-stale`)."""
    idle_statuses: dict[str, int]
    """Responses with which the server ended idle connections, by status; 0 where the status is not known."""
    after_close: AfterClose
    """Requests sent after an announced close."""
    server_announced: ServerAnnounced
    """What the server's Keep-Alive fields said."""
    tls_full: int
    """Full TLS handshakes with the target."""
    tls_resumed: int
    """Resumed TLS handshakes with the target."""
    early_data: NotRequired[EarlyDataCounts]
    """What became of requests that were sent as early data; absent in runs of earlier versions."""
    proxy_full_handshakes: NotRequired[int]
    """Full TLS handshakes with an https proxy. This key and the next one: absent in runs of earlier versions."""
    proxy_resumed_handshakes: NotRequired[int]
    """Resumed TLS handshakes with an https proxy."""
    races: NotRequired[RacesSummary | None]
    """Where connections tried several addresses; null where they tried one, absent in runs of earlier versions."""
    server_ignored_close: int
    """Connections on which the client asked for a close, and the server neither announced one nor closed."""
    upgraded: int
    """Connections that changed to the policy's protocol (WebSocket, HTTP/2)."""
    upgrade_declined: int
    """Connections on which the server declined that, and which went on in HTTP/1.1."""
    exchanges_with_warmup: int
    """Requests that were answered at least in part, warm-up included."""
    warmup_errors: int
    """Requests outside the measured windows that failed."""
    warmup_outlasted: int
    """Requests of the warm-up that lasted beyond the end of the measured window."""
    unserved: NotRequired[int]
    """Of these, the first on their connections, which got no response in a whole window. Absent in runs of earlier
    versions."""
