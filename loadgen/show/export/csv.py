"""`samples.csv`: one line a counted request (RFC 4180, but for the line's end, which is LF), under one of names.

Columns are those of `SampleTable`, with the unit in the name. What is absent is an empty field.
"""

from __future__ import annotations

import csv
from typing import TextIO

from loadgen.show.export.exporter import Exporter, RunData, Written
from loadgen.show.export.sample_rows import column_names, pieces


def _write(run: RunData, stream: TextIO) -> None:
    lines = csv.writer(stream, lineterminator="\n")
    lines.writerow(column_names(run))
    for piece in pieces(run):
        lines.writerows(zip(*piece.values(), strict=True))  # None becomes an empty field


CSV = Exporter(
    name="csv",
    file_name="samples.csv",
    title="samples as CSV",
    help="One line a request, in nanoseconds.",
    written=Written.ON_REQUEST,
    write=_write,
    reads_samples=True,
)
