"""Every warning that a run can carry, one row each: its code, when it appears, what to do. Decides about none.

docs/warnings.md is made from this table. A code may be searched for in scripts, so it is not renamed without need.
"""

from __future__ import annotations

from loadgen.model.warning_row import WarningRow


class WarningCode(WarningRow):
    """The code of a warning in `summary.json`, `run.json` and reports."""

    # The run as a whole
    TOO_FEW_ROUNDS = (
        "too_few_rounds",
        "Fewer than 5 rounds have answers under both policies: intervals are wide or missing.",
        "Use at least `--rounds 5`, and blocks long enough for an answer in each.",
    )
    PRECISION_NOT_REACHED = (
        "precision_not_reached",
        "A ratio is not known as well as `--until-precision` asked for when the run ended.",
        "Give a longer `--max-time`, or longer blocks, which differ less from each other.",
    )
    UNLIKE_SAMPLE_COUNTS = (
        "unlike_sample_counts",
        "One policy has more than 20 times the requests of another, whose high percentiles are less certain.",
        "Use a longer `--block`, or compare medians only.",
    )
    REQUESTS_MISSING = (
        "requests_missing",
        "Blocks had their time before all of the `--requests` were sent.",
        "Give a longer `--block` or `--duration`, or neither of them.",
    )
    SAMPLES_THINNED = (
        "samples_thinned",
        "Only a random share of the samples was kept; the message says which figures are of all requests.",
        "",
    )
    ONE_OF_SEVERAL_ADDRESSES = (
        "one_of_several_addresses",
        "The name has several addresses of a family; all connections went to the first.",
        "Use them with `--addresses all` or `--addresses random`, if the name's clients do.",
    )
    CONNECT_TO_SHARED = (
        "connect_to_shared",
        "One rule of `--connect-to` sent the connections for several hosts to the same end.",
        "If that was meant for one of them, name it: `--connect-to HOST1:PORT1:HOST2:PORT2`.",
    )
    ADDRESSES_CHANGED = (
        "addresses_changed",
        "A look-up in mid-run found other addresses than before: a replica came or went.",
        "",
    )
    UNEVEN_BALANCE = (
        "uneven_balance",
        "Requests are uneven over addresses or backends: Jain's index of fairness is below 0.9.",
        "Connections that are kept keep their server: try `lifetime:T` or `recycle:K` ([addresses](addresses.md)).",
    )
    ADDRESS_FAILING = (
        "address_failing",
        "Requests to one address failed while others answered: a replica is down, or went mid-run.",
        "Look at that replica's log for the time that the message names.",
    )
    FIRST_ADDRESS_LOSES = (
        "first_address_loses",
        "Another address than the first won more than a tenth of the `--happy-eyeballs` races.",
        "Let the server answer where clients try first, or take that address out of the DNS.",
    )
    TLS_NOT_VERIFIED = (
        "tls_not_verified",
        "`--insecure` was given, so certificates were not verified.",
        "Give the authority's certificate with `--cacert`.",
    )
    BLOCKS_WITHOUT_ANSWER = (
        "blocks_without_answer",
        "No request of a block was answered: the target died, or does not answer one policy.",
        "Look at the target's log for that time, then run again.",
    )
    RESUMED = ("resumed", "The run was cut off and resumed; blocks that were cut off were dropped and run again.", "")
    CORE_CHANGED = (
        "core_changed",
        "The generator's core was compiled in one segment of a resumed run, pure Python in another.",
        "Run again where differences matter: the generator's own work differs by a multiple.",
    )
    INTERRUPTED = (
        "interrupted",
        "The run was interrupted, or its command was killed; only what had been measured is shown.",
        "`loadgen sweep --resume` continues a sweep.",
    )
    DISK_FULL = ("disk_full", "The disk was full, so the run ended early.", "Make room and run again.")
    DIED = (
        "died",
        "The worker process died, so the run ended early.",
        "Look for the reason in the system's log; often memory ran out.",
    )
    WORKER_DIED = (
        "worker_died",
        "One of several worker processes died; from then on only the others made load.",
        "Compare only blocks before that, or run again.",
    )

    # Requests
    NO_SAMPLES = (
        "no_samples",
        "A policy has no completed request.",
        "Fix the errors that it names, lower the load, or use a longer `--block`.",
    )
    ERRORS = (
        "errors",
        "Requests of a policy failed. Percentiles are of the completed ones only.",
        "See docs/errors.md for each kind.",
    )
    HTTP_ERRORS = (
        "http_errors",
        "Responses had a status of 400 or above; they count as completed.",
        "Check the URL, the method and the header fields.",
    )
    CLIENT_CERTIFICATE_MISSING = (
        "client_certificate_missing",
        "The server asked for a client certificate, got none, and answered with a status of 400 or above.",
        "Give one with `--cert` and `--key`.",
    )
    REDIRECTS = (
        "redirects",
        "Responses were redirects (301, 302, 303, 307, 308); they count as completed. Only scenarios follow them.",
        "Give the URL that they name.",
    )
    WARMUP_ERRORS = (
        "warmup_errors",
        "Requests outside the measured windows failed; they are in no count of errors.",
        "Use a longer `--warmup` if the target needs time, or look for the reason.",
    )
    CONNECTIONS_UNSERVED = (
        "connections_unserved",
        "Connections got no response in a whole window, and others got quick ones.",
        "Raise the server's backlog, and its limit of connections, threads or workers, or use fewer (`pool:N`).",
    )
    WINDOW_OUTLASTED = (
        "window_outlasted",
        "Requests of the warm-up lasted beyond the end of the measured window, so no percentile shows them.",
        "Use a `--block` several times as long as the slowest request.",
    )
    TARGET_FAILED = (
        "target_failed",
        "The first request of a protocol failed, and the run went on with the other policies.",
        "Check that the target speaks this protocol at this path.",
    )
    FIRST_REQUEST_FAILED = (
        "first_request_failed",
        "The run's first request failed, or met a 502, 503 or 504, and was sent again until the run could begin.",
        "If the target had just been started, nothing; else look at its log.",
    )

    # The generator and the offered load
    GENERATOR_SATURATED = (
        "generator_saturated",
        "The generator used more than 90 % of a core; or it used more than 50 %, and the delay of its stamps is more "
        "than 50 µs and a quarter of the median latency.",
        "Use fewer users or a lower rate, or more `--processes`.",
    )
    LATE_WAKE_UPS = (
        "late_wake_ups",
        "The generator has CPU time left, and yet the delay of its stamps is more than 50 µs and a quarter of the "
        "median latency: an idle processor sleeps, and the machine wakes it that late.",
        "Run as root, so that loadgen keeps the processors awake, or turn deep idle states off; or use `--users 1`, "
        "which leaves little time to sleep.",
    )
    GENERATOR_STALLED = (
        "generator_stalled",
        "The generator did not run for more than 250 ms: it was stopped, suspended, or got no CPU.",
        "Run again on a machine that is not stopped and has CPU time left; requests of that time show it as their own.",
    )
    STAMP_DELAY = (
        "stamp_delay",
        "The generator stamps events later under one policy than under the other, by more than a quarter of the "
        "difference between them.",
        "Use a target that is farther away or slower, or compare with the time of the packets.",
    )
    WITHIN_FLOOR = (
        "within_floor",
        "A difference is certain, but smaller than this machine can resolve, by its calibration (`loadgen calibrate`).",
        "Take it for none; measure on a quieter machine, or with the target farther away. See docs/results.md.",
    )
    OWN_WORK = (
        "own_work",
        "The generator's own work is more than a quarter of what a request takes a closed-loop user.",
        "Look at the latency, which leaves it out; for throughput use more users.",
    )
    GENERATOR_LATE = (
        "generator_late",
        "The generator began requests late, by enough to show in the 99th percentile (open loop).",
        "Use a lower `--rate`, or more `--processes`.",
    )
    ARRIVALS_NOT_STARTED = (
        "arrivals_not_started",
        "Arrivals never got a connection, so percentiles leave the slowest out (open loop).",
        "Use a lower `--rate`, or more `--max-connections`.",
    )
    QUEUE_UNSTARTED = (
        "queue_unstarted",
        "Requests still waited for a pooled connection when the window ended, so percentiles leave the slowest out.",
        "Use a larger pool, fewer users, or a longer `--block`.",
    )

    # Self-checks: each fails in at most 1 % of sound runs, or compares with the limit that it names
    ARRIVALS_NOT_AS_ASKED = (
        "arrivals_not_as_asked",
        "More than 5 % of the requests began at other times, or in another number, than `--rate`, `--arrivals` or "
        "`--think` asks for. Intervals may be off by 0.1 ms or 5 % of their mean; arrivals may be late, and pauses "
        "off, by 1 ms or 5 %. Poisson arrivals are tested besides (Kolmogorov-Smirnov).",
        "Offer less load, or use more `--processes` or a machine with less other work.",
    )
    NOT_STATIONARY = (
        "not_stationary",
        "The block medians of a policy, or the ratio of two policies, rose or fell by 5 % or more over the run (t test "
        "of the slope over the rounds).",
        "Let the target warm up first, or look for what changes on it or on this machine. A drift that all policies "
        "share cancels out of their differences.",
    )
    ORDER_EFFECT = (
        "order_effect",
        "A block's mean latency depends, by 5 % or more, on its place in the round or on the policy that ran before it "
        "(F test of an additive model of policy, round and place).",
        "Use a longer `--warmup`, so that a block does not feel the one before it.",
    )
    DEPENDENT_REQUESTS = (
        "dependent_requests",
        "Slow requests come in groups: beyond a p99 lie fewer than 5 independent ones, or fewer than there are rounds, "
        "though twice as many were measured.",
        "Use more `--rounds`, and go by the interval of the p99.",
    )

    # Reuse
    CONNECTIONS_NOT_IDEAL = (
        "connections_not_ideal",
        "More or fewer connections were opened than perfect reuse takes.",
        "See how connections ended; raise the server's limits or timeouts.",
    )
    CLOSED_EARLY = (
        "closed_early",
        "Connections carried less than the policy allows: the server closed, or answered early.",
        "Use a smaller K, or raise the server's limit of requests per connection; where it answers early, less body.",
    )
    NEVER_RECYCLED = (
        "never_recycled",
        "No connection reached its K requests within a block, so none was replaced as the policy says.",
        "Use a longer `--block` or a smaller K.",
    )
    NEVER_USED = (
        "never_used",
        "Connections were hardly reused, or none reached its lifetime: a block is too short, or has too few requests.",
        "Use a longer `--block`, or more `--requests`; a longer lifetime where nothing was reused.",
    )
    STALE_CONNECTIONS = (
        "stale_connections",
        "Requests met a connection that the server or proxy had closed.",
        "Keep the gap below the other side's idle timeout, use `recycle:K`, or `--retry-stale`.",
    )
    GAP_OVER_TIMEOUT = (
        "gap_over_timeout",
        "Connections are left unused for longer than the idle timeout that the server announced.",
        "Use a shorter gap or think time, or raise the server's keep-alive timeout.",
    )
    SERVER_IGNORED_CLOSE = (
        "server_ignored_close",
        "The server did not close connections although it was asked to; the client closed them.",
        "Expect idle connections on the server from clients that rely on it.",
    )

    # TLS and other protocols
    NO_EARLY_DATA = (
        "no_early_data",
        "A policy sends requests as early data (0-RTT), and the server took none.",
        "Allow it on the server (nginx: `ssl_early_data on`); `loadgen probe URL --only tls` shows what tickets allow.",
    )
    TLS_RESUMED_UNASKED = (
        "tls_resumed_unasked",
        "TLS sessions were resumed under a policy that asks for full handshakes.",
        "Report it: loadgen should not offer a session here.",
    )
    TLS_NOT_RESUMED = (
        "tls_not_resumed",
        "The server, or an https proxy, did not resume TLS sessions though the policy offers them.",
        "Turn on session tickets or a shared session cache in it.",
    )
    UPGRADE_DECLINED = (
        "upgrade_declined",
        "The server declined HTTP/2, so the policy's connections went on in HTTP/1.1.",
        "Turn on HTTP/2 in the server, or drop the policy.",
    )
    NOT_ECHOED = (
        "not_echoed",
        "WebSocket answers differ from the messages before them; the first message that comes is taken as the answer.",
        "Use a path that echoes, or one that sends nothing unasked.",
    )
    FORBIDDEN_TRAILERS = (
        "forbidden_trailers",
        "Trailer sections held fields that are not allowed there (RFC 9110 §6.5.1).",
        "Fix the server: these fields belong before the content.",
    )
    LENIENT = (
        "lenient",
        "Responses deviate from HTTP/1.1 in a way that a client may accept: they were measured, and are counted.",
        "Repair the server, or what is before it: other clients may refuse such responses.",
    )
    UNASKED_BYTES = (
        "unasked_bytes",
        "The server sent bytes that no request asked for, behind a response or between two; each such connection was "
        "closed.",
        "Find out where they come from: a wrong Content-Length, or a body with a status that has none.",
    )
    CONTINUE_IGNORED = (
        "continue_ignored",
        "No 100 Continue ever came, so each body waited for the whole `--continue-timeout`.",
        "Leave out `--expect-continue`, or give a shorter timeout.",
    )
    HOP_BY_HOP_FORWARDED = (
        "hop_by_hop_forwarded",
        "The proxy passed on fields that are for one hop only (RFC 9110 §7.6.1).",
        "Fix the proxy, or remove these fields in its configuration.",
    )

    NOTHING_ANNOUNCED = (
        "nothing_announced",
        "The policy honours `Keep-Alive: timeout`, and no response had such a field, so it did nothing.",
        "Have the server announce its idle timeout, or use `max-idle:T`.",
    )

    # Sockets and ports
    PORTS_FORESEEN = (
        "ports_foreseen",
        "At this rate of new connections the local ports will not last.",
        "Add `--source-ip`, use fewer new connections, or run shorter.",
    )
    PORTS_NEARLY_USED_UP = (
        "ports_nearly_used_up",
        "Less than 10 % of the local ports were left: a port stays in use after its close.",
        "Add `--source-ip`, or reuse connections more: who closes first holds the port for 60 s.",
    )
    SYN_RETRANSMITS = (
        "syn_retransmits",
        "SYN segments were retransmitted, so some connect times are 1 s or 3 s longer.",
        "Raise the server's listen backlog, or use fewer users.",
    )
    LISTEN_OVERFLOWS = (
        "listen_overflows",
        "The listen queue of a server on this machine was full.",
        "Raise its backlog and net.core.somaxconn.",
    )
    NAGLE_DELAYS = (
        "nagle_delays",
        "Many requests took 40 to 50 ms, few a time near that: Nagle's algorithm meets delayed acknowledgements.",
        "Set TCP_NODELAY on the side that writes a message in several pieces, or write it at once.",
    )

    # Locust
    RUN_TOO_SHORT = (
        "run_too_short",
        "The run time is shorter than one round.",
        "Use a longer run time, shorter blocks, or start users faster.",
    )
    ROUNDS_INCOMPLETE = (
        "rounds_incomplete",
        "Rounds were cut short, or lost a worker: figures leave them out, whole.",
        "",
    )
    UNEVEN_STARTS = (
        "uneven_starts",
        "Workers began a block more than 50 ms apart, so that they did not load the target together.",
        "Start fewer workers on a machine, or give them processors of their own.",
    )
    POLICIES_TOGETHER = (
        "policies_together",
        "User classes with different policies load the target at the same time.",
        "Use one user class that alternates its policies.",
    )
    USERS_CHANGED = (
        "users_changed",
        "The number of users changed during the run: figures of one policy mix several loads.",
        "Keep the number of users constant.",
    )
    USERS_MISSING = ("users_missing", "Fewer users made load than Locust was to start.", "Look into Locust's log.")
    OTHER_USERS = (
        "other_users",
        "Locust users of classes that are not loadgen's ran beside the comparison.",
        "Run them apart, or make their classes from `ReuseUser`.",
    )
    WORKER_LOST = (
        "worker_lost",
        "A Locust worker was lost during the run; the results hold what the others measured.",
        "Run again, or compare only rounds before that.",
    )
    WORKER_AWAY = (
        "worker_away",
        "A Locust worker stood still or was out of reach in a block; the others went on without it.",
        "Find out whether that machine was busy, suspended, or cut off from the network.",
    )
    WORKER_FAILED = ("worker_failed", "A Locust worker could not begin, or could not continue.", "See its message.")
    WORKER_MESSAGE = (
        "worker_message",
        "A Locust worker sent a message that was not used: it did not have the form or size of its kind.",
        "Run the same version everywhere, in a network from which no stranger reaches the master's port.",
    )
