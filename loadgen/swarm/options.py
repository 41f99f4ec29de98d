"""Locust's command line and its start form as a Plan. Starts nothing, and imports no Locust."""

from __future__ import annotations

import secrets
from argparse import (
    SUPPRESS,
    Action,
    ArgumentError,
    ArgumentParser,
    ArgumentTypeError,
    BooleanOptionalAction,
    Namespace,
)
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from loadgen.model import options as table
from loadgen.model import plan_fields
from loadgen.model.exceptions import PlanError
from loadgen.model.option import COMPARE, Option
from loadgen.model.plan import Plan
from loadgen.model.target import parse_target
from loadgen.model.value_types import Flag, Whole
from loadgen.swarm.user_classes import ClassPolicies

if TYPE_CHECKING:
    from locust.argument_parser import LocustArgumentParser

COMMAND_LINE_ONLY = tuple(
    option.name for option in table.OPTIONS if option.locust is not None and not option.locust.in_form
)
"""Options that the start form does not offer: where files go is for the command line alone."""
IN_FORM = tuple(option.name for option in table.OPTIONS if option.locust is not None and option.locust.in_form)
"""Options that the start form offers. A run reads them when it starts."""
_HERE = "127.0.0.1"


def add_options(parser: LocustArgumentParser) -> None:
    """Give Locust's command line, and with it the start form, the options of a comparison."""
    for option in table.OPTIONS:
        if option.locust is None:
            continue
        parser.add_argument(
            f"--{option.key}",
            help=option.locust.help or option.help.removesuffix("."),
            **_default(option),
            **({} if option.locust.in_form else {"include_in_web_ui": False}),
        )
        if option.renamed:
            parser.add_argument(f"--{option.renamed}", action=_Renamed, const=option.key, dest=SUPPRESS, help=SUPPRESS)


def listen_here(parser: LocustArgumentParser, arguments: Sequence[str], variables: Mapping[str, str]) -> None:
    """Let this machine alone reach the web UI unless an option says otherwise; Locust's own default is everybody.

    The same for the master's port where its workers are its own processes. A master without them waits for workers from
    elsewhere. arguments, variables: what Locust was called with.
    """
    parser.set_defaults(web_host=_HERE)
    if "LOCUST_PROCESSES" in variables or any(one.startswith("--proc") for one in arguments):
        parser.set_defaults(master_bind_host=_HERE)


def _default(option: Option) -> dict[str, Any]:
    """How Locust's parser reads the option. It takes durations and the like as texts, because its form gives those."""
    assert option.locust is not None
    value = option.default if option.locust.default is None else option.locust.default
    if isinstance(option.type, Flag):
        return {"action": BooleanOptionalAction, "default": True} if value else {"action": "store_true"}
    if option.type.is_repeated:
        return {"action": "append", "default": list(value), "metavar": option.metavar}
    if isinstance(option.type, Whole):
        return {"type": _reader(option), "default": None if option.is_implicit else value}
    return {"default": value}


def _reader(option: Option) -> Callable[[str], Any]:
    """Reads the option's text, with its own line where that is wrong."""

    def read(text: str) -> Any:
        try:
            return option.type.read(text)
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from None

    return read


class _Renamed(Action):
    """A former name, which is refused."""

    def __call__(self, _parser: ArgumentParser, _options: Namespace, value: Any, *_more: Any) -> None:
        raise ArgumentError(
            None, f"{self.option_strings[0]} is called --{self.const} now; write --{self.const} {value}"
        )


def plan_of(options: Any, host: str | None, class_policies: ClassPolicies, users: int, rounds: int = 1) -> Plan:
    """The plan of a run. Raises PlanError with one line for people."""
    if not host:
        raise PlanError("no host is given; write it like http://127.0.0.1:8080")
    if options.max_samples < 1:
        raise PlanError(f"--max-samples is {options.max_samples}; at least 1 is needed")
    path = options.path if options.path.startswith("/") else f"/{options.path}"
    base = parse_target(host.strip())
    if base.path != "/" and path == "/":
        path = base.path
    target = replace(base, path=parse_target(f"{base.scheme}://{base.authority}{path}").path)
    names = dict.fromkeys(name for policies in class_policies.values() for name in policies)
    values = _values(options) | {"users": max(users, 1), "rounds": rounds, "policies": ",".join(names)}
    values.setdefault("seed", secrets.randbelow(1 << 31))
    values.setdefault("warmup", table.default_warmup_ns(COMPARE, values["block"]))
    return Plan(**{"target": target, **plan_fields.of_values(values)})


def _values(options: Any) -> dict[str, Any]:
    """The values of the options that a plan is made from. Raises PlanError."""
    found = {}
    for option in table.OPTIONS:
        if option.locust is None or not option.plan_field:
            continue
        value = getattr(options, option.name)
        if value is None or value == option.locust.default == "":
            continue
        try:
            found[option.name] = option.type.read(value) if isinstance(value, str) else value
        except ValueError as error:
            raise PlanError(f"--{option.key}: {error}") from None
    if "data" in found:
        found["data"] = found["data"].encode()  # a form's text is never the name of a file
    return found


def with_form(options: Any, form: Mapping[str, str]) -> Any:
    """The options as they will be once Locust has taken over what its start form says."""
    values = vars(options)
    return changed(
        options,
        **{
            name: value == "true" if isinstance(values[name], bool) else value
            for name, value in form.items()
            if name in values
        },
    )


def changed(options: Any, **values: Any) -> Any:
    """A copy of the options with other values."""
    return Namespace(**{**vars(options), **values})
