"""The types of one policy's part of `summary.json`; see `loadgen.model.summary`. Computes nothing."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from loadgen.model.balance_summary import BalanceSummary
from loadgen.model.connections_summary import ConnectionsSummary, LostRows
from loadgen.model.named_request_summary import NamedRequestSummary
from loadgen.model.origin_summary import OriginSummary
from loadgen.model.sockets_summary import ServerSummary, SocketsSummary

WholeInterval = list[int] | None
"""Low and high bound in whole units; None where there is no interval."""
RatioInterval = list[float] | None
"""Low and high bound of a ratio or a rate; None where there is no interval."""


class CurvePoint(TypedDict):
    """One point of a percentile curve."""

    share: float
    """The share of requests, 0.5 for the median."""
    value: int
    """The latency that this share of the requests did not exceed (ns)."""
    ci95: WholeInterval
    """Interval of the value (ns)."""


class LatencyBin(TypedDict):
    """One bin of a latency histogram; the next bin begins where it ends."""

    low: int
    """The lowest latency that it counts (ns)."""
    high: int
    """The latency at which it ends (ns)."""
    count: int
    """Requests in it."""


class LatencySummary(TypedDict):
    """Latency of a policy's complete requests (ns): the sum of the phases. Null where none was complete."""

    mean: int | None
    """Mean (ns)."""
    p50: int | None
    """Median (ns). Percentiles are by nearest rank: each was measured. In long runs they are within 0.8 % of that."""
    p90: int | None
    """90th percentile (ns)."""
    p99: int | None
    """99th percentile (ns)."""
    p99_9: int | None
    """99.9th percentile (ns)."""
    max: int | None
    """Highest (ns)."""
    mean_ci95: WholeInterval
    """Interval of the mean (ns)."""
    p50_ci95: WholeInterval
    """Interval of the median (ns)."""
    p99_ci95: WholeInterval
    """Interval of the 99th percentile (ns)."""
    curve: list[CurvePoint]
    """The percentile curve; empty where a run has too many policies to draw one for each."""
    histogram: NotRequired[list[LatencyBin]]
    """20 bins a decade, the same in every run, of the samples that were kept; empty where the curve is not drawn."""


class PhaseSummary(TypedDict):
    """One phase of a policy's complete requests."""

    count: int
    """Requests in which the phase happened."""
    mean: int | None
    """Mean over the requests in which it happened (ns)."""
    p50: int | None
    """Median over the requests in which it happened (ns)."""
    p99: int | None
    """99th percentile over the requests in which it happened (ns)."""
    mean_per_request: int
    """Mean over all complete requests (ns); one without the phase counts as 0."""


class ArrivalsSummary(TypedDict):
    """How the offered load of an open loop was met."""

    due: int
    """Arrivals that were due in the measured windows."""
    unstarted: int
    """Of these, arrivals that never got a connection."""
    rate_rps: float
    """The offered rate (arrivals per second)."""
    late_p50_ns: int | None
    """By how much the generator itself began a request too late, median (ns)."""
    late_p99_ns: int | None
    """The same, 99th percentile (ns)."""
    late_max_ns: int | None
    """The same, highest (ns)."""


class UpgradeSummary(TypedDict):
    """What changing the protocol costs, for policies of WebSocket or HTTP/2."""

    mean_ns: int | None
    """Mean of an upgrade that succeeded, warm-up included (ns)."""
    exchange_p50_ns: int | None
    """Median of send + wait + receive, on connections that had served a request before where there are such (ns)."""
    exchanges: float | None
    """`mean_ns` / `exchange_p50_ns`: how many exchanges one upgrade costs."""


class PositionGroup(TypedDict):
    """Exchanges by their position on the connection; 1 is the connection's first."""

    first: int
    """First position of the group."""
    last: int
    """Last position that occurred in the group."""
    count: int
    """Requests at these positions."""
    exchange_mean_ns: int
    """Mean of send + wait + receive (ns)."""
    exchange_p50_ns: int
    """Median of send + wait + receive (ns)."""
    ci95: WholeInterval
    """Interval of the mean (ns)."""


class StampDelay(TypedDict):
    """How much later than the kernel the generator stamped an event, on a share of the requests."""

    count: int
    """Requests on which it was measured."""
    p50: int
    """Median (ns)."""
    p99: int
    """99th percentile (ns)."""


class StampDelays(TypedDict):
    """The phases whose end the kernel stamps too. Null where it was not measured."""

    connect: StampDelay | None
    """`connect` less the round trip that the kernel measured."""
    wait: StampDelay | None
    """End of `wait` less the kernel's stamp of the response's first byte."""


class GeneratorSummary(TypedDict):
    """What the generator spent: the error bar of every number beside it."""

    cpu_ns_per_request: int | None
    """CPU time of the generator per request (ns)."""
    cpu_share: float
    """CPU time per wall time, 1 is a whole core; of several workers that of the busiest."""
    saturated: bool
    """`cpu_share` is so high that the generator was the bottleneck."""
    lag_p50_ns: int | None
    """Median of how late events were handled that the kernel had ready (ns)."""
    lag_p99_ns: int | None
    """The same, 99th percentile (ns)."""
    own_mean_ns: NotRequired[int | None]
    """Mean of the generator's own work inside a request (ns): in no phase, and not in the latency."""
    own_p50_ns: NotRequired[int | None]
    """Median of the same (ns)."""
    own_p99_ns: NotRequired[int | None]
    """99th percentile of the same (ns)."""
    stamp_delay_ns: NotRequired[StampDelays]
    """By how much a phase may be too long, because its end was stamped late (ns)."""
    stalled_ns: NotRequired[int | None]
    """For how long, at most, the generator did not run at all (ns); null where it always did."""
    rss_bytes: int | None
    """Resident memory of the workers, the highest of all blocks (bytes); null where the kernel does not say."""


class TrailersSummary(TypedDict):
    """Trailer sections of responses, warm-up included."""

    asked: bool
    """Requests said `TE: trailers`."""
    responses: int
    """Responses that ended with a trailer section that was not empty."""
    fields: dict[str, int]
    """How often each field came, by lower-case name; `other` for rare ones."""


class ContinueWaits(TypedDict):
    """How long bodies waited for 100 Continue (ns), a part of `send`. Null where none did."""

    mean: int | None
    """Mean (ns)."""
    p50: int | None
    """Median (ns)."""
    p99: int | None
    """99th percentile (ns)."""


class ContinuesSummary(TypedDict):
    """Requests with `Expect: 100-continue` (RFC 9110 §10.1.1), warm-up included."""

    asked: int
    """Requests whose body waited."""
    received: int
    """Of these, those that 100 Continue came for."""
    timed_out: int
    """Those whose body was sent because nothing came in time."""
    refused: int
    """Those whose response came in place of 100 Continue, so that the body was not sent."""
    wait_ns: ContinueWaits
    """How long they waited, in complete requests of the measured windows (ns)."""


class UnaskedBytes(TypedDict):
    """Bytes that no request asked for, warm-up included."""

    connections: int
    """Connections that ended because of them."""
    example: str
    """How many came after which status, and the first of them; empty where none came."""


class PolicySummary(TypedDict):
    """One policy, or one cell of a sweep: started == requests + sum(errors) + unfinished."""

    target: NotRequired[str]
    """Name of the target, where several took turns; the policy's own name stands before it in the key."""
    protocol: str
    """What its connections should speak: `http/1.1`, `websocket`, `h2` ..."""
    started: int
    """Requests that began in a measured window."""
    requests: int
    """Of these, completed: with a whole response of any status."""
    unfinished: int
    """Of these, still under way when the run was interrupted."""
    unstarted: int
    """Requests of the measured windows that never got a connection."""
    missing: NotRequired[int | None]
    """Of the `--requests` that were asked for, those that did not begin; null where no number was asked for."""
    percentiles_too_low: bool
    """The percentiles are too low: they leave out the many requests that never got a connection."""
    errors: dict[str, int]
    """Requests that failed, by error kind."""
    statuses: dict[str, int]
    """Completed requests by status code."""
    lost: NotRequired[LostRows | None]
    """What is in no other count, as the disk was full; null where nothing is missing."""
    is_scenario: NotRequired[bool]
    """Its requests are those of a scenario in Python, which may follow redirects."""
    redirected_to: NotRequired[str | None]
    """Where the last redirect (301, 302, 303, 307, 308) led, without secrets; null where there was none."""
    seconds: float
    """Length of all measured windows (s)."""
    blocks: int
    """Number of blocks."""
    answered: int
    """What `throughput_rps` counts: in a closed loop `requests`, in an open one `window_answered`."""
    window_answered: int
    """Responses that came within the measured windows, whenever their requests began."""
    throughput_rps: float
    """`answered` per second."""
    throughput_rps_ci95: RatioInterval
    """Interval of the throughput (requests per second)."""
    arrivals: ArrivalsSummary | None
    """Open loop only."""
    connections: ConnectionsSummary
    """What became of the connections."""
    not_echoed: int
    """WebSocket messages whose answer differs from them, warm-up included."""
    upgrade: UpgradeSummary | None
    """Cost of the upgrade; null for HTTP/1.1."""
    latency_ns: LatencySummary
    """Latency (ns)."""
    phases_ns: dict[str, PhaseSummary]
    """Each phase by its name: queue, dns, connect, tunnel, tls, upgrade, send, wait, receive."""
    delayed_ack_share: NotRequired[float]
    """Share of requests that took the 40 ms of a delayed acknowledgement (Nagle's algorithm); 0: no such pattern."""
    by_position: list[PositionGroup] | None
    """Cost by position on the connection; null where the policy does not reuse connections."""
    generator: GeneratorSummary
    """What the generator spent."""
    trailers: TrailersSummary
    """Trailer sections."""
    lenient: dict[str, int]
    """How many responses, warm-up included, had each deviation from HTTP/1.1 that a client may accept."""
    unasked_bytes: UnaskedBytes
    """Bytes that no request asked for."""
    sockets: SocketsSummary
    """What the kernel counted."""
    server: ServerSummary | None
    """What the server spent; null where it was not watched."""
    by_name: NotRequired[list[NamedRequestSummary] | None]
    """Each of several requests; null where there is one. Earlier runs lack it."""
    continues: NotRequired[ContinuesSummary | None]
    """Requests whose bodies waited for 100 Continue; null where none did. Earlier runs lack it."""
    by_origin: NotRequired[list[OriginSummary] | None]
    """Each of several origins; null where there is one. Earlier runs lack it."""
    balance: NotRequired[BalanceSummary | None]
    """Connections and requests by address and backend; null where there was one of each. Earlier runs lack it."""
