"""Locust's command line and its start form as a Plan. Starts nothing, and imports no Locust."""

from __future__ import annotations

import secrets
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadgen.model.exceptions import PlanError
from loadgen.model.files import check_readable
from loadgen.model.headers import parse_header
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.model.units import parse_duration_ns
from loadgen.swarm.user_classes import ClassPolicies

if TYPE_CHECKING:
    from locust.argument_parser import LocustArgumentParser

_DEFAULT_POLICIES = "persistent,close"
_DURATIONS = {"block": "block_ns", "warmup": "warmup_ns", "think": "think_ns", "timeout": "timeout_ns"}

COMMAND_LINE_ONLY = ("method", "header", "data", "seed", "results", "run_name", "most_samples")
"""Options that the start form does not offer: where files go is for the command line alone."""


def add_options(parser: LocustArgumentParser) -> None:
    """Give Locust's command line, and with it the start form, the options of a comparison."""
    add = parser.add_argument
    add("--policies", default=_DEFAULT_POLICIES, help="Connection policies that users alternate between")
    add("--path", default="/", help="Path of the request that SwarmUsers send")
    add("--block", default="2s", help="Length of one policy's turn")
    add("--warmup", default="500ms", help="Uncounted first part of a block")
    add("--think", default="0s", help="Pause of a user between requests")
    add("--timeout", default="10s", help="Deadline of each request")
    add("--cacert", default="", help="Trust only the authorities in this PEM file")
    add("--insecure", action="store_true", help="Do not verify certificates")
    add("--tls", action="store_true", help="Without a host: the embedded target speaks https")
    add("--method", default="GET", include_in_web_ui=False, help="Method of the request that SwarmUsers send")
    add(
        "--header",
        action="append",
        default=[],
        metavar="'K: V'",
        include_in_web_ui=False,
        help="Header field of that request; may be repeated",
    )
    add("--data", default="", include_in_web_ui=False, help="Body of that request")
    add("--seed", type=int, default=None, include_in_web_ui=False, help="Seed of the order of blocks")
    add("--results", default="results", include_in_web_ui=False, help="Folder in which each run gets a folder")
    add("--run-name", default="", include_in_web_ui=False, help="Name of the run's folder; the time of its start")
    add(
        "--most-samples", type=int, default=5_000_000, include_in_web_ui=False,
        help="Samples that each worker sends at the end; of more, a random share",
    )  # fmt: skip


def plan_of(options: Any, host: str | None, class_policies: ClassPolicies, users: int, rounds: int = 1) -> Plan:
    """The plan of a run. Raises PlanError with one line for people."""
    if not host:
        raise PlanError("no host is given; write it like http://127.0.0.1:8080")
    if options.most_samples < 1:
        raise PlanError(f"--most-samples is {options.most_samples}; at least 1 is needed")
    path = options.path if options.path.startswith("/") else f"/{options.path}"
    base = parse_target(host.strip())
    if base.path != "/" and path == "/":
        path = base.path
    target = parse_target(f"{str(base).removesuffix(base.path)}{path}")
    names = dict.fromkeys(name for policies in class_policies.values() for name in policies)
    cacert = str(Path(options.cacert).resolve()) if options.cacert else None
    if cacert is not None:
        check_readable(Path(cacert), "--cacert")
    return Plan(
        target=target,
        policies=parse_policies(",".join(names)),
        load=Load(users=max(users, 1), rounds=rounds, **_durations(options)),
        method=options.method.upper(),
        headers=tuple(parse_header(line) for line in options.header),
        body=options.data.encode(),
        cacert=cacert,
        insecure=options.insecure,
        seed=secrets.randbelow(1 << 31) if options.seed is None else options.seed,
    )


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


def _durations(options: Any) -> dict[str, Any]:
    found = {}
    for name, field in _DURATIONS.items():
        try:
            found[field] = parse_duration_ns(getattr(options, name))
        except ValueError as error:
            raise PlanError(f"--{name}: {error}") from None
    return found
