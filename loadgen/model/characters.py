"""Characters that would end a field, a line or a request early wherever they were sent. Knows no message."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def has_control(text: str, *, allowed: str = "") -> bool:
    """Whether it holds a control character (RFC 9110 §5.5, RFC 7617 §2) that is not among the `allowed` ones."""
    return any(found not in allowed for found in _CONTROL.findall(text))


def has_space_or_control(text: str) -> bool:
    """The same for a URL, which holds no space either (RFC 3986 §2)."""
    return " " in text or has_control(text)
