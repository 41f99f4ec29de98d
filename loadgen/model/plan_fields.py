"""From the values of options to the fields of a Plan, and to and from the plan in a recorded run's JSON.

Follows the table of options; knows none of them by name but the axes of a sweep, which are a value of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from operator import attrgetter
from typing import Any

from loadgen.model import options
from loadgen.model.addressing import Addressing
from loadgen.model.body_transfer import BodyTransfer
from loadgen.model.cell import Axes
from loadgen.model.json_types import JSON_OBJECT, JsonType, list_of
from loadgen.model.load import Load
from loadgen.model.option import Option
from loadgen.model.proxying import Proxying
from loadgen.model.templating import Templating
from loadgen.model.tls_settings import TlsSettings

AXES = "axes"
_PARTS = {
    "load": Load,
    "tls": TlsSettings,
    "addressing": Addressing,
    "proxying": Proxying,
    "transfer": BodyTransfer,
    "templating": Templating,
}
"""Fields of Plan that are values of their own, made of all options whose `plan_field` begins with the name."""


def of_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of Plan that these values of options set; None sets nothing. Raises PlanError."""
    return _nested({
        option.plan_field: option.type.make(values[option.name])
        for option in _in_plan()
        if values.get(option.name) is not None
    })  # fmt: skip


def record(plan: Any, *, secrets: bool) -> dict[str, Any]:
    """The plan as JSON values. Without `secrets`, HIDDEN stands for each credential."""
    found = {
        option.recorded_key: option.type.record(attrgetter(option.plan_field)(plan), secrets=secrets)
        for option in _in_plan()
    }
    return found | {AXES: {name: list(values) for name, values in asdict(plan.axes).items()}}


def restore(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of Plan that these JSON values set; one that is not there has its default.

    Raises PlanError, or KeyError where a value is missing that every plan has.
    """
    axes = Axes(**{name: tuple(found) for name, found in used_axes(values.get(AXES, {})).items()})
    found = {
        option.plan_field: option.type.restore(values[option.recorded_key])
        for option in _in_plan()
        if option.is_needed or option.recorded_key in values
        # A grid may make its policies itself.
        if not (option.plan_field == "policies" and axes and not values["policies"])
    }
    return {"policies": ()} | _nested(found) | {AXES: axes}


def json_types() -> dict[str, JsonType]:
    """Each key of `record`, and what its value must be."""
    return {option.recorded_key: option.type.json for option in _in_plan()} | {AXES: JSON_OBJECT}


def axis_types() -> dict[str, JsonType]:
    """The same for the axes."""
    return {option.name: list_of(option.type.json) for option in options.OPTIONS if option.is_axis}


def needed_keys() -> list[str]:
    """The keys that every recorded plan has."""
    return [option.recorded_key for option in _in_plan() if option.is_needed]


def used_axes(axes: Mapping[str, Any]) -> dict[str, Any]:
    """Without former names of axes that were not used: older versions recorded every axis, those not varied as []."""
    former = renamed_keys()
    return {name: values for name, values in axes.items() if name not in former or values != []}


def renamed_keys() -> dict[str, str]:
    """Former names of axes, and what they are now."""
    return {option.renamed: option.name for option in options.OPTIONS if option.is_axis and option.renamed}


def _in_plan() -> list[Option]:
    return [option for option in options.OPTIONS if option.plan_field]


def _nested(found: dict[str, Any]) -> dict[str, Any]:
    """`load.users` is a field of the load, which is made from all that there is of it."""
    fields: dict[str, Any] = {}
    of_parts: dict[str, dict[str, Any]] = {}
    for name, value in found.items():
        part, _, field_name = name.rpartition(".")
        (of_parts.setdefault(part, {}) if part else fields)[field_name] = value
    return fields | {part: _PARTS[part](**values) for part, values in of_parts.items()}
