"""Locust's command line and its start form as a Plan. Starts nothing, and imports no Locust.

Locust reads each option from its command line, from a variable of the environment and from a configuration file.
"""

from __future__ import annotations

import secrets
from argparse import SUPPRESS, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from loadgen.model import options as table
from loadgen.model import plan_fields
from loadgen.model.body_file import with_body_file
from loadgen.model.exceptions import PlanError
from loadgen.model.option import COMPARE, Option, OptionGroup
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.swarm.option_texts import Renamed, argument_of, value_of
from loadgen.swarm.user_classes import ClassPolicies

if TYPE_CHECKING:
    from locust.argument_parser import LocustArgumentParser


def locust_options() -> list[Option]:
    """The options that Locust has too, in the order of its help and of its start form."""
    return [
        option
        for group in OptionGroup
        for option in table.OPTIONS
        if option.group is group and option.locust is not None
    ]


COMMAND_LINE_ONLY = tuple(one.name for one in locust_options() if one.locust is not None and not one.locust.in_form)
"""Options that the start form does not offer."""
IN_FORM = tuple(one for one in locust_options() if one.name not in COMMAND_LINE_ONLY)
"""Options that the start form offers. A run reads them when it starts."""
_HERE = "127.0.0.1"


def add_options(parser: LocustArgumentParser) -> None:
    """Give Locust's command line, and with it the start form, the options of a comparison."""
    for option in locust_options():
        assert option.locust is not None
        parser.add_argument(
            f"--{option.key}",
            help=option.locust.help or option.help.removesuffix("."),
            env_var=variable(option),
            **argument_of(option),
            **({} if option.locust.in_form else {"include_in_web_ui": False}),
        )
        if option.renamed:
            parser.add_argument(f"--{option.renamed}", action=Renamed, const=option.key, dest=SUPPRESS, help=SUPPRESS)


def variable(option: Option) -> str:
    """The variable of the environment that sets an option, named as Locust names its own."""
    return f"LOCUST_{option.name.upper()}"


def listen_here(parser: LocustArgumentParser, arguments: Sequence[str], variables: Mapping[str, str]) -> None:
    """Let this machine alone reach the web UI unless an option says otherwise; Locust's own default is everybody.

    The same for the master's port where its workers are its own processes. A master without them waits for workers from
    elsewhere. arguments, variables: what Locust was called with.
    """
    parser.set_defaults(web_host=_HERE)
    if "LOCUST_PROCESSES" in variables or any(one.startswith("--proc") for one in arguments):
        parser.set_defaults(master_bind_host=_HERE)


def plan_of(options: Any, host: str | None, class_policies: ClassPolicies, users: int, rounds: int = 1) -> Plan:
    """The plan of a run. Raises PlanError with one line for people."""
    if not host:
        raise PlanError("no host is given; write it like http://127.0.0.1:8080")
    path = options.path if options.path.startswith("/") else f"/{options.path}"
    base = parse_target(host.strip())
    if base.path != "/" and path == "/":
        path = base.path
    target = replace(base, path=parse_target(f"{base.scheme}://{base.authority}{path}").path)
    names = dict.fromkeys(name for policies in class_policies.values() for name in policies)
    values = _values(options) | {"users": max(users, 1), "rounds": rounds, "policies": ",".join(names)}
    values.setdefault("seed", secrets.randbelow(1 << 31))
    values.setdefault("warmup", table.default_warmup_ns(COMPARE, values["block"]))
    if values.get("data"):
        values.setdefault("method", "POST")
    values = with_body_file(values, parse_policies(values["policies"]))
    return Plan(**{"target": target, **plan_fields.of_values(values)})


def _values(options: Any) -> dict[str, Any]:
    """The values of the options that a plan is made from. Raises PlanError."""
    found = {one.name: value_of(one, getattr(options, one.name)) for one in locust_options() if one.plan_field}
    for one in locust_options():
        table.check_needed(one, found)
    return {name: value for name, value in found.items() if value is not None}


def check_for_embedded(options: Any) -> None:
    """Raise PlanError where an option means nothing for the embedded target, as `loadgen compare` without URL does."""
    for option in locust_options():
        if option.url_only and value_of(option, getattr(options, option.name)):
            raise PlanError(f"--{option.key} is for a host; {option.url_only}")


def changed(options: Any, **values: Any) -> Any:
    """A copy of the options with other values."""
    return Namespace(**{**vars(options), **values})
