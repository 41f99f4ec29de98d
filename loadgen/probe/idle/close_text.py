"""What a server sends on a connection that it is about to close for want of a request. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})\b")


def status_of(data: bytes) -> int:
    """The status code of the response that begins there; 0 where none does."""
    found = _STATUS.match(data)
    return int(found[1]) if found else 0


def ending_text(ends: Iterable[str], words: Iterable[bytes]) -> str:
    """How connections ended, to be added to a time: `, by RST, after a 408`; empty for a plain FIN."""
    kinds = set(ends)
    text = "" if kinds <= {"fin"} else ", by RST" if kinds == {"reset"} else ", by FIN or RST"
    said = {status_of(one) for one in words if one}
    if not said:
        return text
    return f"{text}, after " + ("unasked bytes" if said == {0} else f"a {max(said)}")


def ended_by(ends: Iterable[str]) -> str:
    """The same for a finding's values: `fin`, `reset`, or `fin and reset`."""
    return " and ".join(sorted(set(ends)))
