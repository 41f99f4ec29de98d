"""`summary.json`: every number of a run, as docs/summary.schema.json describes it."""

from __future__ import annotations

from typing import TextIO

from loadgen.measure.data.store import SUMMARY_FILE, RunStore
from loadgen.show.export.exporter import Exporter, RunData, Written


def _write(run: RunData, stream: TextIO) -> None:
    stream.write(RunStore.to_text(run.summary))


JSON = Exporter(
    name="json",
    file_name=SUMMARY_FILE,
    title="summary",
    help="Every number of the run.",
    written=Written.ALWAYS,
    write=_write,
)
