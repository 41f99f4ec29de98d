"""From the options of `compare` and `sweep` to a Plan, or to one line that says which of them contradict each other."""

from __future__ import annotations

import secrets
from typing import Any

from loadgen.cli.run_length import length_of_requests, run_length
from loadgen.model import options as table
from loadgen.model import plan_fields
from loadgen.model.body_file import with_body_file
from loadgen.model.cell import Axes, check_rate
from loadgen.model.exceptions import PlanError
from loadgen.model.option import COMPARE, SWEEP
from loadgen.model.options import default
from loadgen.model.plan import Plan
from loadgen.model.policy import ConnectionPolicy, parse_policies
from loadgen.model.request_target import SIZE_FIELD
from loadgen.model.target import Target

_EMBEDDED_HOST = "127.0.0.1"
_NOTHING_VARIED = (
    "nothing is varied; give several values of --recycle, --gap, --size, --users, --rate, --tls-version or --groups"
)
# Axes of which a single value is no axis: the plan has a field for it.
_FIELDS = tuple(option.name for option in table.OPTIONS if option.is_axis and option.plan_field)


def build_plan(options: dict[str, Any]) -> Plan:
    """The plan that the options describe; without URL its target's port is still a placeholder. Raises PlanError."""
    _check_pairs(options)
    axes = _axes(options)
    single = {name: _single(options[name]) for name in _FIELDS}
    if single["rate"] is not None:
        check_rate(single["rate"])
    policies = _policies(options, axes)
    cells = axes.combinations * (len(policies) or 1) * (len(options.get("target") or ()) or 1)
    length_of = run_length if options["requests"] is None else length_of_requests
    length = length_of(options, cells, _command(options))
    resolved = single | {"rounds": length.rounds, "block": length.block_ns}
    resolved |= {"warmup": _warmup(options, length.block_ns), "seed": _seed(options["seed"])}
    plan_options = with_body_file(options | resolved, policies)
    if options["method"] is None and options["data"] is not None:
        plan_options["method"] = "POST"
    fields: dict[str, Any] = {"target": _embedded(policies, axes, options["tls"])}
    fields |= plan_fields.of_values(plan_options) | {"policies": policies, "axes": axes}
    plan = Plan(**fields)
    if axes and len(plan.cells) == 1:
        raise PlanError(_NOTHING_VARIED)
    return plan


def _single(value: Any) -> Any:
    """Of the values of an axis the first."""
    return value[0] if isinstance(value, tuple) else value


def _seed(given: int | None) -> int:
    return secrets.randbelow(1 << 31) if given is None else given


def _warmup(options: dict[str, Any], block_ns: int) -> Any:
    if options["warmup"] is not None:
        return options["warmup"]
    return table.default_warmup_ns(_command(options), block_ns)


def _command(options: dict[str, Any]) -> str:
    return SWEEP if _varies(options) else COMPARE


def _varies(options: dict[str, Any]) -> bool:
    """The options are those of `sweep`."""
    return "recycle" in options


def _check_pairs(options: dict[str, Any]) -> None:
    if options.get("target") and options["probe"]:
        raise PlanError("--probe audits one target; leave it out, and run `loadgen probe URL` for each of the targets")
    if options["tls"] and options["url"]:
        raise PlanError("--tls is for the embedded target; with a URL its scheme decides")
    if options["duration"] is not None and options.get("until_precision") is not None:
        raise PlanError(
            "--duration contradicts --until-precision, which ends the load once it is precise; give --max-time instead"
        )
    for option in table.OPTIONS:
        value = options.get(option.name)
        if value is None or value == ():
            continue
        if option.url_only and not options["url"]:
            raise PlanError(f"--{option.key} is for a URL; {option.url_only}")
        table.check_needed(option, options)


def _axes(options: dict[str, Any]) -> Axes:
    """What a sweep varies; a single number of users or a single rate is no axis, but the load, and so on."""
    if not _varies(options):
        return Axes()
    varied = {option.name: options[option.name] or () for option in table.OPTIONS if option.is_axis}
    varied |= {name: varied[name] if len(varied[name]) > 1 else () for name in _FIELDS}
    if varied["users"] and options["rate"]:
        raise PlanError("--users can't be varied together with --rate: with a rate the arrivals decide, not users")
    for size in options["size"] or ():
        table.option_named("size").check_range(size)
    axes = Axes(**varied)
    if not axes:
        raise PlanError(_NOTHING_VARIED)
    return axes


def _policies(options: dict[str, Any], axes: Axes) -> tuple[ConnectionPolicy, ...]:
    if options["policies"] is None:
        return () if axes.recycle or axes.gap else default("policies")
    return parse_policies(options["policies"])


def _embedded(policies: tuple[ConnectionPolicy, ...], axes: Axes, tls: bool) -> Target:
    """The embedded target, its port still unknown; a policy that looks names up needs a name."""
    host = "localhost" if any(policy.resolves for policy in policies) else _EMBEDDED_HOST
    return Target("https" if tls else "http", host, 1, f"/?size={SIZE_FIELD}" if axes.size else "/")
