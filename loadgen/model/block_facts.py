"""The types of what is known of a block: what its worker records, and what is counted of its rows. Computes nothing.

Facts that a version or a system does not know are absent, or null inside `kernel`, `tcp` and `server`.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict

from loadgen.model.connections_summary import AfterClose, LostRows, RequestRange
from loadgen.model.continue_counts import ContinueFacts
from loadgen.model.policy_summary import UnaskedBytes
from loadgen.model.summary import BlockConnections


class TimeWaitFacts(TypedDict):
    """Sockets in TIME_WAIT: of the whole network namespace, and of the target's connections by side."""

    before: int | None
    """At the beginning of the block, in the namespace."""
    peak: int | None
    """The most during the block, in the namespace."""
    after: int | None
    """At the end of the block, in the namespace."""
    client: int | None
    """Added by the block on the client's side."""
    server: int | None
    """Added by the block on the server's side."""
    client_held: int | None
    """Held by the client at the end."""
    server_held: int | None
    """Held by the server at the end."""


class PortFacts(TypedDict):
    """Local ports for connections to the target, at the end of a block."""

    range: int | None
    """Ports that there are."""
    in_use: int | None
    """Ports in use."""
    reusable: int | None
    """Ports in TIME_WAIT that can be used again."""
    left: int | None
    """Ports that can still be used."""


class KernelFacts(TypedDict):
    """The kernel's counters over a block."""

    time_wait: TimeWaitFacts
    """Sockets in TIME_WAIT."""
    sockets_peak: int | None
    """The most TCP sockets in use."""
    syn_retransmits: int | None
    """SYNs retransmitted."""
    listen_overflows: int | None
    """Connections that found a full listen queue."""
    listen_drops: int | None
    """Connection requests dropped."""
    retransmits: int | None
    """Segments retransmitted."""
    ports: PortFacts
    """Local ports."""


class TcpFacts(TypedDict):
    """TCP_INFO of a share of a block's connections."""

    sampled: int
    """Connections that were looked at."""
    rtt_us_p50: int | None
    """Median round-trip time (µs)."""
    cwnd_p50: int | None
    """Median congestion window (segments)."""
    retransmits: int | None
    """Segments retransmitted."""


class ServerFacts(TypedDict):
    """The server's process over a block's window."""

    cpu_ns: int | None
    """CPU time (ns)."""
    rss_bytes: int | None
    """Resident memory at the end (bytes)."""
    sockets: int | None
    """Open sockets at the end."""


class KeepAliveFacts(TypedDict, total=False):
    """Parameters of Keep-Alive fields."""

    timeout_s: int
    """The smallest timeout (s)."""
    max: int
    """The largest max."""


class TrailerFacts(TypedDict):
    """Trailer sections of a block's responses."""

    responses: int
    """Responses with a trailer section that was not empty."""
    fields: dict[str, int]
    """How often each field came, by lower-case name."""


class ChallengeFacts(TypedDict):
    """What a proxy's first 407 cost."""

    connections: int
    """Connections that only carried the 407."""
    errors: int
    """Requests that it answered."""


class UpgradeFacts(TypedDict):
    """Upgrades that succeeded in a block."""

    count: int
    """How many."""
    ns: int
    """How long they took together (ns)."""


class AddressFacts(TypedDict):
    """What went to one address of the target in a block, warm-up included."""

    connections: list[int]
    """Connections opened, by interval."""
    requests: list[int]
    """Responses that came from it, by interval."""
    failed: list[int]
    """Requests to it that failed, by interval."""


class AddressChange(TypedDict):
    """A look-up that found other addresses than the one before."""

    at_ns: int
    """When (monotonic, ns)."""
    added: list[str]
    """Addresses that the name had not before."""
    removed: list[str]
    """Addresses that it has no more."""
    origin: NotRequired[str]
    """Of several origins the one with this name."""


class BalanceFacts(TypedDict):
    """A block's connections and requests by address and backend. A request counts in the interval in which it ends."""

    begun_ns: int
    """When the first interval begins (monotonic, ns)."""
    interval_ns: int
    """Length of an interval (ns)."""
    addresses: dict[str, AddressFacts]
    """By address and port."""
    backends: dict[str, list[int]]
    """Responses by what the field of --backend-header says, by interval; empty where it was not given."""
    changes: list[AddressChange]
    """What look-ups changed."""


class RaceFacts(TypedDict):
    """What connections cost that tried several addresses (RFC 8305), warm-up included."""

    races: int
    """Connections that were begun."""
    attempts: int
    """Attempts that they began."""
    lost_connected: int
    """Attempts that another one has beaten, and that had connected as well."""
    won_ipv4: int
    """Races that an IPv4 address has won,"""
    won_ipv6: int
    """or an IPv6 address."""
    delayed: int
    """Races that another attempt than the first has won."""
    delay_ns: int
    """By how much winning attempts began later than the first one, summed (ns)."""
    connect_ns: int
    """What winning attempts took themselves, summed (ns)."""


class SampleCounts(TypedDict):
    """Exact counts of a block's complete samples, whatever share of the samples is kept."""

    requests: int
    """Complete samples that were measured."""
    kept: int
    """Of these, how many are still there."""
    reused: int
    """How many were not the first on their connection."""
    statuses: dict[str, int]
    """How many had each status code."""
    phases: dict[str, int]
    """In how many each phase happened."""
    errors: NotRequired[dict[str, int]]
    """Samples that failed or are unfinished, by kind."""
    by_request: NotRequired[dict[str, int]]
    """Complete samples of each of several requests, by its place in the plan; absent where there is one."""
    failed_by_request: NotRequired[dict[str, int]]
    """The same of samples that failed or are unfinished."""
    reused_by_request: NotRequired[dict[str, int]]
    """The same of complete ones that were not the first on their connection."""
    sums_ns: NotRequired[dict[str, int]]
    """Sum of the latencies and of each phase (ns); there where the block has histograms of all its samples."""
    max_ns: NotRequired[dict[str, int]]
    """The longest latency and the longest of each phase (ns); as above."""
    halvings: NotRequired[list[int]]
    """How often the complete samples, and the others, were halved."""


class BlockRecord(TypedDict):
    """A block as its worker records it: the first four keys before it begins, the others as they become known."""

    index: int
    """Number of the block in the run."""
    round: int
    """Number of the round."""
    policy: str
    """Name of the plan's cell."""
    first_connection: NotRequired[int]
    """Number of the first connection that the block can open."""
    request_weights: NotRequired[list[int]]
    """Weights of several requests, in the plan's order; absent where there is one."""
    request_origins: NotRequired[list[int]]
    """The place of each one's origin, from 0, where they have several."""
    continuous: NotRequired[bool]
    """Connections outlive the block."""
    begun_ns: NotRequired[int]
    """When a continuous block began (monotonic, ns)."""
    load_begun_ns: NotRequired[int]
    """When its load began, warm-up included (monotonic, ns); of several workers when the first one's did."""
    boot_id: NotRequired[str]
    """Whose monotonic clock that is: a machine's since its last start, with the offset of a time namespace."""
    clock_offset_ns: NotRequired[int]
    """What to add to its times for those of the coordinating process's clock; absent where that is not known."""
    clock_error_ns: NotRequired[int | None]
    """By how much that may be wrong, in either direction; 0 where both are one clock, null where it is not known."""
    window_begun_ns: NotRequired[int]
    """When the measured window began (monotonic, ns)."""
    window_ended_ns: NotRequired[int]
    """When it ended."""
    cpu_ns: NotRequired[int]
    """CPU time of the worker in the window (ns)."""
    rss_bytes: NotRequired[int]
    """Resident memory of the worker at the end (bytes)."""
    whole: NotRequired[bool]
    """The block had its full time; absent where the worker died in it."""
    retried: NotRequired[int]
    """Requests sent once more after a stale connection."""
    unstarted: NotRequired[int]
    """Requests of the window that never got a connection."""
    due: NotRequired[int]
    """Open loop: arrivals due in the window."""
    mismatched_echoes: NotRequired[int]
    """WebSocket answers that differ from their messages."""
    keep_alive: NotRequired[KeepAliveFacts]
    """What Keep-Alive fields said."""
    stalled_ns: NotRequired[int]
    """For how long, at most, a worker did not run at all (ns); absent where it always did."""
    redirected_to: NotRequired[str]
    """Where a redirect led, without secrets; absent where there was none."""
    idle_statuses: NotRequired[dict[str, int]]
    """Responses with which the server ended idle connections, by status; 0 where it is not known."""
    continues: NotRequired[ContinueFacts]
    """What became of requests with `Expect: 100-continue`; absent where there was none."""
    trailers: NotRequired[TrailerFacts]
    """Trailer sections."""
    lenient: NotRequired[dict[str, int]]
    """How many responses had each deviation from HTTP/1.1 that a client may accept."""
    unasked_bytes: NotRequired[UnaskedBytes]
    """Bytes that no request asked for."""
    after_close: NotRequired[AfterClose]
    """Requests sent after an announced close."""
    challenge: NotRequired[ChallengeFacts]
    """What a proxy's first 407 cost."""
    lost: NotRequired[LostRows]
    """What is in no row, as the disk was full; absent where nothing is missing."""
    balance: NotRequired[BalanceFacts]
    """Connections and requests by address and backend; absent where there is one of each."""
    address_changes: NotRequired[list[AddressChange]]
    """What look-ups of several origins' names changed; absent where nothing did, or the block has a balance."""
    races: NotRequired[RaceFacts]
    """Attempts to connect; absent where connections try one address."""
    kernel: NotRequired[KernelFacts]
    """The kernel's counters."""
    tcp: NotRequired[TcpFacts]
    """TCP_INFO of some connections."""
    server: NotRequired[ServerFacts]
    """The server's process."""


class BlockFacts(BlockRecord):
    """A block with what was counted of its rows, and where several workers measured it the sum of theirs."""

    window_ns: int
    """Length of the measured window (ns)."""
    started: int
    """Requests that began in the window."""
    exchanges: int
    """Exchanges on connections that were opened, warm-up included."""
    carried: NotRequired[int]
    """Of these, answered at least in part."""
    carried_by_request: NotRequired[dict[str, int]]
    """The same of each of several requests, by its place in the plan; absent where there is one."""
    opened_by_origin: NotRequired[dict[str, int]]
    """Connections opened to each of several origins, by its place; absent where there is one, as the next two."""
    tls_full_by_origin: NotRequired[dict[str, int]]
    """Of these, with a full TLS handshake."""
    tls_resumed_by_origin: NotRequired[dict[str, int]]
    """Of these, with a resumed one."""
    answered: NotRequired[int]
    """Responses that came within the window."""
    connections: BlockConnections
    """Its connections."""
    endings: dict[str, int]
    """How they ended."""
    ended_after: NotRequired[dict[str, RequestRange]]
    """How many requests those that the server ended had answered, by the way in which they ended."""
    upgrades: NotRequired[UpgradeFacts]
    """Upgrades that succeeded."""
    next_connection: int
    """One above the highest number of its connections."""
    warmup_outlasted: int
    """Requests of the warm-up that lasted beyond the window."""
    unserved: NotRequired[int]
    """Of these, the first on their connections, which got no response in the whole window."""
    warmup_errors: int
    """Requests outside the window that failed."""
    counted: NotRequired[SampleCounts]
    """Exact counts of its samples."""
    workers: NotRequired[int]
    """Workers that measured it."""
    grouped: NotRequired[int]
    """Blocks that it stands for, where several rounds are counted as one."""
    load_spread_ns: NotRequired[int]
    """How long after the first worker's the last one's load began; absent where one worker measured it."""
    busiest_cpu_ns: NotRequired[int]
    """CPU time of the worker that had most (ns)."""
