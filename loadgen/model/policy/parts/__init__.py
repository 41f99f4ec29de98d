"""Every part of a policy, by its word, in the order in which people are shown them."""

from __future__ import annotations

from loadgen.model.policy.part import Part
from loadgen.model.policy.parts.abandon import PARTS as ABANDON
from loadgen.model.policy.parts.coalesce import PARTS as COALESCE
from loadgen.model.policy.parts.connect_rate import PARTS as CONNECT_RATE
from loadgen.model.policy.parts.early_data import PARTS as EARLY_DATA
from loadgen.model.policy.parts.gap import PARTS as GAP
from loadgen.model.policy.parts.honour import PARTS as HONOUR
from loadgen.model.policy.parts.http2 import PARTS as HTTP2
from loadgen.model.policy.parts.http10 import PARTS as HTTP10
from loadgen.model.policy.parts.ignore_close import PARTS as IGNORE_CLOSE
from loadgen.model.policy.parts.lifetime import PARTS as LIFETIME
from loadgen.model.policy.parts.max_idle import PARTS as MAX_IDLE
from loadgen.model.policy.parts.pipeline import PARTS as PIPELINE
from loadgen.model.policy.parts.pool import PARTS as POOL
from loadgen.model.policy.parts.preopen import PARTS as PREOPEN
from loadgen.model.policy.parts.requests import PARTS as REQUESTS
from loadgen.model.policy.parts.resolve import PARTS as RESOLVE
from loadgen.model.policy.parts.resume import PARTS as RESUME
from loadgen.model.policy.parts.tcp import PARTS as TCP
from loadgen.model.policy.parts.websocket import PARTS as WEBSOCKET

PARTS: dict[str, Part] = {
    **REQUESTS,
    **LIFETIME,
    **MAX_IDLE,
    **HONOUR,
    **GAP,
    **POOL,
    **PREOPEN,
    **CONNECT_RATE,
    **ABANDON,
    **HTTP10,
    **PIPELINE,
    **WEBSOCKET,
    **HTTP2,
    **COALESCE,
    **IGNORE_CLOSE,
    **RESUME,
    **EARLY_DATA,
    **RESOLVE,
    **TCP,
}
