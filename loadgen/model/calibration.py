"""The types of a calibration: what machine and generator cost where the target costs nothing. Computes nothing.

`loadgen calibrate` writes one into the user's cache folder, and runs on the same machine record it
(`environment.calibration`). Times are integer nanoseconds.
"""

from __future__ import annotations

from typing import Literal, TypedDict

CALIBRATION_SCHEMA = 1
"""The version of this layout: the calibration's `schema`. Files of another one are not read."""


class Spread(TypedDict):
    """How a duration was distributed (ns)."""

    count: int
    """How many were measured."""
    min: int
    """Lowest."""
    q1: int
    """First quartile."""
    p50: int
    """Median."""
    q3: int
    """Third quartile."""
    p99: int
    """99th percentile."""


class MachineIdentity(TypedDict):
    """What a calibration is of; a run on anything else has none."""

    cpu: str
    """Model of the processor."""
    cpu_count: int | None
    """Processors of the machine."""
    cpus_allowed: int
    """Processors that the generator may use."""
    system: str
    """Operating system, kernel, architecture."""
    python: str
    """Python implementation and version."""
    core: str
    """`compiled` or `pure`."""
    loadgen: str
    """Version of loadgen."""


class MachineState(TypedDict):
    """What makes the same machine faster or slower. Null where it can't be read."""

    governor: str | None
    """CPU frequency governor."""
    frequency_mhz: float | None
    """Frequency of the first processor (MHz)."""
    hypervisor: str | None
    """The machine is a virtual one: its product name, or `yes`."""


class ClockCost(TypedDict):
    """The monotonic clock."""

    resolution_ns: int
    """As the system states it (ns)."""
    step_ns: int
    """Smallest step seen between two readings (ns)."""
    read_ns: int
    """What one reading costs (ns)."""


class PolicyFloor(TypedDict):
    """What a policy costs against a target that answers at once."""

    requests: int
    """Requests of one user, measured."""
    cpu_ns_per_request: int | None
    """CPU time of the generator (ns)."""
    latency_p50_ns: int | None
    """Median latency (ns)."""
    max_rate_rps: float | None
    """Highest rate tried that the generator kept on time, with half of a core at most; null where there was none."""
    rates_tried_rps: list[float]
    """Rates of arrivals that were tried."""


class PacketComparison(TypedDict):
    """By how much phases exceed what a capture of the same requests shows."""

    matched: int
    """Requests whose packets were found."""
    unmatched: int
    """Requests without."""
    errors_ns: dict[str, Spread]
    """Error of `connect`, `tls` and `send_wait` (ns)."""


class StampErrors(TypedDict):
    """By how much a phase is typically too long (ns)."""

    source: Literal["packets", "stamps"]
    """Against packet times; or, without a capture, by the kernel's own stamps."""
    connect: int
    """Of `connect` (ns)."""
    tls: int
    """Of `tls` (ns)."""
    send_wait: int
    """Of `send` and `wait` together (ns)."""


class CalibrationRecord(TypedDict):
    """The whole of a calibration."""

    schema: int
    """Version of this layout."""
    measured: str
    """When (ISO 8601, UTC)."""
    seconds: float
    """How long it took (s)."""
    machine: MachineIdentity
    """What it is of."""
    state: MachineState
    """What it depends on besides."""
    clock: ClockCost
    """The clock of all times."""
    wake_up_ns: dict[str, Spread]
    """`timer`: how late a process wakes for one; `ping`: round trip to another process and back (ns)."""
    phases_ns: dict[str, Spread]
    """Each phase: connect, tls_full, tls_resumed, send, wait, receive (ns)."""
    policies: dict[str, PolicyFloor]
    """By scheme and policy, as in `https close`."""
    stamp_delay_ns: dict[str, Spread]
    """How much later than the kernel the generator stamps the end of `connect` and of `wait` (ns)."""
    packets: PacketComparison | None
    """Against a capture; null where there was none."""
    packets_skipped: str
    """Why there was none; empty where there was one."""
    error_ns: StampErrors
    """What the floor of a difference is made of."""
