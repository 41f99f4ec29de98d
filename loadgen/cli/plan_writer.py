"""A plan as the keys and values of a plan file, and the file written. Credentials are never written."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path
from typing import Any

from loadgen.cli.run_length import LONGEST_NS
from loadgen.model import options
from loadgen.model.exceptions import PlanError
from loadgen.model.files import write_new
from loadgen.model.option import COMPARE, Option
from loadgen.model.plan import Plan
from loadgen.model.planned_request import PlannedRequest
from loadgen.model.redaction import missing_in_url, missing_names, redact_body, redact_field, redact_url
from loadgen.model.value_types import ListOf


def plan_keys(plan: Plan, embedded: bool) -> dict[str, Any]:
    """The keys of a plan file for this plan; with the embedded target, without what belongs to that process alone."""
    keys: dict[str, Any] = {}
    for option in options.OPTIONS:
        if embedded and (option.name == "url" or option.url_only):
            continue
        if option.name == "url" and plan.targets:
            continue  # it is the first of them
        if not option.needs or options.option_named(option.needs).key in keys:
            keys |= _items(plan, option)
    if plan.load.requests is not None and plan.load.block_ns == LONGEST_NS:
        del keys["block"]
    return keys | ({"tls": plan.target.is_tls} if embedded else {})


def _items(plan: Plan, option: Option) -> dict[str, Any]:
    axis = getattr(plan.axes, option.name) if option.is_axis else ()
    if axis:
        return {option.key: ListOf(option.type).write(axis)}
    if not option.plan_field:
        return {}
    value = attrgetter(option.plan_field)(plan)
    if option.commands == (COMPARE,) and value == option.plan_default():
        return {}  # a plan that a sweep can run too
    return option.type.items(option.plural or option.key, value)


def save_plan(path: Path, plan: Plan, embedded: bool, *, has_load: bool = True) -> list[str]:
    """Write the plan as TOML; returns what held credentials, which were left out: names of header fields, options.

    has_load: else users and think time are left to the pilot of each run. Raises PlanError.
    """
    import tomli_w

    keys = plan_keys(plan, embedded)
    if not has_load:
        keys = {key: value for key, value in keys.items() if key not in ("users", "think")}
    left_out = [name for name, value in plan.headers if redact_field(name, value) != value]
    notes = [] if has_load else ["# without users, think or rate: a pilot chooses the load\n"]
    notes += [f"# left out, a credential; give it with -H: {name}\n" for name in left_out]
    if left_out:
        lines = [f"{name}: {value}" for name, value in plan.headers if name not in left_out]
        keys = {key: value for key, value in keys.items() if key != "headers"} | ({"headers": lines} if lines else {})
    if plan.proxy is not None and plan.proxy.user is not None:
        left_out.append("--proxy")
        notes.append(
            f"# left out, credentials; give them with --proxy {plan.proxy.scheme}://USER:PASSWORD@{plan.proxy}\n"
        )
        keys["proxy"] = plan.proxy.without_credentials().url(secrets=False)
    for option, names in _redacted(plan, embedded).items():
        left_out.append(option)
        notes.append(f"# written without the values of {', '.join(names)}; give {option} again when you run this\n")
    text = "".join(notes) + tomli_w.dumps(keys)
    try:
        write_new(path, text.encode("utf-8"))
    except FileExistsError:
        raise PlanError(f"--save-plan {path} exists; a plan is never overwritten, choose another name") from None
    except OSError as error:
        raise PlanError(f"--save-plan {path}: {error.strerror}") from None
    return left_out


def _redacted(plan: Plan, embedded: bool) -> dict[str, list[str]]:
    """What stays in the file, but can't be run before it is given again, and the names whose values it lacks."""
    urls = {f"--target {one.name}": missing_in_url(redact_url(one.target.path)) for one in plan.targets}
    if not (embedded or urls):
        urls = {"URL": missing_in_url(redact_url(plan.target.path))}
    body = missing_names(redact_body(plan.body))
    recorded = (PlannedRequest.restore(one.record(secrets=False)) for one in plan.requests)
    lacking = [f"{one.missing} ({one.name})" for one in recorded if one.missing]
    return {option: names for option, names in {**urls, "--data": body, "--urls": lacking}.items() if names}
