"""The table of findings as lines for a terminal or a pipe of any width: nothing is cut off. Prints nothing itself.

One line for each check with its verdict and what was measured; what to do about it stands below, where there is room.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest
from typing import NamedTuple

from rich.text import Text

from loadgen.model.audit import AuditRecord
from loadgen.model.characters import visible
from loadgen.show.formatting import ABSENT
from loadgen.show.tables.findings import findings, findings_by_group
from loadgen.show.tables.table import Row

VERDICT_STYLES = {"ok": "green", "note": "cyan", "warning": "yellow", "violation": "bold red", "unknown": "dim"}
_WIDE_COLUMNS = 110  # from here on what was announced and the rule have columns of their own
_GAP = 2
_VERDICT_WIDTH = len("violation")
_MAX_TITLE, _MAX_ANNOUNCED, _MAX_RULE = 27, 22, 16
_MAX_ANNOUNCED_LINES = 2  # more of them go below, where they are not narrow
_MIN_MERGED = 3
_MIN_TITLE = len("12 checks")
_MIN_MEASURED = 20
_BEFORE_A_UNIT = re.compile(r"(?<=\d) (?=(?:ns|µs|ms|s|h|days|bytes)\b)")
_ARROW = "→ "


class _Widths(NamedTuple):
    """Of the columns, in characters; 0 for one that is not there."""

    title: int
    measured: int
    announced: int
    rule: int


def audit_lines(audit: AuditRecord, width: int) -> Iterator[Text]:
    """All findings by group, `width` characters wide."""
    widths = _widths(findings(audit).rows, width)
    for group, table in findings_by_group(audit).items():
        yield Text()
        yield Text(visible(group), "bold")
        for row in _merged(table.rows):
            yield from _row_lines(tuple(map(visible, row)), widths, width)


def _merged(rows: Sequence[Row]) -> Iterator[Row]:
    """Neighbours that say the same become one row, which names them: a server that does not answer has very many."""
    for (announced, measured, verdict, advice), same in groupby(rows, lambda row: (*row[1:4], row[5])):
        those = list(same)
        if len(those) < _MIN_MERGED:
            yield from those
            continue
        names = ", ".join(row[0] for row in those)
        yield f"{len(those)} checks", announced, f"{measured} ({names})", verdict, ABSENT, advice


def _widths(rows: Sequence[Row], width: int) -> _Widths:
    title, announced, rule = (
        min(most, max((len(row[column]) for row in rows), default=0))
        for column, most in ((0, min(_MAX_TITLE, width // 3)), (1, _MAX_ANNOUNCED), (4, _MAX_RULE))
    )
    title = max(title, _MIN_TITLE)
    if width < _WIDE_COLUMNS:
        announced = rule = 0
    columns = [one for one in (title, _VERDICT_WIDTH, announced, rule) if one]
    measured = max(_MIN_MEASURED, width - sum(columns) - _GAP * (len(columns) + 1))
    return _Widths(title, measured, announced, rule)


def _row_lines(row: Row, widths: _Widths, width: int) -> Iterator[Text]:
    """The check and its verdict at the left; at the right what was measured, and below that what to do."""
    title, announced, _, verdict, rule, _ = row
    if len(_wrap(announced, widths.announced or 1)) > _MAX_ANNOUNCED_LINES:
        widths = widths._replace(measured=widths.measured + widths.announced + _GAP, announced=0)
    left = [(part, "") for part in _wrap(title, widths.title)]
    if not widths.rule and rule != ABSENT:
        left += [(part, "dim") for part in _wrap(rule, widths.title)]
    right = [*_measured(row, widths), *_below(row, widths, width)]
    for number, ((part, style), text) in enumerate(_side_by_side(left, right)):
        line = Text(" " * _GAP).append(part.ljust(widths.title + _GAP), style)
        shown = verdict if not number else ""
        line.append(shown.ljust(_VERDICT_WIDTH + _GAP), VERDICT_STYLES[verdict])
        line.append_text(text)
        line.rstrip()
        yield line


def _side_by_side(left: list[tuple[str, str]], right: list[Text]) -> Iterator[tuple[tuple[str, str], Text]]:
    for number in range(max(len(left), len(right))):
        yield (
            left[number] if number < len(left) else ("", ""),
            right[number] if number < len(right) else Text(),
        )


def _measured(row: Row, widths: _Widths) -> Iterator[Text]:
    """What was measured, and beside it, where there is room, what was announced and the rule."""
    _, announced, measured, _, rule, _ = row
    cells = (
        (measured, widths.measured, ""),
        (announced, widths.announced, "dim" if announced == ABSENT else ""),
        (rule, widths.rule, "dim"),
    )
    columns = [(_wrap(text, size), size, style) for text, size, style in cells if size]
    for parts in zip_longest(*(lines for lines, _, _ in columns), fillvalue=""):
        line = Text()
        for part, (_, size, style) in zip(parts, columns, strict=True):
            line.append(part.ljust(size), style).append(" " * _GAP)
        yield line


def _below(row: Row, widths: _Widths, width: int) -> Iterator[Text]:
    _, announced, _, _, _, advice = row
    room = max(_MIN_MEASURED, width - (_GAP + widths.title + _GAP + _VERDICT_WIDTH + _GAP))
    if not widths.announced and announced != ABSENT:
        yield from (Text(part, "dim") for part in _wrap(f"announced: {announced}", room))
    for number, part in enumerate(_wrap(advice, room - len(_ARROW))):
        yield Text((" " * len(_ARROW) if number else _ARROW) + part)


def _wrap(text: str, width: int) -> list[str]:
    """Lines of at most this width; a number and its unit stay together."""
    lines = textwrap.wrap(_BEFORE_A_UNIT.sub("\xa0", text), width)
    return [line.replace("\xa0", " ") for line in lines]
