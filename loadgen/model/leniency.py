"""Deviations from HTTP/1.1 that a user agent may accept, one row each, and counts of them.

Everything else that breaks a rule makes a response malformed. Parses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True, slots=True)
class _Leniency:
    """One leniency; see the attributes of Leniency."""

    bit: int
    section: str
    meaning: str
    repair: str


class Leniency(IntEnum):
    """A deviation that is accepted and counted. The values are bits: all deviations of one response are one int."""

    section: str
    """The rule that it breaks, or that says how to take it."""
    meaning: str
    """What the server sent, to follow the label."""
    repair: str
    """What the server should do."""

    OBS_FOLD = _Leniency(
        1, "RFC 9112 §5.2", "a field value goes on in the next line, which was read as a space",
        "write each field in one line",
    )  # fmt: skip
    BARE_LF = _Leniency(
        2, "RFC 9112 §2.2", "lines of a head or a trailer section end with LF alone", "end them with CR LF"
    )
    REPEATED_CONTENT_LENGTH = _Leniency(
        4, "RFC 9112 §6.3", "Content-Length came several times, with the same value", "send it once"
    )
    LENGTH_WITH_CHUNKED = _Leniency(
        8, "RFC 9112 §6.3", "Content-Length came beside a chunked body; the chunks count, and the connection is closed",
        "send no Content-Length beside Transfer-Encoding",
    )  # fmt: skip
    IDENTITY_CODING = _Leniency(
        16, "RFC 9112 §7", "Transfer-Encoding is identity, which is no coding any more; the Content-Length beside it "
        "counts, and the connection is closed", "send no such Transfer-Encoding",
    )  # fmt: skip
    CHUNK_BLANKS = _Leniency(
        32, "RFC 9112 §7.1", "blanks stand behind a chunk size, or in a chunk extension", "leave them out"
    )
    CONTROL_CHARACTER = _Leniency(
        64, "RFC 9110 §5.5", "a field value has a control character, which was read as a space", "leave it out"
    )
    EMPTY_LINE = _Leniency(
        128, "RFC 9112 §2.2", "an empty line came before a status line, or behind a body",
        "send no line end behind a body",
    )  # fmt: skip
    STATUS_LINE_BLANKS = _Leniency(
        256, "RFC 9112 §4", "the parts of a status line are not separated by one space each", "write one space"
    )
    MINOR_VERSION = _Leniency(
        512, "RFC 9110 §2.5", "the version is above HTTP/1.1, and was read as HTTP/1.1", "answer with HTTP/1.1"
    )

    def __new__(cls, row: _Leniency | int) -> Leniency:
        assert isinstance(row, _Leniency), "an int is for type checkers alone: Leniency(2) looks a member up"
        leniency = int.__new__(cls, row.bit)
        leniency._value_ = row.bit
        leniency.section, leniency.meaning, leniency.repair = row.section, row.meaning, row.repair
        return leniency

    @property
    def label(self) -> str:
        """The name used in `summary.json`: lower case, as in `obs_fold`."""
        return self.name.lower()


CLOSING = (Leniency.LENGTH_WITH_CHUNKED, Leniency.IDENTITY_CODING)
CLOSES = CLOSING[0] | CLOSING[1]
"""Deviations after which no second response is read from the connection: others may frame the first one differently."""


class LeniencyCounts:
    """Counts of one block: how many responses had each deviation."""

    __slots__ = ("_responses",)

    def __init__(self) -> None:
        self._responses: dict[int, int] = {}

    def note(self, notes: int) -> None:
        """A response had these deviations, the bits of `notes`."""
        self._responses[notes] = self._responses.get(notes, 0) + 1

    def take(self) -> dict[str, int]:
        """The counts since the last call, by label."""
        responses, self._responses = self._responses, {}
        return add_leniencies(
            {leniency.label: count for leniency in Leniency if notes & leniency} for notes, count in responses.items()
        )


def add_leniencies(counted: Iterable[dict[str, int] | None]) -> dict[str, int]:
    """The sum of several counts, in the order of the table; labels of other versions come last."""
    total: dict[str, int] = {}
    for one in counted:
        for label, count in (one or {}).items():
            total[label] = total.get(label, 0) + count
    known = {leniency.label: total.pop(leniency.label) for leniency in Leniency if leniency.label in total}
    return known | total
