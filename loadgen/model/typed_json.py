"""Whether a value that came from elsewhere has the form of a TypedDict, its sizes included. Knows no type by name.

The types that say what we write are what we take: a new key of such a type needs no line here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints, is_typeddict

MAX_TEXT = 100_000
"""Characters of a text, or of a key."""
MAX_ITEMS = 100_000
"""Entries of a list or an object."""
_MAX_WHOLE = 1 << 63

_PLAIN: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    # To Python, true is a whole number.
    int: ("a whole number", lambda value: type(value) is int and -_MAX_WHOLE <= value < _MAX_WHOLE),
    float: ("a number", lambda value: type(value) in (int, float)),
    bool: ("true or false", lambda value: type(value) is bool),
    str: ("a text", lambda value: type(value) is str and len(value) <= MAX_TEXT),
    bytes: ("bytes", lambda value: type(value) is bytes),
    NoneType: ("null", lambda value: value is None),
    Any: ("anything", lambda value: True),
}


def misfit(value: Any, form: Any, where: str = "it") -> str:
    """What is wrong with the value, in words that repeat nothing of it but its kind; empty where it fits."""
    if is_typeddict(form):
        return _misfit_of_keys(value, form, where)
    origin, arguments = get_origin(form), get_args(form)
    if origin is list:
        return _misfit_of_items(value, arguments[0], where)
    if origin is dict:
        return _misfit_of_entries(value, arguments[1], where)
    if origin in (Union, UnionType):
        found = [misfit(value, one, where) for one in arguments]
        return "" if "" in found else found[0]
    if origin is Literal:
        return "" if value in arguments else f"{where} is none of the words that it may be"
    words, fits = _PLAIN[form]
    return "" if fits(value) else f"{where} is not {words}, or too large"


def _misfit_of_keys(value: Any, form: Any, where: str) -> str:
    if type(value) is not dict:
        return f"{where} is not an object"
    keys, needed = _keys(form)
    missing = needed - value.keys()
    if missing:
        return f"{where} has no {min(missing)}"
    for key, one in value.items():
        if key not in keys:
            return f"{where} has a key that is unknown"
        if found := misfit(one, keys[key], key if where == "it" else f"{where}.{key}"):
            return found
    return ""


def _misfit_of_items(value: Any, form: Any, where: str) -> str:
    if type(value) is not list or len(value) > MAX_ITEMS:
        return f"{where} is not a list, or too long"
    if form in _PLAIN and all(map(_PLAIN[form][1], value)):  # a long one, in a moment
        return ""
    return next(filter(None, (misfit(one, form, f"{where}[{number}]") for number, one in enumerate(value))), "")


def _misfit_of_entries(value: Any, form: Any, where: str) -> str:
    if type(value) is not dict or len(value) > MAX_ITEMS:
        return f"{where} is not an object, or too large"
    if not all(type(key) is str and len(key) <= MAX_TEXT for key in value):
        return f"{where} has a key that is not a text"
    return next(filter(None, (misfit(one, form, f"{where}[…]") for one in value.values())), "")


@cache
def _keys(form: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """The types of the keys of a TypedDict, and which it always has."""
    hints = {key: _inner(hint) for key, hint in get_type_hints(form, include_extras=True).items()}
    return hints, frozenset(form.__required_keys__) - _optional(form)


def _optional(form: Any) -> set[str]:
    # Where annotations are texts, __required_keys__ of CPython 3.11 counts keys that are NotRequired.
    hints = get_type_hints(form, include_extras=True)
    return {key for key, hint in hints.items() if get_origin(hint) is NotRequired}


def _inner(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) in (NotRequired, Required) else hint
