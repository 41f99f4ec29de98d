"""`run.ndjson`: a run as lines of JSON, each with its `type`: `run`, then `block`, `sample`, `warning`, and `end`.

A `sample` has the columns of `SampleTable`; a `block` is one of the summary's `blocks`. What is absent is null. Before
all that come the lines `block_ended`, where the lines go to standard output while the run goes on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TextIO

from loadgen.measure.data.latency_totals import BlockLatency
from loadgen.model.characters import json_escaped
from loadgen.show.export.exporter import Exporter, RunData, Written
from loadgen.show.export.sample_rows import pieces


def block_ended(block: BlockLatency, index: int) -> str:
    """The line of a block that has just ended: complete requests of its window, and their mean latency (ns)."""
    values = {"index": index, "round": block.round, "policy": block.policy, "requests": block.requests}
    return _line("block_ended", {**values, "latency_mean_ns": block.mean_ns})


def _write(run: RunData, stream: TextIO) -> None:
    summary = run.summary
    about = {"schema": summary["schema"], "run": summary["run"], "plan": summary["plan"]}
    stream.write(_line("run", {**about, "environment": summary["environment"]}))
    for block in summary["blocks"]:
        stream.write(_line("block", block))
    for piece in pieces(run):
        for row in zip(*piece.values(), strict=True):
            stream.write(_line("sample", dict(zip(piece, row, strict=True))))
    for warning in summary["warnings"]:
        stream.write(_line("warning", warning))
    stream.write(_line("end", {"verdict": summary["verdict"]}))


def _line(kind: str, values: Mapping[str, object]) -> str:
    return json_escaped(json.dumps({"type": kind, **values}, ensure_ascii=False, allow_nan=False)) + "\n"


NDJSON = Exporter(
    name="ndjson",
    file_name="run.ndjson",
    title="samples and events as NDJSON",
    help="Run, blocks, samples and warnings as lines of JSON.",
    written=Written.ON_REQUEST,
    write=_write,
    reads_samples=True,
)
