"""`resolve`: the name is looked up for each connection."""

from __future__ import annotations

from loadgen.model.policy.part import Part, RunConditions, Trait
from loadgen.model.policy.parts.requests import ONCE


def _objects(conditions: RunConditions) -> str | None:
    if conditions.peer_is_address:
        return f"looks a name up, and {conditions.peer} is an address already"
    return None


LOOK_UPS = Trait("a look-up for each connection", lambda policy: policy.resolves, objects=_objects)
PARTS = {
    "resolve": Part(
        "DNS again for each connection; used alone, a new one each request", {"resolves": True}, ONCE, trait=LOOK_UPS,
        synonyms=("dns", "lookup"),
    )
}  # fmt: skip
