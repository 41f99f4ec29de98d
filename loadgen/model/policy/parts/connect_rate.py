"""`connect-rate:R`: at most R new connections a second, as clients and gateways protect a server from a rush."""

from __future__ import annotations

from typing import Any

from loadgen.model.policy.part import Part, RunConditions, Trait, whole_number

_MAX_RATE = 100_000


def _parse(text: str) -> dict[str, Any]:
    return {"connects_per_s": whole_number(text, _MAX_RATE)}


def _objects(conditions: RunConditions) -> str | None:
    if conditions.processes > 1:
        return "limits the connections of all users together; it can't be spread over --processes"
    return None


PARTS = {
    "connect-rate": Part(
        "at most R new connections a second; waiting for one's turn is `queue`",
        parameter="R", example="close+connect-rate:50", parse=_parse,
        trait=Trait("a rate of connections", lambda policy: policy.connects_per_s > 0, objects=_objects),
        synonyms=("maxconnectrate", "newconnectionspersecond", "connectspersecond", "connectionrate"),
    )
}  # fmt: skip
