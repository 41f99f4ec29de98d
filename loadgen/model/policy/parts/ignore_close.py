"""`ignore-close`: the client uses a connection on after the server has announced or done its close."""

from __future__ import annotations

from loadgen.model.policy.part import Part, Trait
from loadgen.model.policy.parts.requests import SINGLE_USE
from loadgen.model.policy.protocols import HTTP1

IGNORE_CLOSE = Trait(
    "ignoring close", lambda policy: not policy.honours_close, {SINGLE_USE.name: "nothing would be retried"}
)
PARTS = {
    "ignore-close": Part(
        "uses a connection on, whatever the server announced or did, until that fails",
        {"honours_close": False}, protocols=(HTTP1,), trait=IGNORE_CLOSE,
    )
}  # fmt: skip
