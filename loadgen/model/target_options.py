"""The options that say where requests go, one row each, as in `options.py`."""

from __future__ import annotations

from loadgen.model.option import COMPARE, SWEEP, TO_TARGET, LocustArgument, Option, OptionGroup
from loadgen.model.plan_value_types import NamedTargets, Url
from loadgen.model.request_list_type import RequestList

TARGET_OPTIONS: tuple[Option, ...] = (
    Option(
        name="url", group=OptionGroup.TARGET, type=Url(), plan_field="target", recorded="url", is_needed=True,
        positional=True, commands=TO_TARGET,
        not_in_locust="write -H URL",
        # A sweep has one: the plan says so, in a line of its own.
        differs={COMPARE: {"is_many": True}, SWEEP: {"is_many": True}},
    ),
    Option(
        name="target", group=OptionGroup.TARGET, type=NamedTargets(), plan_field="targets", default=(),
        metavar="NAME=URL", plural="targets", commands=(COMPARE,),
        help="One of several targets that take turns, with its name; may be repeated. Several URLs are A, B ...",
        not_in_locust="all users of a run in Locust load one target, that of -H URL",
    ),
    Option(
        name="urls", group=OptionGroup.TARGET, type=RequestList(), plan_field="requests", recorded="urls", default=(),
        is_implicit=True, metavar="FILE", locust=LocustArgument(default=""),
        help="Several requests, a line of JSON each: url, method, weight, name, headers, body.",
    ),
)  # fmt: skip
