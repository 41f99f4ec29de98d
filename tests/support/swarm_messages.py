"""What a worker sends to the coordinating process, of the right form: a file of samples, a block report, messages."""

from __future__ import annotations

import copy
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import loadgen.swarm.messages as messages
from loadgen.measure.data.npz import SAMPLES_FILE
from loadgen.measure.data.recorder import BLOCKS_FILE
from loadgen.measure.live.block_report import RowReader, block_report
from tests.support.synthetic import RunWriter, full_run

POLICIES = ("persistent", "close")
USER_CLASS = "Alternating"


@cache
def sample_file(rounds: int = 1) -> bytes:
    """The file of samples of a run under both policies."""
    with tempfile.TemporaryDirectory() as folder:
        full_run(Path(folder) / "r", rounds=rounds).settle()
        return (Path(folder) / "r" / SAMPLES_FILE).read_bytes()


def sent_report() -> dict[str, Any]:
    """The report of a run's first block, under the policy `persistent`."""
    return copy.deepcopy(_report())


@cache
def _report() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "r"
        writer: RunWriter = full_run(folder, "persistent", rounds=1)
        exchanges, connections = writer.recorder.exchanges, writer.recorder.connections
        writer.recorder.close()
        *_, last = (folder / BLOCKS_FILE).read_text(encoding="utf-8").splitlines()
        facts = json.loads(last)
        del facts["row_bytes"]
        rows = RowReader(folder).read(exchanges, connections)
        return {"user_class": USER_CLASS, **block_report(facts, *rows, POLICIES)}


def sent(run: str = "r") -> dict[str, dict[str, Any]]:
    """A message of each kind that a worker sends."""
    observed = {
        "address": "127.0.0.1", "port": 80, "http_version": "1.1", "status": 200, "server": None,
        "keep_alive_timeout_s": 5, "keep_alive_max": None, "tls": {"version": "TLSv1.3", "cipher": None, "group": None},
    }  # fmt: skip
    return {
        messages.HELLO: {"version": "1"},
        messages.NOTICE: {"run": run, "observed": observed, "warning": {"code": "c", "message": "m"}},
        messages.CLOCK_ANSWER: {"asked_ns": 1, "clock_ns": 2, "clock_id": "c"},
        messages.BLOCK_READY: {"run": run, "round": 0, "turn": 1},
        messages.BLOCK_DONE: {
            "run": run,
            "round": 0,
            "turn": 1,
            "late_ns": 0,
            "waited_ns": 0,
            "users": {"One": 1},
            "has_run": True,
        },
        messages.SAMPLE_PIECE: {"run": run, "file": 0, "piece": b"x"},
        messages.WORKER_DONE: {"run": run, "files": 1, "reports": [sent_report()]},
        messages.WORKER_FAILED: {"run": run, "message": "m"},
        messages.BLOCK_REPORTS: {"run": run, "reports": [sent_report()]},
    }
