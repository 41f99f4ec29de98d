"""`metrics.prom`: the run's metrics in Prometheus' text format 0.0.4, as node_exporter's textfile collector reads."""

from __future__ import annotations

from typing import TextIO

from loadgen.show.export.exporter import Exporter, RunData, Written
from loadgen.show.export.exposition import exposition


def _write(run: RunData, stream: TextIO) -> None:
    stream.writelines(exposition(run.summary, is_open_metrics=False))


PROMETHEUS = Exporter(
    name="prometheus",
    file_name="metrics.prom",
    title="metrics for Prometheus",
    help="Metrics of each policy in Prometheus' text format.",
    written=Written.ON_REQUEST,
    write=_write,
)
