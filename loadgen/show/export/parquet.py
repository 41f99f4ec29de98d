"""`samples.parquet`: one row a counted request, for pandas, Polars, DuckDB and Spark. Needs pyarrow.

Columns are those of `SampleTable`: int64 or names as dictionaries, absent is null. The run's name, and its plan as
JSON, are in the file's metadata.
"""

from __future__ import annotations

import json
from typing import BinaryIO

from loadgen.show.export.exporter import Exporter, RunData, Written
from loadgen.show.export.sample_rows import TEXT_COLUMNS, column_names, pieces


def _write(run: RunData, stream: BinaryIO) -> None:
    import pyarrow
    import pyarrow.parquet

    words = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    types = {name: words if name in TEXT_COLUMNS else pyarrow.int64() for name in column_names(run)}
    about = {"loadgen.run": run.summary["run"], "loadgen.plan": json.dumps(run.summary["plan"])}
    schema = pyarrow.schema(types.items(), metadata=about)
    with pyarrow.parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        for piece in pieces(run):
            columns = [pyarrow.array(values, types[name]) for name, values in piece.items()]
            writer.write_table(pyarrow.Table.from_arrays(columns, schema=schema))


PARQUET = Exporter(
    name="parquet",
    file_name="samples.parquet",
    title="samples as Parquet",
    help="The samples as columns, for data frames.",
    written=Written.ON_REQUEST,
    write=_write,
    reads_samples=True,
    is_binary=True,
    needs="pyarrow",
    extra="parquet",
)
