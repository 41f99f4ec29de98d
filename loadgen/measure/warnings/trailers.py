"""Warnings about trailer sections: fields that must not be in one. Counts nothing."""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.model.policy_summary import TrailersSummary
from loadgen.model.trailers import FORBIDDEN

_MOST_NAMED = 5


def trailer_warnings(found: TrailersSummary) -> Iterator[tuple[str, str]]:
    """Fields that no sender may put into a trailer section, as (code, message). found: what `trailers` gave."""
    bad = {name: count for name, count in found["fields"].items() if name in FORBIDDEN}
    if bad:
        listed = ", ".join(f"{name} ({count:,})" for name, count in list(bad.items())[:_MOST_NAMED])
        more = f" and {len(bad) - _MOST_NAMED} more" if len(bad) > _MOST_NAMED else ""
        yield (
            "forbidden_trailers",
            f"trailer sections held fields that are needed before the content and mean nothing behind it: {listed}"
            f"{more} (RFC 9110 §6.5.1)",
        )
