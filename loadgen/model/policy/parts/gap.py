"""`gap:T`: a connection rests T before it is used again."""

from __future__ import annotations

from typing import Any

from loadgen.model.policy.part import Part, RunConditions, Trait, duration_ns
from loadgen.model.policy.parts.requests import SINGLE_USE


def _parse(text: str) -> dict[str, Any]:
    return {"gap_ns": duration_ns(text)}


def needs_users(conditions: RunConditions) -> str | None:
    """Arrivals come when they are due, not when a connection has rested or a response has come."""
    return "needs users; with --rate the arrivals decide what is sent when" if conditions.is_open_loop else None


GAP = Trait(
    "a gap",
    lambda policy: policy.gap_ns > 0,
    excludes={SINGLE_USE.name: "nothing is reused after the gap"},
    objects=needs_users,
)
PARTS = {
    "gap": Part(
        "a connection rests T before it is used again", parameter="T", example="gap:2s", parse=_parse, trait=GAP,
        synonyms=("pause", "rest", "wait", "sleep", "think"),
    )
}  # fmt: skip
