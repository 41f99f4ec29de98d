"""Plan files: options read from TOML or from an earlier run, as defaults that the command line overrides.

Keys are the names of the options. Files that a plan names lie where it says, seen from the plan's own folder.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from loadgen.cli.option_types import Amount, Duration, Gap, Listed
from loadgen.cli.options import read_data
from loadgen.cli.plan_writer import plan_keys
from loadgen.cli.run_validation import recorded_plan
from loadgen.model.cell import Axes
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import HIDDEN

_ALIASES = {"headers": "header", "source-ips": "source-ip"}
_BODY = "data-base64"
_PROCESSES = "processes"
_NOT_IN_A_PLAN = {"plan", "save-plan", "dry-run", "resume"}
# An option given on the command line stands in the way of these of the file.
_DISPLACES = {
    "url": ("tls",),
    "cacert": ("insecure",),
    "insecure": ("cacert",),
    "users": ("rate", "arrivals", "max_connections"),
    "rate": ("users",),
}
_AXES = {axis.name for axis in fields(Axes)}
_HEADERS = f"{__name__}.headers"


def read_plan(ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """The callback of --plan, eager: what the file says becomes the other options' defaults. Raises PlanError."""
    if value is None or ctx.resilient_parsing:
        return value
    path = Path(value)
    if path.is_dir() or path.suffix == ".json":
        keys, source = _run_keys(path), "run"
    else:
        keys, source = _toml_keys(path), "file"
    defaults = _Reader(path, ctx).defaults(keys)
    ctx.meta[_HEADERS] = (source, defaults.pop("header", ()))
    ctx.default_map = defaults
    return value


def merge_headers(ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """The callback of --header: it replaces the plan file's fields of the same names, the others stay."""
    source, lines = ctx.meta.get(_HEADERS, ("", ()))
    given = {_name(line) for line in value}
    kept = tuple(line for line in lines if _name(line) not in given)
    for line in kept if source == "run" else ():
        if line.partition(":")[2].strip() == HIDDEN:
            name = line.partition(":")[0]
            raise PlanError(f"the run did not record its credential {name}; give it again with -H '{name}: ...'")
    return kept + value


def settle(ctx: click.Context, options: dict[str, Any]) -> dict[str, Any]:
    """Drop what the plan file says where the command line says the opposite by another option. Raises PlanError."""
    given, defaults = given_options(ctx), {param.name: param for param in ctx.command.params}
    if "users" in given and "rate" in given:
        raise PlanError("--users is for a closed loop; with --rate the arrivals decide, so give one of them")
    for option in _DISPLACES.keys() & given.keys():
        for other in _DISPLACES[option]:
            if ctx.get_parameter_source(other) is ParameterSource.DEFAULT_MAP:
                options = options | {other: _default(ctx, defaults[other])}
    return options


def given_options(ctx: click.Context) -> dict[str, str]:
    """What stands on the command line: each parameter's name and how it is written."""
    return {
        param.name: _key(param) if isinstance(param, click.Argument) else f"--{_key(param)}"
        for param in ctx.command.params
        if param.name and ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE
    }


class _Reader:
    """Turns a plan file's values into those of the command's parameters, complaining by file and key."""

    def __init__(self, path: Path, ctx: click.Context) -> None:
        self._path = path
        self._ctx = ctx
        params = {_key(param): param for param in ctx.command.params}
        self._params = {key: param for key, param in params.items() if key not in _NOT_IN_A_PLAN}

    def defaults(self, keys: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for written, value in keys.items():
            name, converted = self._one(written, value)
            if name in found:
                raise PlanError(f"{self._path}: {written!r} says again what stands there already")
            found[name] = converted
        return found

    def _one(self, written: str, value: Any) -> tuple[str, Any]:
        key = written.replace("_", "-")
        key = _ALIASES.get(key, key)
        if key == _BODY:
            return "data", self._body(written, value)
        param = self._params.get(key)
        if param is None or param.name is None:
            raise PlanError(f"{self._path}: the key {written!r} {self._hint(key)}")
        raw = self._checked(written, value, param)
        if key == "data":
            # A file's text is UTF-8 whatever the shell's encoding is.
            return "data", read_data(raw, self._path.parent) if raw.startswith("@") else raw.encode("utf-8")
        if key == "cacert":
            raw = str(self._path.parent / raw)
        try:
            return param.name, param.type_cast_value(self._ctx, raw)
        except click.BadParameter as error:
            raise PlanError(f"{self._path}: {written}: {error.message}") from None

    def _checked(self, key: str, value: Any, param: click.Parameter) -> Any:
        """The value as the parameter's type takes it, where it is of the right kind."""
        kind = param.type
        if isinstance(value, list) and key in _AXES and not isinstance(kind, Listed):
            raise PlanError(f"{self._path}: {key!r} as a list is for loadgen sweep")
        several = isinstance(kind, Listed) or getattr(param, "multiple", False) or key == "policies"
        types, words = _wanted(kind.item if isinstance(kind, Listed) else kind)
        items = value if several and isinstance(value, list) else [value]
        if isinstance(kind, Listed):
            types = (*types, str)  # "1,10,100", as on the command line
        # To Python, true is a whole number.
        if not all(isinstance(one, types) and (not isinstance(one, bool) or types == (bool,)) for one in items):
            if key == "proxy":  # it may hold a password
                raise PlanError(f"{self._path}: {key} is no text; write {words}")
            shown = json.dumps(value, default=str, ensure_ascii=False)
            raise PlanError(f"{self._path}: {key} is {shown}; write {words}{', or a list of such' if several else ''}")
        if getattr(param, "multiple", False):
            return tuple(items)
        return ",".join(str(one) for one in items) if several else value

    def _body(self, key: str, value: Any) -> bytes:
        import base64
        import binascii

        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise PlanError(f"{self._path}: {key} is no base64") from None

    def _hint(self, key: str) -> str:
        if key in _AXES:
            return "is for loadgen sweep"
        if key == _PROCESSES:
            return "is for loadgen compare"
        known = [*self._params, *_ALIASES, _BODY]
        near = difflib.get_close_matches(key, known, n=1)
        return f"is unknown; did you mean {near[0]!r}?" if near else f"is unknown; choose from {', '.join(known)}"


def _toml_keys(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise PlanError(f"--plan {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise PlanError(f"--plan {path} is no TOML: it is not in UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise PlanError(f"--plan {path} is no TOML: {error}") from None


def _run_keys(path: Path) -> dict[str, Any]:
    """What a run says that it ran: its folder, its run.json or its summary.json."""
    if path.is_dir():
        names: Iterable[str] = ("run.json", "summary.json")
        file = next((path / name for name in names if (path / name).is_file()), None)
        if file is None:
            raise PlanError(f"--plan {path} holds no run (run.json is missing)")
        path = file
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanError(f"--plan {path}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise PlanError(f"--plan {path} is no JSON, seen from line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError):
        raise PlanError(f"--plan {path} is no JSON") from None
    plan, embedded = recorded_plan(found, f"--plan {path}")
    return plan_keys(replace(plan, server_pid=None), embedded)


def _default(ctx: click.Context, param: click.Parameter) -> Any:
    """What an option is where neither the command line nor a plan file says anything of it."""
    if isinstance(param.default, str | int):
        return param.type_cast_value(ctx, param.default)
    return False if isinstance(param, click.Option) and param.is_flag else None


def _key(param: click.Parameter) -> str:
    """How a plan file calls a parameter: its long option without the dashes."""
    long = [option for option in param.opts if option.startswith("--")]
    return long[0].removeprefix("--") if long else str(param.name)


def _name(line: str) -> str:
    return line.partition(":")[0].strip().lower()


def _wanted(kind: click.ParamType[Any]) -> tuple[tuple[type, ...], str]:
    """The types of a TOML value that a parameter's type can take, and how that is said."""
    if isinstance(kind, Duration | Gap):
        return (str,), 'a duration with its unit in quotes, like "2s"'
    if isinstance(kind, Amount):
        return (int, str), 'a whole number or "inf"'
    if isinstance(kind, type(click.BOOL)):
        return (bool,), "true or false"
    if isinstance(kind, type(click.INT)):
        return (int,), "a whole number"
    if isinstance(kind, type(click.FLOAT)):
        return (int, float), "a number"
    return (str,), "a text in quotes"
