"""What a row of the table of warnings is: a code, when it appears, what to do. Knows no code."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class WarningRow(StrEnum):
    """The base of WarningCode."""

    when: str
    """When it appears."""
    action: str
    """What to do; empty where nothing has to be done."""

    def __new__(cls, code: str, when: str, action: str) -> WarningRow:
        member = str.__new__(cls, code)
        member._value_ = code
        member.when = when
        member.action = action
        return member


def markdown_table(codes: Iterable[WarningRow]) -> str:
    """These codes as a table in Markdown, for docs/warnings.md."""
    rows = [f"| `{code}` | {code.when} | {code.action or '–'} |" for code in codes]
    return "\n".join(["| code | when | what to do |", "| --- | --- | --- |", *rows]) + "\n"
