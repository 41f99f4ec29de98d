"""Numbers as other tools take them (10k, 1.5M, 1e6, 1,000, 100/s), and how to write them here. Knows no option."""

from __future__ import annotations

import re

_SHORTHAND = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:e([0-9]))?([kM]?)(?:/s)?")
_GROUPS = re.compile(r",(?=[0-9]{3}(?:,[0-9]{3}){0,3}$)")
_ZEROS = {"": 0, "k": 3, "M": 6}


def written_out(text: str) -> str:
    """What to write in place of a number that is shortened as in other tools; empty where it is none."""
    found = _SHORTHAND.fullmatch(_GROUPS.sub("", text.strip().replace("_", "")))
    if found is None:
        return ""
    whole, decimals, exponent, unit = found[1], found[2] or "", int(found[3] or 0), found[4]
    zeros = exponent + _ZEROS[unit] - len(decimals)
    return f"; write {int(whole + decimals) * 10**zeros}" if zeros >= 0 else ""
