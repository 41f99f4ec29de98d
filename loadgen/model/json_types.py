"""What a value in a recorded run's JSON must be: in words, and as a test of one value. Knows no key by name."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Set
from typing import Any, NamedTuple


class JsonType(NamedTuple):
    """What a recorded value must be."""

    words: str
    """In words, for a complaint: `a text`."""
    plural: str
    fits: Callable[[Any], bool]


def list_of(item: JsonType) -> JsonType:
    """A list of such values."""
    return JsonType(
        f"a list of {item.plural}", "lists", lambda value: isinstance(value, list) and all(map(item.fits, value))
    )


def or_null(kind: JsonType) -> JsonType:
    """Such a value, or null."""
    return JsonType(f"{kind.words} or null", kind.plural, lambda value: value is None or kind.fits(value))


def object_of(words: str, plural: str, keys: Mapping[str, JsonType], added_later: Set[str] = frozenset()) -> JsonType:
    """An object with these keys and no others. added_later: those that runs of earlier versions lack."""
    return JsonType(
        words,
        plural,
        lambda value: (
            isinstance(value, dict)
            and value.keys() <= keys.keys() <= value.keys() | added_later
            and all(keys[key].fits(one) for key, one in value.items())
        ),
    )


def _is_base64(value: Any) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        return False
    return isinstance(value, str)


JSON_TEXT = JsonType("a text", "texts", lambda value: isinstance(value, str))
JSON_TRUTH = JsonType("true or false", "truths", lambda value: isinstance(value, bool))
# To Python, true is a whole number.
JSON_WHOLE = JsonType("a whole number", "whole numbers", lambda value: type(value) is int and 0 <= value < 1 << 63)
JSON_NUMBER = JsonType("a number", "numbers", lambda value: JSON_WHOLE.fits(value) or isinstance(value, float))
JSON_OBJECT = JsonType("an object", "objects", lambda value: isinstance(value, dict))
JSON_TEXTS = list_of(JSON_TEXT)
JSON_PAIR = JsonType("a pair", "[name, value]", lambda value: JSON_TEXTS.fits(value) and len(value) == 2)
JSON_BASE64 = JsonType("base64", "base64", _is_base64)
