"""A plan as the keys and values of a plan file, and the file written. Credentials are never written."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path
from typing import Any

from loadgen.model import options
from loadgen.model.exceptions import PlanError
from loadgen.model.headers import SECRET_FIELDS
from loadgen.model.options import COMPARE, Option
from loadgen.model.plan import Plan
from loadgen.model.value_types import ListOf


def plan_keys(plan: Plan, embedded: bool) -> dict[str, Any]:
    """The keys of a plan file for this plan; with the embedded target, without what belongs to that process alone."""
    keys: dict[str, Any] = {}
    for option in options.OPTIONS:
        if embedded and (option.name == "url" or option.url_only):
            continue
        if not option.needs or option.needs in keys:
            keys |= _items(plan, option)
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


def save_plan(path: Path, plan: Plan, embedded: bool) -> list[str]:
    """Write the plan as TOML; returns what held credentials, which were left out: header fields and --proxy.

    Raises PlanError.
    """
    import tomli_w

    keys = plan_keys(plan, embedded)
    left_out = [name for name, _ in plan.headers if name.lower() in SECRET_FIELDS]
    notes = [f"# left out, a credential; give it with -H: {name}\n" for name in left_out]
    if left_out:
        lines = [f"{name}: {value}" for name, value in plan.headers if name.lower() not in SECRET_FIELDS]
        keys = {key: value for key, value in keys.items() if key != "headers"} | ({"headers": lines} if lines else {})
    if plan.proxy is not None and plan.proxy.user is not None:
        left_out.append("--proxy")
        notes.append(f"# left out, credentials; give them with --proxy http://USER:PASSWORD@{plan.proxy}\n")
        keys["proxy"] = plan.proxy.without_credentials().url(secrets=False)
    text = "".join(notes) + tomli_w.dumps(keys)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise PlanError(f"--save-plan {path} exists; a plan is never overwritten, choose another name") from None
    except OSError as error:
        raise PlanError(f"--save-plan {path}: {error.strerror}") from None
    return left_out
