"""`honour`: the client closes a connection before the server's announced idle timeout does (`Keep-Alive: timeout`)."""

from __future__ import annotations

from typing import Any

from loadgen.model.policy.part import Part, Trait, duration_ns
from loadgen.model.policy.parts.requests import SINGLE_USE
from loadgen.model.policy.policy import ConnectionUse, ReuseLimit
from loadgen.model.policy.protocols import HTTP1
from loadgen.model.units import NS_PER_S

# Longer than a round trip, within which the server's close and a request cross, and than what a server's timers are
# early by; shorter than a second, the shortest time that the field can announce, so that some reuse is left.
_USUAL_MARGIN = "500ms"


class Honour(ReuseLimit):
    """The time that the server announced, less a margin: `limit_ns`. Without an announcement there is no limit."""

    __slots__ = ()
    noun = "announced idle timeout, less the margin,"
    is_of_idle_time = True

    def allows(self, connection: ConnectionUse, now_ns: int) -> bool:
        if connection.busy:
            return True
        longest_ns = self.longest_ns(connection.keep_alive_timeout_s)
        return longest_ns is None or now_ns - connection.idle_since_ns < longest_ns

    def longest_ns(self, announced_s: int | None) -> int | None:
        return None if announced_s is None else max(0, announced_s * NS_PER_S - self.limit_ns)


def _parse(text: str) -> dict[str, Any]:
    return {"limits": (Honour(duration_ns(text)),)}


PARTS = {
    "honour": Part(
        "the client closes a connection T before the server would, by its `Keep-Alive: timeout`; T is 500ms by default",
        parameter="T", omitted=_USUAL_MARGIN, parse=_parse, protocols=(HTTP1,),
        trait=Trait(
            "an announced idle timeout", lambda policy: policy.is_limited_by(Honour),
            {SINGLE_USE.name: "no connection is ever idle"},
        ),
        synonyms=("honor", "honours", "obey", "keepalivehint", "respect"),
    )
}  # fmt: skip
