"""Plan files: options read from TOML or from an earlier run, which those that are given elsewhere override.

Keys are the names of the options. Files that a plan names lie where it says, seen from the plan's own folder.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from loadgen.cli.plan_writer import plan_keys
from loadgen.cli.run_length import LENGTH
from loadgen.cli.run_validation import recorded_plan
from loadgen.cli.target_names import with_first_url
from loadgen.model import options
from loadgen.model.body_file import long_file
from loadgen.model.exceptions import PlanError
from loadgen.model.input_files import read_input
from loadgen.model.option import COMPARE, SWEEP, Option
from loadgen.model.options import options_of
from loadgen.model.redaction import is_redacted_field
from loadgen.model.request_body import read_body

_BODY = "data-base64"
_MAX_PLAN_BYTES = 128 << 20  # the longest body in base64, and all else
# An option that is given displaces these of the plan file.
_DISPLACES = {
    "url": ("tls", "target"),
    "target": ("url", "tls"),
    "cacert": ("insecure",),
    "insecure": ("cacert",),
    "users": ("rate", "arrivals", "max_connections"),
    "rate": ("users",),
    "duration": ("until_precision", "max_time"),
    "until_precision": ("duration",),
}


class PlanFile(NamedTuple):
    """What a plan file says."""

    values: Mapping[str, Any] = {}
    """Values of options, by name."""
    is_run: bool = False
    """It is the record of a run, which leaves credentials out."""


def read_plan(path: Path, command: str) -> PlanFile:
    """The options that a TOML file or an earlier run gives to a command. Raises PlanError."""
    # Not path.is_dir(), which raises where the name is too long; opening it says so in one line.
    is_run = os.path.isdir(path) or path.suffix == ".json"  # noqa: PTH112
    keys = _run_keys(path) if is_run else _toml_keys(path)
    return PlanFile(OptionReader(str(path), path.parent, command).values(keys), is_run)


def merge(values: dict[str, Any], given: Mapping[str, Any], file: PlanFile | Mapping[str, Any]) -> dict[str, Any]:
    """The values of options: those that are given, then the plan file's, then the defaults. Raises PlanError."""
    if "users" in given and "rate" in given:
        raise PlanError("--users is for a closed loop; with --rate the arrivals decide, so give one of them")
    plan = file if isinstance(file, PlanFile) else PlanFile(file)
    displaced = {other for name in _DISPLACES.keys() & given.keys() for other in _DISPLACES[name]}
    displaced |= _displaced_length(given, plan.values)
    from_file = {name: value for name, value in plan.values.items() if name not in displaced | given.keys()}
    user = given.get("user", plan.values.get("user"))
    header = _headers(plan, (*given.get("header", ()), *((user,) if user else ())))
    return with_first_url(values | from_file | {"header": header})


def _displaced_length(given: Mapping[str, Any], from_file: Mapping[str, Any]) -> set[str]:
    """Of the three options that say how long a run is, two decide; so a third of the file's gives way."""
    if given.keys().isdisjoint(LENGTH) or not (given.keys() | from_file.keys()).issuperset(LENGTH):
        return set()
    order = ("rounds", "block") if "duration" in given else ("duration", "rounds", "block")
    return {next((name for name in order if name not in given), "")}


def _headers(plan: PlanFile, given: tuple[str, ...]) -> tuple[str, ...]:
    """Those that are given replace the plan file's of the same names, the others stay."""
    replaced = {_field_name(line) for line in given}
    kept = tuple(line for line in plan.values.get("header", ()) if _field_name(line) not in replaced)
    for line in kept if plan.is_run else ():
        name, _, value = line.partition(":")
        if is_redacted_field(value.strip()):
            raise PlanError(f"the run did not record its credential {name}; give it again with -H '{name}: ...'")
    return kept + given


def _field_name(line: str) -> str:
    return line.partition(":")[0].strip().lower()


class OptionReader:
    """Turns keys with values into a command's options; complains by `where` and key.

    names: the keys that a complaint offers, where they are not all that a plan file may have.
    """

    def __init__(self, where: str, folder: Path, command: str, names: Sequence[str] = ()) -> None:
        self._where = where
        self._names = names
        self._folder = folder
        self._options = {option.key: option for option in options_of(command) if option.in_plan_file}
        self._plurals = {option.plural: option.key for option in self._options.values() if option.plural}

    def values(self, keys: Mapping[str, Any]) -> dict[str, Any]:
        """The options' values, by name. Raises PlanError."""
        found: dict[str, Any] = {}
        for written, value in keys.items():
            name, converted = self._one(written, value)
            if name in found:
                raise PlanError(f"{self._where}: {written!r} says again what stands there already")
            found[name] = converted
        if "url" in found and "target" in found:
            raise PlanError(f"{self._where}: url and targets both say where requests go; leave one of them out")
        return found

    def _one(self, written: str, value: Any) -> tuple[str, Any]:
        key = written.replace("_", "-")
        if key == _BODY:
            return "data", self._base64(written, value)
        option = self._options.get(self._plurals.get(key, key))
        if option is None:
            raise PlanError(f"{self._where}: the key {written!r} {self._hint(key, written)}")
        raw = self._checked(written, value, option)
        if option.name == "data":
            # A file's text is UTF-8 whatever the shell's encoding is.
            if not raw.startswith("@"):
                return "data", raw.encode("utf-8")
            named = f"@{self._folder / raw[1:]}"
            return "data", named if long_file(named) else read_body(named)
        try:
            if isinstance(raw, tuple):
                found = tuple(map(option.type.read, raw))
            else:
                found = option.type.read(raw) if isinstance(raw, str) else raw
            return option.name, option.type.from_folder(found, self._folder)
        except ValueError as error:
            raise PlanError(f"{self._where}: {written}: {error}") from None

    def _checked(self, key: str, value: Any, option: Option) -> Any:
        """The value as the option's type reads it, where it is of the right kind."""
        kind = option.type
        if isinstance(value, dict):
            value = kind.of_table(value)
        if isinstance(value, list) and option.is_axis and not kind.is_list:
            raise PlanError(f"{self._where}: {key!r} as a list is for loadgen sweep")
        takes_list = kind.is_list or kind.is_repeated
        types = kind.file_types
        items = value if takes_list and isinstance(value, list) else [value]
        # To Python, true is a whole number.
        if not all(isinstance(one, types) and (not isinstance(one, bool) or types == (bool,)) for one in items):
            more = ", or a list of such" if takes_list else ""
            if kind.holds_secrets:
                raise PlanError(f"{self._where}: {key} is not a text; write {kind.file_words}{more}")
            shown = json.dumps(value, default=str, ensure_ascii=False)
            raise PlanError(f"{self._where}: {key} is {shown}; write {kind.file_words}{more}")
        if kind.is_repeated:
            return tuple(items)
        if kind.is_list:
            return ",".join(str(one) for one in items)
        return value if isinstance(value, bool) else str(value)

    def _base64(self, key: str, value: Any) -> bytes:
        import base64
        import binascii

        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise PlanError(f"{self._where}: {key} is not base64") from None

    def _hint(self, key: str, written: str) -> str:
        other = {name: one for one in options.OPTIONS if one.in_plan_file for name in (one.key, one.plural)}.get(key)
        if other is not None and SWEEP in other.commands:
            return "is for loadgen sweep"
        if other is not None and COMPARE in other.commands:
            return "is for loadgen compare"
        now = {one.renamed: one.key for one in options.OPTIONS if one.renamed and one.commands}
        if key in now:
            return f"is called {now[key]!r} now"
        known = self._names or [*self._options, *self._plurals, _BODY]
        near = difflib.get_close_matches(written, known, n=1)
        return f"is unknown; did you mean {near[0]!r}?" if near else f"is unknown; choose from {', '.join(known)}"


def _toml_keys(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(read_input(path, "--plan", _MAX_PLAN_BYTES).decode("utf-8"))
    except PlanError:  # which is a ValueError
        raise
    except UnicodeDecodeError:
        raise PlanError(f"--plan {path} is not TOML: it is not in UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise PlanError(f"--plan {path} is not TOML: {error}") from None


def _run_keys(path: Path) -> dict[str, Any]:
    """The plan that a run recorded: in its folder, its run.json or its summary.json."""
    if os.path.isdir(path):  # noqa: PTH112 # as above
        names: Iterable[str] = ("run.json", "summary.json")
        file = next((path / name for name in names if (path / name).is_file()), None)
        if file is None:
            raise PlanError(f"--plan {path} holds no run (run.json is missing)")
        path = file
    try:
        found = json.loads(read_input(path, "--plan", _MAX_PLAN_BYTES).decode("utf-8"))
    except PlanError:  # which is a ValueError
        raise
    except json.JSONDecodeError as error:
        raise PlanError(f"--plan {path} is not JSON, seen from line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError):
        raise PlanError(f"--plan {path} is not JSON") from None
    plan, embedded = recorded_plan(found, f"--plan {path}")
    return plan_keys(replace(plan, server_pid=None), embedded)
