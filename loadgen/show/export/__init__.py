"""The formats in which a run leaves the program, one file each, and the list that commands and pages go by.

Knows no option and no page of its own: the command line and Locust's web UI offer what stands in EXPORTERS.
"""

from __future__ import annotations

from io import StringIO

from loadgen.measure.data.store import RunStore
from loadgen.show.export.csv import CSV
from loadgen.show.export.exporter import Exporter
from loadgen.show.export.exporter import RunData as RunData
from loadgen.show.export.exporter import Written as Written
from loadgen.show.export.github import GITHUB
from loadgen.show.export.hdr import HDR
from loadgen.show.export.html import HTML
from loadgen.show.export.json import JSON
from loadgen.show.export.junit import JUNIT
from loadgen.show.export.markdown import MARKDOWN
from loadgen.show.export.ndjson import NDJSON
from loadgen.show.export.openmetrics import OPENMETRICS
from loadgen.show.export.otlp import OTLP
from loadgen.show.export.parquet import PARQUET
from loadgen.show.export.prometheus import PROMETHEUS

# In the order of writing: where a disk fills up, what everything else can be drawn from comes first.
# A new format is a file beside these, and its name here.
_IN_ORDER = (
    *(JSON, HTML, MARKDOWN),
    *(CSV, PARQUET, NDJSON, HDR),
    *(PROMETHEUS, OPENMETRICS, OTLP),
    *(JUNIT, GITHUB),
)
EXPORTERS: dict[str, Exporter] = {one.name: one for one in _IN_ORDER}


def export_text(exporter: Exporter, run: RunData) -> str:
    """What the exporter writes, as one text. Not for one that is binary."""
    stream = StringIO()
    exporter.write(run, stream)
    return stream.getvalue()


def write_summary(store: RunStore, run: RunData) -> None:
    """Write the files that every run has. Raises OSError where the disk is full."""
    _write(store, run, Written.ALWAYS)


def write_report(store: RunStore, run: RunData) -> None:
    """Write the charts that say something about the run, and the pages made of them. Raises as above."""
    for name, files in run.charts.items():
        for ending, content in files.items():
            store.write_bytes(f"{name}.{ending}", content)
    _write(store, run, Written.UNLESS_NO_CHARTS)


def _write(store: RunStore, run: RunData, when: Written) -> None:
    for exporter in EXPORTERS.values():
        if exporter.written is when:
            store.write_text(exporter.file_name, export_text(exporter, run))
