"""What a probe answers with. Knows no probe and no server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from loadgen.model.audit import FindingValue, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One probe's answer; see FindingRecord for what the fields mean."""

    verdict: Verdict
    measured: str
    announced: str | None = None
    values: Mapping[str, FindingValue] = field(default_factory=dict)
    advice: str | None = None
    topic: str | None = None
    """A row of model/server_settings.py."""
    section: str | None = None
    """Another one than the probe's own, where this answer stands on that."""


def unknown(why: str) -> Finding:
    """Nothing was found out."""
    return Finding(verdict=Verdict.UNKNOWN, measured=why)
