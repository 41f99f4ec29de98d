"""`max-idle:T`: the client closes a connection that it has not used for T."""

from __future__ import annotations

from typing import Any

from loadgen.model.policy.part import Part, Trait, duration_ns
from loadgen.model.policy.parts.requests import SINGLE_USE
from loadgen.model.policy.policy import ConnectionUse, ReuseLimit


class MaxIdle(ReuseLimit):
    """How long a connection may be unused: keepalive_expiry of httpcore, IdleConnTimeout of Go."""

    __slots__ = ()
    noun = "idle limit"
    is_of_idle_time = True

    def allows(self, connection: ConnectionUse, now_ns: int) -> bool:
        return connection.busy or now_ns - connection.idle_since_ns < self.limit_ns


def _parse(text: str) -> dict[str, Any]:
    return {"limits": (MaxIdle(duration_ns(text)),)}


PARTS = {
    "max-idle": Part(
        "the client closes a connection that it has not used for T", parameter="T", example="max-idle:5s", parse=_parse,
        trait=Trait(
            "a longest idle time", lambda policy: policy.is_limited_by(MaxIdle),
            {SINGLE_USE.name: "no connection is ever idle"},
        ),
        synonyms=("idletimeout", "maxidletime", "idleconntimeout", "keepaliveexpiry", "keepalivetimeout"),
    )
}  # fmt: skip
