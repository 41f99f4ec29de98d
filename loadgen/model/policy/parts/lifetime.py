"""`lifetime:T`: no request begins on a connection older than T."""

from __future__ import annotations

from typing import Any

from loadgen.model.policy.part import Part, Trait, duration_ns
from loadgen.model.policy.parts.requests import SINGLE_USE
from loadgen.model.policy.policy import ConnectionUse, ReuseLimit


class Lifetime(ReuseLimit):
    """The age that a connection may have when a request begins."""

    __slots__ = ()
    noun = "lifetime"

    def allows(self, connection: ConnectionUse, now_ns: int) -> bool:
        return now_ns - connection.opened_ns < self.limit_ns


def _parse(text: str) -> dict[str, Any]:
    return {"limits": (Lifetime(duration_ns(text)),)}


LIFETIME = Trait(
    "a lifetime", lambda policy: policy.is_limited_by(Lifetime), {SINGLE_USE.name: "no connection lives that long"}
)
PARTS = {
    "lifetime": Part(
        "no request begins on a connection older than T", parameter="T", example="lifetime:10s", parse=_parse,
        trait=LIFETIME, synonyms=("maxage", "age", "ttl", "maxlifetime"),
    )
}  # fmt: skip
