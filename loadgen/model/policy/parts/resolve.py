"""`resolve`: the name is looked up for each connection."""

from __future__ import annotations

from loadgen.model.policy.part import Part
from loadgen.model.policy.parts.requests import ONCE, SINGLE_USE

PARTS = {
    "resolve": Part(
        "DNS again for each connection; a new one each request by itself", {"resolves": True}, ONCE, trait=SINGLE_USE
    )
}
