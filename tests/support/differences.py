"""Where our reader of HTTP/1.1 differs from h11 and llhttp on purpose: each difference with its reason. Reads nothing.

What two readers both accept must be the same responses: there is no exception to that. They may differ in how far they
go: then ours has noted a leniency that the other has not, or a row below explains the words of the one that stops.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from loadgen.model.leniency import CLOSES
from tests.support.readings import Reading, read_ours


class Refusal(NamedTuple):
    """Words with which a reader refuses what another takes, and why ours does as it does."""

    words: str
    """A regular expression for their begin."""
    reason: str
    example: bytes


_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"

OTHERS_REFUSE = {
    "h11": (
        Refusal(
            "Only Transfer-Encoding: chunked", "other codings are framed too (RFC 9112 §6.3, point 4)",
            _OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nzz\r\n0\r\n\r\n",
        ),
        Refusal(
            "multiple Transfer-Encoding", "the last coding frames the body (RFC 9112 §6.3, point 4)",
            _OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        ),
        Refusal(
            "(conflicting|bad) Content-Length", "in a trailer section it is a field like any other (RFC 9110 §6.5)",
            _CHUNKED + b"0\r\nContent-Length: 0\r\nContent-Length: 00\r\n\r\n",
        ),
        Refusal("illegal request line", "llhttp too skips CR and LF in any order before the response", b"\r\r"),
        Refusal(r"illegal status line: bytearray\(b'\\r", "the same, with LF behind them", b"\r\r\r\n\n\n"),
        Refusal("no response line received", "empty lines come before the response (RFC 9112 §2.2)", b"\r\n"),
    ),
    "llhttp": (
        Refusal(
            "Data after `Connection: close`", "ours has closed the connection by then",
            _OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi" + _OK,
        ),
        Refusal(
            "Empty Transfer-Encoding", "it names no coding, so the end of the connection frames the body",
            _OK + b"Transfer-Encoding:\r\n\r\nhello",
        ),
        Refusal(
            "Content-Length can't be present", "in a trailer section it is a field like any other (RFC 9110 §6.5)",
            _CHUNKED + b"0\r\nContent-Length: 5\r\n\r\n",
        ),
        Refusal(
            "Invalid HTTP version", "a higher minor version is read as HTTP/1.1 (RFC 9110 §2.5)",
            b"HTTP/1.2 100 Continue\r\n",
        ),
        # What ours takes as a leniency, and notes only once the response is complete.
        Refusal(
            "Transfer-Encoding can't be present", "the chunks count (RFC 9112 §6.3)",
            _OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n",
        ),
        Refusal(
            "Duplicate Content-Length|Invalid character in Content-Length", "the same length again (RFC 9112 §6.3)",
            _OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
        ),
        Refusal(
            "Invalid header field char", "the empty line behind a head may end with LF alone (RFC 9112 §2.2)",
            b"HTTP/1.1 100 Continue\r\n\n",
        ),
        Refusal(
            "Missing expected CR", "lines of a head may end with LF alone (RFC 9112 §2.2)",
            b"HTTP/1.1 200 OK\nContent-Length: 5\n\n",
        ),
        Refusal(
            "Invalid character in chunk (size|extensions)", "blanks, there or in an extension (RFC 9112 §7.1)",
            _CHUNKED + b"5 \r\n",
        ),
        Refusal(
            "Unexpected whitespace after header value", "a field goes on in the next line (RFC 9112 §5.2)",
            _OK + b"X: a\r\n b\r\nContent-Length: 5\r\n\r\n",
        ),
        Refusal(
            "Invalid header value char", "a control character is read as a space (RFC 9110 §5.5)",
            _OK + b"X: a\x01b\r\nContent-Length: 5\r\n\r\n",
        ),
    ),
}  # fmt: skip
"""What other readers refuse, and ours takes."""

OURS_REFUSES = (
    Refusal(
        "Content-Length is .*, the limit|the body is longer", "the limit of a body is ours to choose (--max-body)",
        _OK + b"Content-Length: 65537\r\n\r\n" + bytes(65537),
    ),
    Refusal(
        "the status line", "a reason phrase has no control characters (RFC 9112 §4)",
        b"HTTP/1.1 200 O\x7fK\r\nContent-Length: 0\r\n\r\n",
    ),
    Refusal(
        "the status code is", "the first digit says the class, from 1 on (RFC 9110 §15)",
        b"HTTP/1.1 020 OK\r\nContent-Length: 0\r\n\r\n" + _OK + b"Content-Length: 0\r\n\r\n",
    ),
    Refusal(
        "the field .* has the control character", "in a field that decides something it may change what that means",
        _OK + b"Connection:\x19close\r\nContent-Length: 0\r\n\r\n",
    ),
    Refusal(
        "the chunk size", "the name of a chunk's extension is a token (RFC 9112 §7.1.1)",
        _CHUNKED + b"1;\xff\r\nx\r\n0\r\n\r\n",
    ),
)  # fmt: skip
"""What ours refuses where another reader reads one more response."""

_END_OF_HEAD = b"\r\n\r\n"
_FINAL = b"HTTP/1.1 204 No Content\r\n\r\n"


def unexplained(data: bytes, ours: Reading, theirs: Reading, name: str) -> str:
    """How two readings differ without a reason; empty where they agree, or where the difference has a reason."""
    common = min(len(ours.responses), len(theirs.responses))
    if ours.responses[:common] != theirs.responses[:common]:
        return f"{name} reads other responses from {data!r}: {theirs.responses[:common]}, not {ours.responses[:common]}"
    if len(theirs.responses) > common:
        is_explained = bool(ours.notes & CLOSES) or _has(OURS_REFUSES, ours.refusal)
    elif len(ours.responses) > common:
        # h11 uses no connection of an HTTP/1.0 server again.
        is_explained = _is_lenient(ours, theirs, name) or theirs.ended_by == "1.0"
    elif theirs.refusal and not ours.refusal:
        is_explained = _is_lenient(ours, theirs, name) or (ours.is_cut and _decides_later(data, theirs, name))
    else:
        is_explained = True  # the same, or ours refuses what theirs still waits for the end of
    return "" if is_explained else f"{name} differs on {data!r}: {theirs}, ours: {ours}"


def _is_lenient(ours: Reading, theirs: Reading, name: str) -> bool:
    """The other reader refused what ours took."""
    return bool(theirs.refusal) and (ours.notes != 0 or _has(OTHERS_REFUSE[name], theirs.refusal))


def _decides_later(data: bytes, theirs: Reading, name: str) -> bool:
    """Ours decides of a head once it is whole, and notes a leniency of an interim head with the final one."""
    decided = read_ours([data + _END_OF_HEAD])
    if decided.is_cut:
        return _is_lenient(read_ours([data + _END_OF_HEAD + _FINAL]), theirs, name)
    return bool(decided.refusal) or _is_lenient(decided, theirs, name)


def _has(rows: tuple[Refusal, ...], refusal: str) -> bool:
    return any(re.match(row.words, refusal) for row in rows)
