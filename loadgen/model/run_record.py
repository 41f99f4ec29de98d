"""The types of what a run records of itself: its environment, its warnings, its blocks. Computes nothing.

`run.json` is a RunRecord, and each line of `blocks.jsonl` a BlockRecord (block_facts.py). The summary repeats plan
(plan_record.py) and environment.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from loadgen.model.audit import AuditRecord
from loadgen.model.calibration import CalibrationRecord
from loadgen.model.pilot_record import PilotRecord
from loadgen.model.plan_record import PlanRecord

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
"""Any JSON value, where a server or another program decides what it is."""


class RunWarning(TypedDict):
    """One warning."""

    code: str
    """Its code; docs/warnings.md lists all."""
    message: str
    """What was found and what to do, for people."""


class TlsRecord(TypedDict):
    """What a TLS handshake negotiated."""

    version: str | None
    """Protocol version."""
    cipher: str | None
    """Cipher suite."""
    group: str | None
    """Key exchange group."""
    alpn: NotRequired[str | None]
    """Application protocol, by ALPN; null where the server chose none. Earlier runs lack it."""
    client_certificate: NotRequired[Literal["sent", "missing"] | None]
    """The server asked for a client certificate and got one, or asked in vain; null where it did not ask. Earlier runs
    lack it."""


class TargetRecord(TypedDict):
    """The target as its first response showed it; the keys from `http_version` on are absent where none came."""

    address: str
    """IP address that was connected to, the proxy's where there is one, or a socket file."""
    port: int
    """Port that was connected to; 0 with a socket file."""
    addresses: NotRequired[list[str]]
    """All IP addresses of the name that could be used, in the resolver's order; earlier runs lack it."""
    proxy: NotRequired[str]
    """The proxy, without credentials."""
    http_version: NotRequired[str | None]
    """HTTP version of the response."""
    status: NotRequired[int | None]
    """Status code of the response."""
    server: NotRequired[str | None]
    """The Server field."""
    keep_alive_timeout_s: NotRequired[int | None]
    """`timeout` of the Keep-Alive field (s)."""
    keep_alive_max: NotRequired[int | None]
    """`max` of the Keep-Alive field."""
    tls: NotRequired[TlsRecord | None]
    """What TLS negotiated; null in clear."""


class EmbeddedTargetRecord(TypedDict):
    """What the embedded target counted on its own side."""

    accepted: int
    """Connections accepted."""
    open: int
    """Connections still open when it was asked."""
    requests: int
    """Requests received."""
    requests_per_connection: dict[str, int]
    """How many connections carried how many requests."""
    protocols: dict[str, int]
    """Connections by the protocol that they spoke."""
    early_data: NotRequired[dict[str, int]]
    """Early data: `accepted`, `rejected`, `replayed` (rejected because it had come before). Absent where none came."""


class HopByHopRecord(TypedDict):
    """What a proxy did with fields that are for one hop alone (RFC 9110 §7.6.1)."""

    removed: list[str]
    """Fields of our request that it removed."""
    forwarded: list[str]
    """Fields of our request that it passed on."""
    response_removed: bool | None
    """It removed such a field from the response; null where that is not known."""
    via: str | None
    """What it put into Via."""
    reason: str | None
    """Why nothing is known; null where something is."""


class ProxyRecord(TypedDict):
    """The proxy and what was found out about it."""

    address: str
    """Host and port."""
    hop_by_hop: HopByHopRecord
    """What it does with fields for one hop."""


class EnvironmentRecord(TypedDict):
    """What a number cannot be read without. No user name and no host name."""

    loadgen: str
    """Version of loadgen."""
    started: str
    """When the run started (ISO 8601, UTC)."""
    python: str
    """Python implementation and version."""
    packages: dict[str, str]
    """Versions of the packages that make the load."""
    system: str
    """Operating system, kernel, architecture."""
    cpu: str
    """Model of the processor."""
    cpus_allowed: list[int]
    """Processors that the generator may use."""
    cpu_count: int | None
    """Processors of the machine."""
    clock: str
    """Clock that all times are of."""
    optimised: int
    """Python's -O level."""
    core: NotRequired[Literal["compiled", "pure"]]
    """Whether the core of the generator ran compiled or as pure Python; absent in earlier runs, all of pure Python."""
    processors_awake: NotRequired[bool]
    """Processors did not sleep deeply while they had nothing to do; absent in earlier runs, whose did."""
    calibration: NotRequired[CalibrationRecord]
    """The floor of this machine; absent where `loadgen calibrate` had not been run on it."""
    audit: NotRequired[AuditRecord]
    """What the connection doctor found out about the target before the load; absent without `--probe`."""
    target: NotRequired[TargetRecord]
    """The target as its first response showed it; absent where it never responded. Of several the first."""
    targets: NotRequired[dict[str, TargetRecord]]
    """Several targets by name, those that responded; absent where there is one."""
    origins: NotRequired[dict[str, TargetRecord]]
    """Other origins that requests go to, those that responded, by what their URLs begin with; absent where there is
    one."""
    embedded_target: NotRequired[EmbeddedTargetRecord | None]
    """What the embedded target counted; absent where another target was used, null where it could not say."""
    proxy: NotRequired[ProxyRecord]
    """The proxy; absent where none was used."""


class RunRecord(TypedDict):
    """The whole of `run.json`."""

    name: str
    """Name of the run."""
    plan: PlanRecord
    """What was run."""
    environment: EnvironmentRecord
    """Versions, machine, target."""
    notes: list[RunWarning]
    """Warnings from running itself."""
    pilot: NotRequired[PilotRecord]
    """What the pilot tried and chose; absent where the load was given."""
    baseline: NotRequired[list[str]]
    """Folders of the runs that it is compared with (`--baseline`), as they were given; absent where there are none."""
    incomplete_rounds: NotRequired[list[int]]
    """Rounds that were cut short, or that not all of their workers ran to the end, from 0: figures leave them out.
    Absent where there are none."""
    rounds_s: NotRequired[list[float]]
    """How long each round of a Locust run took with all that belongs to it (s); absent in runs by the command."""
    parts: NotRequired[int]
    """Segments in which a resumed run was measured; absent where it was not resumed."""
