"""The types of a plan as `run.json` and the summary record it. Computes nothing."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class AxesRecord(TypedDict):
    """A sweep's axes; an empty list is an axis that is not varied."""

    users: list[int]
    """Closed-loop users."""
    rate: list[float]
    """Arrivals per second."""
    recycle: list[str]
    """Requests per connection, as written."""
    gap: list[str]
    """Time that a connection is left unused before its next request, as written."""
    size: list[int]
    """Size of the response's body (bytes)."""
    tls_version: NotRequired[list[str]]
    """Versions of TLS that are offered; absent in runs of earlier versions."""
    groups: NotRequired[list[str]]
    """Groups of the key exchange that are offered; absent in runs of earlier versions."""


class BodyFileRecord(TypedDict):
    """A file with a request's body."""

    file: str
    """Its name."""
    size_bytes: int
    """Its length when the plan was made."""


class CsvRecord(TypedDict):
    """A CSV file whose columns go into requests."""

    file: str
    """Its name."""
    columns: list[str]
    """Its columns."""
    rows: list[list[str]]
    """Its rows: never recorded, so always empty."""


class PlannedRequestRecord(TypedDict):
    """One of several requests."""

    name: str
    """Name of its results."""
    weight: int
    """How often it is sent, compared with the others."""
    method: str
    """Its method; empty for the plan's."""
    origin: str
    """Scheme and authority, where its line has them."""
    path: str
    """Path and query."""
    headers: list[list[str]]
    """Header fields of its own, [name, value]."""
    body_base64: str
    """Body of its own, in base64; empty for the plan's."""
    is_template: bool
    """Path, values of header fields and body are templates."""
    columns: list[str]
    """Columns of the CSV file that they take values from; empty for none."""
    rows: list[list[str]]
    """Its rows: never recorded, so always empty."""
    chunked: NotRequired[bool]
    """Its body went in chunks; earlier runs lack it."""


class PlanRecord(TypedDict):
    """What was run. Credentials are replaced by `***`."""

    # One key for each option of model/options.py that a plan has. A new one is NotRequired: earlier runs lack it.

    url: str
    """The target; of several the first."""
    targets: NotRequired[list[list[str]]]
    """Several targets that take turns, [name, URL]; empty where there is one, absent in runs of earlier versions."""
    urls: NotRequired[list[PlannedRequestRecord]]
    """Several requests, of `--urls`; empty where there is one, absent in runs of earlier versions."""
    policies: list[str]
    """Names of the connection policies."""
    users: int
    """Closed-loop users; they play no part where `rate_rps` is not 0."""
    rounds: int
    """Number of rounds, each of one block of each policy; the least number where a precision was asked for."""
    until_precision: NotRequired[float | None]
    """Share within which each ratio was to be known; then `rounds` is the least number of them. Null: not asked for."""
    max_time_ns: NotRequired[int]
    """Longest time of the whole load where a precision was asked for (ns)."""
    block_ns: int
    """Length of a block, warm-up included (ns)."""
    warmup_ns: int
    """Warm-up at the beginning of each block, which is not counted (ns)."""
    requests: NotRequired[int | None]
    """Requests of each policy to measure; then `block_ns` is the longest time of a block. Null: not asked for."""
    think_ns: int
    """Time that a user rests between two requests (ns)."""
    timeout_ns: int
    """Longest time that one step of a request may take (ns)."""
    rate_rps: float
    """Arrivals per second; 0 for a closed loop."""
    arrivals: str
    """How arrivals are spaced: `constant` or `poisson`."""
    max_connections: int
    """Highest number of connections in an open loop."""
    method: str
    """Request method."""
    headers: list[list[str]]
    """Additional header fields, [name, value]."""
    body_base64: str
    """Body of each request, in base64."""
    cacert: str | None
    """File with the certificate authorities that are trusted."""
    insecure: bool
    """Certificates were not verified."""
    max_body_bytes: int
    """Longest response body that is accepted (bytes)."""
    seed: int
    """Seed of the order of blocks."""
    retry_stale: bool
    """Idempotent requests that met a stale connection, and unprocessed streams of HTTP/2, are sent once more."""
    cookies: bool
    """Each user keeps the cookies that it is given."""
    source_ips: list[str]
    """Local addresses to connect from, in turns."""
    server_pid: int | None
    """Process whose CPU time, memory and sockets are read."""
    axes: AxesRecord
    """What a sweep varies."""
    processes: NotRequired[int]
    """Workers that share the load; absent in runs of earlier versions, which had one."""
    trailers: NotRequired[bool]
    """Requests say `TE: trailers`; absent in runs of earlier versions."""
    proxy: NotRequired[str | None]
    """URL of the proxy; absent in runs of earlier versions."""
    proxy_cacert: NotRequired[str | None]
    """File with the authorities that are trusted for a proxy over TLS; null: the system's. Earlier runs lack this key
    and the next six."""
    proxy_insecure: NotRequired[bool]
    """The proxy's certificate was not verified."""
    proxy_certificates: NotRequired[list[str]]
    """Files of client certificates for a proxy over TLS, which users took in turns."""
    proxy_keys: NotRequired[list[str]]
    """Files of their keys; empty where the certificates' own files have them."""
    proxy_key_passphrase: NotRequired[str | None]
    """Where the passphrase of these keys is; never the passphrase."""
    no_proxy: NotRequired[list[str]]
    """Hosts that were reached without the proxy."""
    proxy_protocol: NotRequired[int | None]
    """Version of the PROXY protocol whose header began each connection; null: none was sent."""
    max_samples: NotRequired[int]
    """Requests whose rows are kept, of more a random share; absent in runs of earlier versions."""
    fail_if: NotRequired[list[str]]
    """Gates (`--fail-if`), as expressions; absent in runs of earlier versions."""
    max_errors: NotRequired[float | None]
    """Share of a policy's requests that may fail; null where none was given, absent in runs of earlier versions."""
    connect_to: NotRequired[list[str]]
    """Where connections went in place of the URL's host and port, as rules; earlier runs lack it."""
    resolve: NotRequired[list[str]]
    """Addresses of hosts that were not looked up, as rules; earlier runs lack it."""
    ipv4: NotRequired[bool]
    """Names were looked up for IPv4 addresses alone; earlier runs lack it."""
    ipv6: NotRequired[bool]
    """The same for IPv6."""
    addresses: NotRequired[str]
    """Which of a name's addresses new connections went to: `first`, `all` or `random`; earlier runs lack it."""
    happy_eyeballs_ns: NotRequired[int | None]
    """Time after which a connection also tried the next of a name's addresses (ns); null: it tried one, absent in
    earlier runs."""
    dns_ttl_ns: NotRequired[int | None]
    """Age of its addresses at which a name was looked up again (ns); 0 for that which the records' TTLs say, null for
    once a run, absent in earlier runs."""
    dns_server: NotRequired[str | None]
    """DNS server that was asked; null for the system's resolver, absent in earlier runs."""
    backend_header: NotRequired[str | None]
    """Response field that says which backend answered; null for none, absent in earlier runs."""
    equivalent: NotRequired[float | None]
    """Bound of equivalence, as a share; null where none was given, absent in runs of earlier versions."""
    client_certificates: NotRequired[list[str]]
    """Files of client certificates, which users take in turns. This key and the next eight: absent in runs of earlier
    versions."""
    client_keys: NotRequired[list[str]]
    """Files of their keys, one for each; empty where the certificates' own files have them."""
    key_passphrase: NotRequired[str | None]
    """Where the passphrase of the keys is, `env:NAME` or `file:PATH`; never the passphrase itself."""
    tls_version: NotRequired[str | None]
    """Version of TLS that is offered, or a range; null: 1.2-1.3."""
    ciphers: NotRequired[str | None]
    """Cipher suites that are offered; null: the library's own."""
    groups: NotRequired[str | None]
    """Groups of the key exchange that are offered; null: the classical ones."""
    alpn: NotRequired[list[str] | None]
    """Protocols that ALPN offers, none where empty; null: those of the policy."""
    sni: NotRequired[str | None]
    """Name that handshakes ask for, or `none`; null: the URL's."""
    tickets: NotRequired[bool]
    """Session tickets are taken."""
    template: NotRequired[bool]
    """URL, header fields and body were templates, filled anew for each request; earlier runs lack it."""
    csv: NotRequired[CsvRecord | None]
    """File whose columns went there; null for none, absent in earlier runs."""
    chunked: NotRequired[bool]
    """The body went in chunks (RFC 9112 §7.1); earlier runs lack it."""
    chunk_bytes: NotRequired[int | None]
    """Longest chunk; null for 16384, absent in earlier runs."""
    body_file: NotRequired[BodyFileRecord | None]
    """File that the body was read from while it was sent, as it is long; null where the plan has the body, absent in
    earlier runs."""
    expects_continue: NotRequired[bool]
    """Bodies waited for 100 Continue; earlier runs lack it."""
    continue_timeout_ns: NotRequired[int]
    """How long they did, at most (ns); earlier runs lack it."""
