"""What a row of the table of warnings is: a code, when it appears, what to do. Knows no code."""

from __future__ import annotations

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
