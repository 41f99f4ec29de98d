"""Probes: messages that a connection must survive. In the order of the table."""

from __future__ import annotations

from loadgen.probe.messages.bytes_behind import BYTES_BEHIND
from loadgen.probe.messages.expect_continue import EXPECT_CONTINUE
from loadgen.probe.messages.half_close import HALF_CLOSE
from loadgen.probe.messages.head_keeps_step import HEAD_KEEPS_STEP
from loadgen.probe.messages.no_content import NO_CONTENT
from loadgen.probe.messages.oversized_body import OVERSIZED_BODY
from loadgen.probe.messages.pipelining import PIPELINING
from loadgen.probe.messages.response_end import RESPONSE_END
from loadgen.probe.messages.unread_body import UNREAD_BODY
from loadgen.probe.probe import Probe

PROBES: tuple[Probe, ...] = (
    RESPONSE_END,
    HEAD_KEEPS_STEP,
    NO_CONTENT,
    PIPELINING,
    EXPECT_CONTINUE,
    UNREAD_BODY,
    OVERSIZED_BODY,
    BYTES_BEHIND,
    HALF_CLOSE,
)
