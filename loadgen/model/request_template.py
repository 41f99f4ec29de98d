"""Places in a request that are filled anew for each one: `{n}`, `{user}`, `{uuid}`, `{random:1-100}`, a CSV's columns.

`{{name}}` is the text `{name}`. Sends nothing and reads no file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from loadgen.model.exceptions import PlanError

NUMBER, USER, UUID, RANDOM = "n", "user", "uuid", "random"
_PLAIN = (NUMBER, USER, UUID)
PLACE = re.compile(r"\{\{([A-Za-z_][\w-]*(?::[^{}\s\"]*)?)\}\}|\{([A-Za-z_][\w-]*(?::[^{}\s\"]*)?)\}", re.ASCII)
"""A place, or the text of one in double braces."""
_RANGE = re.compile(r"random:([0-9]{1,18})-([0-9]{1,18})", re.ASCII)
_MAX_SHOWN = 40


class Template:
    """A text with such places."""

    __slots__ = ("names", "pieces")

    def __init__(self, text: str) -> None:
        self.pieces: list[str] = []
        """Texts, and between them the names of what goes there."""
        self.names: tuple[str, ...] = ()
        """What stands at each place, as written: `n`, `random:1-100`."""
        begin, piece, names = 0, "", []
        for found in PLACE.finditer(text):
            piece += text[begin : found.start()]
            begin = found.end()
            if found[1] is not None:
                piece += f"{{{found[1]}}}"
            else:
                self.pieces.append(piece)
                names.append(found[2])
                piece = ""
        self.pieces.append(piece + text[begin:])
        self.names = tuple(names)

    def fill(self, value: Callable[[str], str]) -> str:
        """The text, with what `value` gives for each name."""
        parts = [self.pieces[0]]
        for name, piece in zip(self.names, self.pieces[1:], strict=True):
            parts += (value(name), piece)
        return "".join(parts)


def literal(text: str) -> str:
    """The template that is always this text."""
    return PLACE.sub(lambda found: f"{{{found[0]}}}", text)


def check_names(names: Iterable[str], columns: Iterable[str]) -> None:
    """Raise PlanError where a name is neither known nor one of the CSV's columns."""
    known = (*_PLAIN, *columns)
    for name in names:
        if name in known:
            continue
        if name.partition(":")[0] == RANDOM:
            random_range(name)
            continue
        raise PlanError(
            f"the template {{{name[:_MAX_SHOWN]}}} is unknown; use {', '.join(f'{{{one}}}' for one in known)}, "
            "{random:1-100}, or {{...}} for the text itself"
        )


def random_range(name: str) -> tuple[int, int]:
    """The least and the greatest number of `random:1-100`. Raises PlanError."""
    found = _RANGE.fullmatch(name)
    if found is None or int(found[1]) > int(found[2]):
        raise PlanError(f"the template {{{name[:_MAX_SHOWN]}}} has no range of numbers; write it like {{random:1-100}}")
    return int(found[1]), int(found[2])
