"""Writes what `--export` asks for: to files, to standard output, to a URL. What was asked: show/export/requested.py."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from loadgen.cli import EXIT_DONE, Outcome
from loadgen.measure.data.store import RunStore
from loadgen.model.files import write_whole
from loadgen.show.export import EXPORTERS
from loadgen.show.export.exporter import Exporter, RunData
from loadgen.show.export.requested import STDOUT, Export, exports_of, is_plain


def write_exports(run: RunData, store: RunStore, options: Mapping[str, Any]) -> str:
    """Write them all; returns why one of them could not be written, empty where each was."""
    failures = []
    for one in exports_of(options):
        try:
            _write(one, run, store)
        except OSError as error:
            failures.append(f"--export {one.exporter.name}: {error.strerror or error}")
        if one.exporter.remarks is not None:
            sys.stderr.write(one.exporter.remarks(run))
    return "; ".join(failures)


def export_folder(directory: Path, name: str, path: Path) -> Outcome:
    """Write what lies in a folder, its samples too where the format is made of them. Raises PlanError."""
    store, exporter = RunStore(directory), EXPORTERS[name]
    summary = store.load_summary()
    samples = store.load_samples(tuple(summary["policies"])) if exporter.reads_samples else None
    with path.open("wb") as file:
        _fill(exporter, RunData(summary, samples, draws=False), file)
    return Outcome(EXIT_DONE, directory)


def _write(one: Export, run: RunData, store: RunStore) -> None:
    """Raises OSError."""
    exporter = one.exporter
    if one.is_url and exporter.send is not None:
        exporter.send(run, one.destination)
    elif one.destination == STDOUT:
        exporter.write(run, sys.stdout.buffer if exporter.is_binary else sys.stdout)
    elif not one.destination:
        write_whole(store.path(exporter.file_name), lambda file: _fill(exporter, run, file))
    elif exporter.appends_to or not is_plain(Path(one.destination)):
        with Path(one.destination).open("ab") as file:
            _fill(exporter, run, file)
    else:
        write_whole(Path(one.destination), lambda file: _fill(exporter, run, file))


def _fill(exporter: Exporter, run: RunData, file: BinaryIO) -> None:
    if exporter.is_binary:
        exporter.write(run, file)
        return
    text = io.TextIOWrapper(cast(io.BufferedWriter, file), encoding="utf-8", newline="")
    exporter.write(run, text)
    text.flush()
    text.detach()
