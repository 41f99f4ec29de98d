"""Characters that end a field or a line early where they are sent, or command a terminal where they are shown.

Knows no message.
"""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# The control characters of ASCII and ISO 8859-1 (a terminal may take 0x9B for ESC [), what has no width, what turns
# the direction of a text, and surrogates, which no file can hold.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def is_token(text: str) -> bool:
    """Whether it is a token (RFC 9110 §5.6.2), as names of fields and methods are."""
    return _TOKEN.fullmatch(text) is not None


def has_control(text: str, *, allowed: str = "") -> bool:
    """Whether it holds a control character (RFC 9110 §5.5, RFC 7617 §2) that is not among the `allowed` ones."""
    return any(found not in allowed for found in _CONTROL.findall(text))


def has_space_or_control(text: str) -> bool:
    """The same for a URL, which holds no space either (RFC 3986 §2)."""
    return " " in text or has_control(text)


def visible(text: str) -> str:
    """A text that a server or a user may have written, as one line in which each character shows: `\\x1b` for ESC."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def json_escaped(text: str) -> str:
    """JSON in which such characters are escaped as JSON has it; what lays the text out stays."""
    return _UNSEEN.sub(lambda found: found[0] if found[0] in "\n\r\t" else f"\\u{ord(found[0]):04x}", text)
