"""`pool:P`: P connections shared by all users."""

from __future__ import annotations

from typing import Any

from loadgen.model.policy.part import Part, RunConditions, Trait, whole_number
from loadgen.model.policy.parts.gap import GAP
from loadgen.model.policy.policy import FIFO, LIFO

_MAX_POOL = 100_000


def _parse(text: str) -> dict[str, Any]:
    size, _, order = text.partition(":")
    if order not in ("", LIFO, FIFO):
        raise ValueError(f"{order!r} is neither {LIFO} nor {FIFO}")
    return {"pool": whole_number(size, _MAX_POOL), "pool_order": order or LIFO}


def _objects(conditions: RunConditions) -> str | None:
    if conditions.processes > 1:
        return "shares one pool among all users; it can't be spread over --processes"
    return None


POOL = Trait(
    "a pool",
    lambda policy: policy.pool > 0 and not policy.coalesces,
    excludes={GAP.name: "the next user who needs a connection decides how long it rests; use --think"},
    objects=_objects,
)
PARTS = {
    "pool": Part(
        "P connections shared by all users; waiting for one is `queue`",
        parameter="P[:lifo|fifo]", example="pool:2", parse=_parse, trait=POOL,
        synonyms=("pooled", "shared", "connectionpool"),
    )
}  # fmt: skip
