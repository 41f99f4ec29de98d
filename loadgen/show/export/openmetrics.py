"""`metrics.om`: the run's metrics as OpenMetrics 1.0 text."""

from __future__ import annotations

from typing import TextIO

from loadgen.show.export.exporter import Exporter, RunData, Written
from loadgen.show.export.exposition import exposition


def _write(run: RunData, stream: TextIO) -> None:
    stream.writelines(exposition(run.summary, is_open_metrics=True))


OPENMETRICS = Exporter(
    name="openmetrics",
    file_name="metrics.om",
    title="metrics as OpenMetrics",
    help="Metrics of each policy as OpenMetrics text.",
    written=Written.ON_REQUEST,
    write=_write,
)
