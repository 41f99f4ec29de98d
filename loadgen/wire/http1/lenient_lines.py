"""Status lines and field lines, read as leniently as a user agent may (RFC 9112 §2.2, §4, §5), or refused.

For what the strict parser refuses. Frames nothing; knows no body and no socket.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from loadgen.model.leniency import Leniency
from loadgen.wire.http1.malformed import Malformed, NotHttp
from loadgen.wire.http1.other_protocols import UNKNOWN, other_protocol

_MAX_SHOWN_BYTES = 40
_NEWEST_MINOR = 1
_MIN_STATUS = 100

_TEXT = rb"[\t\x20-\x7e\x80-\xff]"
_STATUS_LINE = re.compile(rb"HTTP/1\.([0-9])([ \t]+)([0-9]{3})(?:([ \t]+)(%b*))?" % _TEXT)
_BARE_CR = re.compile(rb"\r(?!\n|\Z)")
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_BLANKS = b" \t"
# A control character in one of these may change what the message means, so it is no space there.
_DECIDING = frozenset({
    b"connection", b"content-length", b"expect", b"keep-alive", b"set-cookie", b"transfer-encoding", b"upgrade",
})  # fmt: skip


class LenientHead(NamedTuple):
    """A response's head as lines."""

    status: int
    version: str
    headers: list[tuple[bytes, bytes]]
    notes: int
    """The bits of each Leniency that it needed."""


def read_head(raw: bytes) -> LenientHead:
    """Read one whole response head, its empty line included. Raises Malformed."""
    first, *lines = raw.split(b"\n")
    line, notes = without_cr(first)
    status, version, of_status_line = _read_status_line(line)
    notes |= of_status_line
    headers: list[tuple[bytes, bytes]] = []
    for one in lines[:-1]:  # behind the last LF there is nothing
        line, bare = without_cr(one)
        notes |= bare
        if line:
            notes |= add_field(line, headers)
    return LenientHead(status, version, headers, notes)


def check_begin(data: bytes) -> None:
    """Raise Malformed if these bytes, the first of a head, can't become a whole one, however it goes on."""
    if not b"HTTP/".startswith(data[:5]):
        raise not_http(data)
    refuse_bare_cr(data)
    line, end, _ = data.partition(b"\n")
    if end:
        _read_status_line(line.removesuffix(b"\r"))


def not_http(data: bytes) -> NotHttp:
    name = other_protocol(data).name
    speaks = "" if name.startswith(UNKNOWN) else f", so the server speaks {name}"
    return NotHttp(f"the response starts with {data[:16].decode('latin-1')!r}{speaks}")


def without_cr(line: bytes) -> tuple[bytes, int]:
    """A line that ended with LF, without the CR before it; and the note where there was none. Raises Malformed."""
    whole = line.removesuffix(b"\r")
    if b"\r" in whole:
        raise _bare_cr()
    return whole, 0 if len(whole) < len(line) else int(Leniency.BARE_LF)


def refuse_bare_cr(data: bytes) -> None:
    """Raise Malformed where a CR is followed by anything but LF."""
    if _BARE_CR.search(data):
        raise _bare_cr()


def add_field(line: bytes, fields: list[tuple[bytes, bytes]]) -> int:
    """Add a line, which is not empty, to the fields before it; gives the notes. Raises Malformed."""
    if line[0] in _BLANKS:
        if not fields:
            raise Malformed("a blank stands before the first field (RFC 9112 §2.2)")
        name, before = fields.pop()
        value, notes = _clean(name, line)
        fields.append((name, b" ".join(part for part in (before, value) if part)))
        return notes | Leniency.OBS_FOLD
    name, colon, value = line.partition(b":")
    if not colon:
        raise Malformed(f"a field line has no colon: {_shown(line)} (RFC 9112 §5)")
    if not _NAME.fullmatch(name):
        if _NAME.fullmatch(name.rstrip(_BLANKS)):
            raise Malformed(f"a blank stands between the field name {_shown(name)} and its colon (RFC 9112 §5.1)")
        raise Malformed(f"a field name is {_shown(name)} (RFC 9110 §5.1)")
    value, notes = _clean(name, value)
    fields.append((name, value))
    return notes


def _read_status_line(line: bytes) -> tuple[int, str, int]:
    """Its status, version and notes."""
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        if _STATUS_LINE.fullmatch(_CONTROL.sub(b"", line)):
            raise Malformed(f"the status line {_shown(line)} has a control character (RFC 9112 §4)")
        raise Malformed(f"the status line is {_shown(line)} (RFC 9112 §4)")
    minor, before, status, behind = int(match[1]), match[2], int(match[3]), match[4]
    if status < _MIN_STATUS:
        raise Malformed(f"the status code is {match[3].decode()} (RFC 9110 §15)")
    notes = 0
    if before != b" " or behind not in (None, b" "):
        notes |= Leniency.STATUS_LINE_BLANKS
    if minor > _NEWEST_MINOR:
        notes |= Leniency.MINOR_VERSION
    return status, f"1.{min(minor, _NEWEST_MINOR)}", notes


def _clean(name: bytes, value: bytes) -> tuple[bytes, int]:
    """A field value with a space for each control character, without blanks around it; and the note for that."""
    found = _CONTROL.search(value)
    if found is None:
        return value.strip(_BLANKS), 0
    if b"\0" in value or name.lower() in _DECIDING:
        raise Malformed(f"the field {_shown(name)} has the control character {found[0]!r} (RFC 9110 §5.5)")
    return _CONTROL.sub(b" ", value).strip(_BLANKS), int(Leniency.CONTROL_CHARACTER)


def _bare_cr() -> Malformed:
    return Malformed("a CR stands without LF (RFC 9112 §2.2)")


def _shown(data: bytes) -> str:
    return repr(data[:_MAX_SHOWN_BYTES])
