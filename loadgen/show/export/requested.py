"""`--export`: which formats a command is to write, and where to. Knows no format and writes nothing.

Everything that can be wrong is found before the load: an unknown format, a package that is missing, a path that can't
be written.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from loadgen.model.exceptions import PlanError
from loadgen.model.extras import check_package
from loadgen.model.files import check_writable
from loadgen.model.options import option_named
from loadgen.show.export import EXPORTERS
from loadgen.show.export.exporter import Exporter

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
        if one.is_file and is_plain(Path(one.destination)):
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


def is_plain(path: Path) -> bool:
    """It is a file, or can become one: no pipe and no device, which are written as they stand."""
    return not os.path.lexists(path) or path.is_file() or path.is_dir()
