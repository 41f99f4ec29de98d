"""The kinds of messages between the coordinating process and its workers; a local runner sends them to itself.

FORMS says what a worker's messages hold. They come over a network, so each is held against its form before it is used.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from loadgen.measure.live.block_report import BlockReport
from loadgen.model.run_record import RunWarning, TargetRecord

# From a worker to the coordinating process
HELLO = "loadgen_hello"  # a worker has connected
CLOCK_ANSWER = "loadgen_clock_answer"
NOTICE = "loadgen_notice"  # what it observed of the target, or a warning for the report
BLOCK_READY = "loadgen_block_ready"  # only START_BLOCK is missing
BLOCK_DONE = "loadgen_block_done"
SAMPLE_PIECE = "loadgen_sample_piece"
WORKER_DONE = "loadgen_worker_done"  # everything is handed over
WORKER_FAILED = "loadgen_worker_failed"

# From the coordinating process to a worker
BEGIN_RUN = "loadgen_begin_run"
# {run, plan, class_policies, scenarios, directory, monitors, wants_reports, max_samples}
CLOCK_QUESTION = "loadgen_clock_question"  # {asked_ns}
RUN_BLOCK = "loadgen_run_block"
# {run, round, turn, begins_round, users_wait_s: for users that have not begun yet,
#  blocks: {user class: [index, policy]}, waits: for START_BLOCK}
START_BLOCK = "loadgen_start_block"  # {run, round, turn, start_ns: by the worker's clock, clock: {offset_ns, error_ns}}
CUT_BLOCK = "loadgen_cut_block"  # {run}: end the block under way now
END_RUN = "loadgen_end_run"  # {run}: hand over the samples
PIECE_RECEIVED = "loadgen_piece_received"  # {run}
WORKER_REFUSED = "loadgen_worker_refused"  # {message}

BLOCK_REPORTS = "loadgen"
"""The key of block reports in Locust's own reports to the master."""

PIECE_BYTES = 1 << 20
"""The longest piece of samples in a message."""


class Hello(TypedDict):
    """HELLO"""

    version: str


class Notice(TypedDict):
    """NOTICE: one of the two"""

    run: str
    observed: NotRequired[TargetRecord]
    origin: NotRequired[str]
    """Whose it is, where that is an origin other than the target's."""
    warning: NotRequired[RunWarning]


class ClockAnswer(TypedDict):
    """CLOCK_ANSWER"""

    asked_ns: int
    """As in the question: the coordinating process's clock."""
    clock_ns: int
    """The worker's monotonic clock."""
    clock_id: str | None
    """What identifies that clock; null where the system does not say."""


class BlockReady(TypedDict):
    """BLOCK_READY"""

    run: str
    round: int
    turn: int


class BlockDone(TypedDict):
    """BLOCK_DONE"""

    run: str
    round: int
    turn: int
    late_ns: int
    """By how much its load began later than it was to (ns)."""
    waited_ns: int
    """How long it waited for users that had not begun yet, before it was ready (ns)."""
    users: dict[str, int]
    """How many users of each class made load in it here."""
    has_run: bool
    """A user class has run its block; one without users runs none."""


class SamplePiece(TypedDict):
    """SAMPLE_PIECE"""

    run: str
    file: int
    """Its number: a worker has one file for each user class."""
    piece: bytes
    """The next bytes of it; empty at its end."""


class WorkerDone(TypedDict):
    """WORKER_DONE"""

    run: str
    files: int
    reports: list[BlockReport]


class WorkerFailed(TypedDict):
    """WORKER_FAILED"""

    run: str
    message: str


class ReportedBlocks(TypedDict):
    """BLOCK_REPORTS"""

    run: str
    reports: list[BlockReport]


FORMS: dict[str, Any] = {
    HELLO: Hello,
    CLOCK_ANSWER: ClockAnswer,
    NOTICE: Notice,
    BLOCK_READY: BlockReady,
    BLOCK_DONE: BlockDone,
    SAMPLE_PIECE: SamplePiece,
    WORKER_DONE: WorkerDone,
    WORKER_FAILED: WorkerFailed,
    BLOCK_REPORTS: ReportedBlocks,
}
VITAL = frozenset({BLOCK_READY, BLOCK_DONE, SAMPLE_PIECE, WORKER_DONE, WORKER_FAILED})
"""Without these a run would wait for the worker, or lack samples: a worker whose message is none is left out."""
