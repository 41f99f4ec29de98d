"""`pipeline:D`: several HTTP/1.1 requests in flight on a connection (RFC 9112 §9.3.2)."""

from __future__ import annotations

from typing import Any

from loadgen.model.policy.part import Part, RunConditions, Trait, whole_number
from loadgen.model.policy.parts.gap import GAP, needs_users
from loadgen.model.policy.parts.http10 import HTTP10
from loadgen.model.policy.parts.ignore_close import IGNORE_CLOSE
from loadgen.model.policy.parts.pool import POOL
from loadgen.model.policy.parts.requests import SINGLE_USE
from loadgen.model.policy.protocols import HTTP1

_MAX_DEPTH = 1_000
NEVER_IDLE = "a connection with requests in flight is never idle"
NO_SECOND = "a second request would have no connection"


def parse_depth(text: str) -> dict[str, Any]:
    """How many requests are in flight on a connection."""
    return {"depth": whole_number(text, _MAX_DEPTH)}


def _objects(conditions: RunConditions) -> str | None:
    if not conditions.is_idempotent:
        return f"pipelines its requests, and {conditions.method} can't be pipelined (RFC 9112 §9.3.2)"
    if conditions.retries_stale:
        return "excludes --retry-stale: which of several in flight was lost is not known"
    return needs_users(conditions)


PIPELINING = Trait(
    "pipelining",
    lambda policy: policy.pipelines,
    excludes={
        SINGLE_USE.name: NO_SECOND,
        GAP.name: NEVER_IDLE,
        POOL.name: "a pooled connection serves one user at a time",
        IGNORE_CLOSE.name: "what follows a close in the pipeline fails anyway",
        HTTP10.name: "it came with HTTP/1.1, RFC 9112 §9.3.2",
    },
    objects=_objects,
)
PARTS = {
    "pipeline": Part(
        "D requests in flight on one connection, waiting behind others is `queue`",
        parameter="D", example="pipeline:3", parse=parse_depth, protocols=(HTTP1,), trait=PIPELINING,
        synonyms=("pipelining", "pipelined"),
    )
}  # fmt: skip
