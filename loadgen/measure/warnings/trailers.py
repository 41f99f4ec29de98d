"""Warnings about trailer sections: fields that must not be in one. Counts nothing."""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.model.policy_summary import TrailersSummary
from loadgen.model.trailers import FORBIDDEN
from loadgen.model.warning_codes import WarningCode

_MAX_NAMED = 5


def trailer_warnings(found: TrailersSummary) -> Iterator[tuple[WarningCode, str]]:
    """Fields that no sender may put into a trailer section."""
    bad = {name: count for name, count in found["fields"].items() if name in FORBIDDEN}
    if bad:
        listed = ", ".join(f"{name} ({count:,})" for name, count in list(bad.items())[:_MAX_NAMED])
        more = f" and {len(bad) - _MAX_NAMED} more" if len(bad) > _MAX_NAMED else ""
        yield (
            WarningCode.FORBIDDEN_TRAILERS,
            f"trailer sections held fields that are needed before the content and mean nothing after it: {listed}"
            f"{more} (RFC 9110 §6.5.1)",
        )
