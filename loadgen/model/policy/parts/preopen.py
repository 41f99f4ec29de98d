"""`preopen:N`: N connections are open before the load begins, as a pool is filled when its program starts."""

from __future__ import annotations

from typing import Any

from loadgen.model.policy.part import Part, Trait, whole_number
from loadgen.model.policy.parts.requests import SINGLE_USE

_MAX_PREOPENED = 100_000


def _parse(text: str) -> dict[str, Any]:
    return {"preopened": whole_number(text, _MAX_PREOPENED)}


PREOPENING = Trait(
    "preopened connections", lambda policy: policy.preopened > 0, {SINGLE_USE.name: "no request would come to use them"}
)
PARTS = {
    "preopen": Part(
        "N connections are opened, and carry a request each, before a block begins",
        parameter="N", example="pool:2+preopen:2", parse=_parse, trait=PREOPENING,
        synonyms=("preconnect", "prefill", "warm", "minidle", "minimumidle", "prewarm"),
    )
}  # fmt: skip
