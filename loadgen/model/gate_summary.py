"""The type of a gate in `summary.json`; see `loadgen.model.summary`. Computes nothing."""

from __future__ import annotations

from typing import TypedDict


class GateSummary(TypedDict):
    """A gate (`--fail-if`) and what became of it."""

    expression: str
    """The gate as it was written."""
    field: str
    """The path of the field that it asks for; the field's unit is that of `value`, `low`, `high` and `limit`."""
    subject: str
    """The policy that decides, or the pair as candidate/baseline: of several the farthest beyond the limit, or else the
    nearest to it. Empty where the field is of the whole run, or nothing could be read."""
    passed: bool
    """The expression does not hold for any subject, and each could be judged."""
    value: float | str | bool | None
    """The field's value; where the limit is a percentage of a count, as a share. Null where it could not be judged."""
    limit: float | str | bool
    """The limit, in the unit of the value."""
    low: float | None
    """Low bound of the value's interval; null where it has none."""
    high: float | None
    """High bound of the value's interval; null where it has none."""
    could_be_noise: bool | None
    """The interval holds the limit, so that another run may end otherwise; null where there is no interval."""
    others_failed: int
    """Further subjects for which the expression holds."""
    message: str
    """The value with its interval, in words."""
