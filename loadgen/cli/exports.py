"""`--export`: which formats a command is to write, and where to. Knows no format; `show/export` has them.

Everything that can be wrong is found before the load: an unknown format, a package that is missing, a path that can't
be written.
"""

from __future__ import annotations

import difflib
import io
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from loadgen.cli import EXIT_DONE, Outcome
from loadgen.cli.extras import check_package
from loadgen.measure.data.store import RunStore
from loadgen.model.exceptions import PlanError
from loadgen.model.files import check_writable, write_whole
from loadgen.model.options import option_named
from loadgen.show.export import EXPORTERS
from loadgen.show.export.exporter import Exporter, RunData

STDOUT = "-"


@dataclass(frozen=True, slots=True)
class Export:
    """One `--export`."""

    exporter: Exporter
    destination: str
    """A path, a URL, `-` for standard output; empty for the format's file in the run's folder."""

    @property
    def is_url(self) -> bool:
        return self.exporter.send is not None and self.destination.startswith(("http://", "https://"))

    @property
    def is_file(self) -> bool:
        """Its path was given."""
        return bool(self.destination) and self.destination != STDOUT and not self.is_url


def exports_of(options: Mapping[str, Any]) -> list[Export]:
    """What the option says. Raises PlanError where a format is unknown."""
    given = options.get("export") or ()
    return [_export(text) for text in ([given] if isinstance(given, str) else given)]


def writes_to_stdout(options: Mapping[str, Any]) -> bool:
    """Standard output is for an export, and nothing else may be there."""
    return any(one.destination == STDOUT for one in exports_of(options))


def check_exports(options: Mapping[str, Any]) -> None:
    """Raise PlanError, with one line, where an export is sure to fail, or no port has such a number."""
    exports = exports_of(options)
    if options.get("metrics_port") is not None:
        option_named("metrics_port").check_range(options["metrics_port"])
    for one in exports:
        if one.exporter.needs:
            check_package(f"--export {one.exporter.name}", one.exporter.needs, one.exporter.extra)
        if one.is_url:
            _check_url(one.destination)
        if one.is_file and _is_plain(Path(one.destination)):
            check_writable(Path(one.destination), "--export")
        if one.destination == STDOUT and one.exporter.is_binary and sys.stdout.isatty():
            raise PlanError(f"--export {one.exporter.name}=- is binary, and standard output is a terminal; give a path")
    to_stdout = [one.exporter.name for one in exports if one.destination == STDOUT]
    others = to_stdout[1:] or (["--json"] if to_stdout and options.get("json") else [])
    if others:
        raise PlanError(f"--export {to_stdout[0]}=- and {others[0]} would both be on standard output; give one a path")
    places = [one.destination or one.exporter.file_name for one in exports if one.destination != STDOUT]
    twice = next((place for place in places if places.count(place) > 1), None)
    if twice:
        raise PlanError(f"--export writes {twice} twice; give one of them another path")


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


def _export(text: str) -> Export:
    name, _, destination = text.partition("=")
    exporter = EXPORTERS.get(name)
    if exporter is None:
        near = difflib.get_close_matches(name, EXPORTERS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(EXPORTERS)}"
        raise PlanError(f"--export {text!r}: there is no format {name!r}; {hint}")
    if "\0" in destination or ("=" in text and not destination):
        raise PlanError(f"--export {text!r}: give a path after the =, or leave the = out")
    if not destination and exporter.appends_to:
        destination = os.environ.get(exporter.appends_to, "")
        if not destination:
            raise PlanError(f"--export {name}: {exporter.appends_to} is not set; give a path: --export {name}=PATH")
    return Export(exporter, destination)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or "@" in parts.netloc:
        raise PlanError("--export: the URL is not http[s]://host[:port][/path]; credentials go into the environment")


def _is_plain(path: Path) -> bool:
    """It is a file, or can become one: no pipe and no device, which are written as they stand."""
    return not os.path.lexists(path) or path.is_file() or path.is_dir()


def _write(one: Export, run: RunData, store: RunStore) -> None:
    """Raises OSError."""
    exporter = one.exporter
    if one.is_url and exporter.send is not None:
        exporter.send(run, one.destination)
    elif one.destination == STDOUT:
        exporter.write(run, sys.stdout.buffer if exporter.is_binary else sys.stdout)
    elif not one.destination:
        write_whole(store.path(exporter.file_name), lambda file: _fill(exporter, run, file))
    elif exporter.appends_to or not _is_plain(Path(one.destination)):
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
