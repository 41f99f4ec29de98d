"""The types of a sweep's part of `summary.json`: axes, cells, how a connection's cost is amortised. Computes nothing.

How names and values are written: summary.py.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict

from loadgen.model.policy_summary import RatioInterval, WholeInterval


class SweepAxes(TypedDict, total=False):
    """The values of each axis that was given."""

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
    tls_version: list[str]
    """Versions of TLS that are offered."""
    groups: list[str]
    """Groups of the key exchange that are offered."""


class SweepCell(TypedDict):
    """Where one cell lies on the axes; null for an axis that is not varied."""

    policy: str
    """The whole policy of the cell."""
    base: str | None
    """The part of the policy that the plan names; null where axes alone make it."""
    users: int | None
    """Users; null in an open loop."""
    rate: float | None
    """Arrivals per second; null in a closed loop."""
    recycle: str | None
    """Value of the axis `recycle`, as written."""
    gap: str | None
    """Value of the axis `gap`, as written."""
    size: int | None
    """Value of the axis `size` (bytes)."""
    tls_version: NotRequired[str | None]
    """Value of the axis `tls_version`, as written; absent in runs of earlier versions, like the next key."""
    groups: NotRequired[str | None]
    """Value of the axis `groups`, as written."""
    requests: int | None
    """Requests per connection that the policy allows; null for unlimited."""
    gap_ns: int
    """Gap before each reuse (ns)."""


class AmortisationCell(TypedDict):
    """One measured point of an amortisation curve."""

    name: str
    """The cell."""
    requests: int | None
    """K, requests per connection; null for unlimited."""
    requests_per_connection: float | None
    """Requests per connection as far as they decide the mean; null for unlimited."""
    mean_ns: int
    """Mean latency (ns)."""
    ci95: WholeInterval
    """Interval of the mean (ns)."""


class AmortisationPoint(TypedDict):
    """One point of the fitted curve."""

    requests: float | None
    """K; null for unlimited."""
    mean_ns: int
    """Fitted mean latency (ns)."""
    ci95: WholeInterval
    """Interval of the fit (ns)."""


class AmortisationCurve(TypedDict):
    """`exchange + handshake / K`, fitted to cells that differ in K alone."""

    cells: list[AmortisationCell]
    """The measured cells, smallest K first."""
    exchange_ns: int
    """Fitted cost of a request on a reused connection (ns)."""
    exchange_ci95: WholeInterval
    """Its interval (ns)."""
    handshake_ns: int
    """Fitted cost of a new connection (ns)."""
    handshake_ci95: WholeInterval
    """Its interval (ns)."""
    r2: float | None
    """Share of the variance of the cells' means that the fit explains."""
    k90: float | None
    """K at which 90 % of the measured saving is reached; null where there is no saving."""
    k90_ci95: RatioInterval
    """Its interval."""
    k90_model: float
    """The same by the model, which follows from the smallest and the largest K alone."""
    saving_ns: int
    """Mean latency at the smallest K less that at the largest (ns)."""
    saving_ci95: WholeInterval
    """Its interval (ns)."""
    curve: list[AmortisationPoint]
    """The fitted curve."""


class AmortisationSummary(AmortisationCurve):
    """The curve of one group of a sweep's cells, and what the cells of the group have in common."""

    base: str | None
    """The part of their policies that the plan names; null where axes alone make them."""
    users: int | None
    """Users; null in an open loop."""
    rate: float | None
    """Arrivals per second; null in a closed loop."""
    gap: str | None
    """Value of the axis `gap`, as written; null where it is not varied."""
    size: int | None
    """Value of the axis `size` (bytes); null where it is not varied."""
    tls_version: NotRequired[str | None]
    """Value of the axis `tls_version`, as written; absent in runs of earlier versions, like the next key."""
    groups: NotRequired[str | None]
    """Value of the axis `groups`, as written."""


class SweepSummary(TypedDict):
    """What a sweep varied, and how the cost of a connection is shared by its requests."""

    axes: SweepAxes
    """The values of each axis that was given."""
    cells: dict[str, SweepCell]
    """Where each cell lies, by its name in `policies`."""
    amortisation: list[AmortisationSummary]
    """One curve for each group of cells that differ in K alone."""
