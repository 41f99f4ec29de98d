"""Path and query of a request as they go on the wire (RFC 9112 §3.2.1). Knows no URL and no message."""

from __future__ import annotations

import re
from urllib.parse import quote

SIZE_FIELD = "{size}"
"""The place in a URL for the size of the response, which a sweep puts there."""

# pchar, "/" and "?" (RFC 3986 §3.3, §3.4); letters, digits and `-._~` are never quoted. Brackets stay as well: browsers
# and curl send `?a[]=1` so, and every server takes it.
_UNQUOTED = "!$&'()*+,;=:@/?[]"
_ESCAPE = re.compile(r"(%[0-9A-Fa-f]{2})")


def origin_form(text: str) -> str:
    """The path and query in the characters of RFC 3986; all others are percent-encoded, as UTF-8 (§2.1, §2.5).

    What is encoded already stays as it is. A `%` that begins no escape is encoded too (§2.4), and a byte of the command
    line that is not UTF-8 as that byte. Raises UnicodeEncodeError, a ValueError, where there is half a surrogate pair.
    """
    # Every second piece is an escape.
    pieces = _ESCAPE.split(text)
    return "".join(piece if number % 2 else _quoted(piece) for number, piece in enumerate(pieces))


def _quoted(text: str) -> str:
    return quote(text, safe=_UNQUOTED, errors="surrogateescape")


def url_template(text: str) -> str:
    """The same where SIZE_FIELD stays for the size."""
    return SIZE_FIELD.join(map(origin_form, text.split(SIZE_FIELD)))
