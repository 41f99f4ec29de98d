"""`abandon`: the client closes without announcing it."""

from __future__ import annotations

from loadgen.model.policy.part import Part
from loadgen.model.policy.parts.requests import ONCE, SINGLE_USE

PARTS = {
    "abandon": Part(
        "the client closes without announcing it; used alone, after each request",
        {"announces": False}, ONCE, trait=SINGLE_USE,
        synonyms=("abort", "drop", "closeunannounced"),
    )
}  # fmt: skip
