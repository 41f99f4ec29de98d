"""`gap:T`: a connection rests T before it is used again."""

from __future__ import annotations

from typing import Any

from loadgen.model.policy.part import Part, Trait, duration_ns
from loadgen.model.policy.parts.requests import SINGLE_USE


def _parse(text: str) -> dict[str, Any]:
    return {"gap_ns": duration_ns(text)}


GAP = Trait("a gap", lambda policy: policy.gap_ns > 0, {SINGLE_USE.name: "nothing is reused after the gap"})
PARTS = {"gap": Part("a connection rests T before it is used again", parameter="T", parse=_parse, trait=GAP)}
