"""What a run recorded of itself (run.json, summary.json), checked before anything is made of it.

Somebody may have edited it: every complaint is a PlanError of one line that says where and what.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import json
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan

_MOST_SHOWN = 60  # characters of a value that is wrong


class Kind(NamedTuple):
    """What a value must be, in words, and whether one is that."""

    words: str
    fits: Callable[[Any], bool]


def _is_base64(value: Any) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        return False
    return isinstance(value, str)


def _list_of(item: Kind, words: str) -> Kind:
    return Kind(f"a list of {words}", lambda value: isinstance(value, list) and all(map(item.fits, value)))


def _or_null(kind: Kind) -> Kind:
    return Kind(f"{kind.words} or null", lambda value: value is None or kind.fits(value))


_TEXT = Kind("a text", lambda value: isinstance(value, str))
_TRUTH = Kind("true or false", lambda value: isinstance(value, bool))
# To Python, true is a whole number.
_WHOLE = Kind("a whole number", lambda value: type(value) is int and 0 <= value < 1 << 63)
_NUMBER = Kind("a number", lambda value: _WHOLE.fits(value) or isinstance(value, float))
_TEXTS = _list_of(_TEXT, "texts")
_PAIR = Kind("a pair", lambda value: _TEXTS.fits(value) and len(value) == 2)
_OBJECT = Kind("an object", lambda value: isinstance(value, dict))

AXES = {
    "users": _list_of(_WHOLE, "whole numbers"),
    "rate": _list_of(_NUMBER, "numbers"),
    "recycle": _TEXTS,
    "gap": _TEXTS,
    "size": _list_of(_WHOLE, "whole numbers"),
}
PLAN = {
    "url": _TEXT,
    "policies": _TEXTS,
    "users": _WHOLE,
    "rounds": _WHOLE,
    "block_ns": _WHOLE,
    "warmup_ns": _WHOLE,
    "think_ns": _WHOLE,
    "timeout_ns": _WHOLE,
    "rate_rps": _NUMBER,
    "arrivals": _TEXT,
    "max_connections": _WHOLE,
    "method": _TEXT,
    "headers": _list_of(_PAIR, "[name, value]"),
    "body_base64": Kind("base64", _is_base64),
    "cacert": _or_null(_TEXT),
    "insecure": _TRUTH,
    "max_body_bytes": _WHOLE,
    "seed": _WHOLE,
    "retry_stale": _TRUTH,
    "cookies": _TRUTH,
    "source_ips": _TEXTS,
    "server_pid": _or_null(_WHOLE),
    "axes": _OBJECT,
    "processes": _WHOLE,
    "trailers": _TRUTH,
    "proxy": _or_null(_TEXT),
}
"""Each key of `Plan.to_json`."""
_NEEDED = ("url", "policies", "method", "headers", "body_base64", "cacert", "insecure", "max_body_bytes", "seed")
_NOTE = Kind("a note", lambda value: isinstance(value, dict) and _TEXTS.fits([value.get("code"), value.get("message")]))
_FACTS = {"name": _TEXT, "plan": _OBJECT, "environment": _OBJECT, "notes": _list_of(_NOTE, "notes"), "parts": _WHOLE}
_SPARED = {"parts": 1}  # what a run that was never resumed need not say


def recorded_plan(facts: Any, where: str) -> tuple[Plan, bool]:
    """The plan that a run recorded, and whether it ran against the embedded target. Raises PlanError."""
    if not isinstance(facts, dict):
        raise PlanError(f"{where} holds no run: it is no JSON object")
    if not isinstance(facts.get("plan"), dict):
        raise PlanError(f"{where} holds no run's plan: {_wrong('plan', facts.get('plan'), _OBJECT)}")
    values = facts["plan"]
    _check(values, PLAN, _NEEDED, f"{where}: plan.")
    _check(values.get("axes", {}), AXES, (), f"{where}: plan.axes.")
    environment = facts.get("environment")
    try:
        return Plan.from_json(values), isinstance(environment, dict) and "embedded_target" in environment
    except PlanError as error:
        raise PlanError(f"{where}: {error}") from None


def recorded_run(facts: dict[str, Any], where: str) -> tuple[Plan, bool]:
    """The same of a run that is whole enough to be gone on with or reported. Raises PlanError."""
    for key, kind in _FACTS.items():
        if not kind.fits(facts.get(key, _SPARED.get(key))):
            raise PlanError(f"{where} holds no whole run: {_wrong(key, facts.get(key), kind)}")
    return recorded_plan(facts, where)


def _check(values: dict[str, Any], kinds: dict[str, Kind], needed: Collection[str], where: str) -> None:
    for key, value in values.items():
        if key not in kinds:
            near = difflib.get_close_matches(key, kinds, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(kinds)}"
            raise PlanError(f"{where}{key} is unknown; {hint}")
        if not kinds[key].fits(value):
            raise PlanError(f"{where}{_wrong(key, value, kinds[key])}")
    for key in needed:
        if key not in values:
            raise PlanError(f"{where}{key} is missing")


def _wrong(key: str, value: Any, kind: Kind) -> str:
    if value is None:
        return f"{key} is missing or null; it must be {kind.words}"
    shown = json.dumps(value, ensure_ascii=False)
    if len(shown) > _MOST_SHOWN:
        shown = f"{shown[:_MOST_SHOWN]}…"
    return f"{key} is {shown}; it must be {kind.words}"
