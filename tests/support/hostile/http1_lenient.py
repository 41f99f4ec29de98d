"""HTTP/1.1 in clear: what a user agent may accept although it breaks a rule: RFC 9112 §2.2 to §7.

What it accepts is noted under the name of the deviation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.support.hostile.behaviour import FIN, GOOD, SILENCE, Drip, Pause, Right, Row, Script, head
from tests.support.hostile.outcomes import ends, good, malformed, no_http

_CHUNKED = "Transfer-Encoding: chunked"
_LENGTH = "Content-Length: 5"
_BODY = b"hello"
_CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
_EMPTY_LINE = "empty_line"


def _closes(name: str, section: str, *answers: Script, **values: Any) -> Row:
    """It is measured, and this side closes: nothing that comes behind it can be trusted."""
    return ends(name, section, *answers, ending="client_gave_up", **values)


def _extra(name: str, section: str, *answers: Script, **values: Any) -> Row:
    """Bytes that no request asked for are counted, and this side closes."""
    row = _closes(name, section, *answers, **values)
    return replace(row, right={policy: replace(right, unasked=True) for policy, right in row.right.items()})


def _lf(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n")


_HEADS = (
    good("fold", "RFC 9112 §5.2", (head("Server: a", " b", _LENGTH) + _BODY,), notes="obs_fold"),
    good("fold_by_tab", "RFC 9112 §5.2", (head("Server: a", "\tb", "\tc", _LENGTH) + _BODY,), notes="obs_fold"),
    good("fold_before_the_length", "RFC 9112 §5.2", (head("Content-Length:", " 5") + _BODY,), notes="obs_fold"),
    good("fold_before_the_coding", "RFC 9112 §5.2", (head("Transfer-Encoding:", " chunked") + _CHUNKS,),
            notes="obs_fold"),
    ends("fold_before_close", "RFC 9112 §5.2", (head(_LENGTH, "Connection: keep-alive,", " close") + _BODY,),
            notes="obs_fold"),
    good("fold_byte_by_byte", "RFC 9112 §5.2", (Drip(head("Server: a", " b", _LENGTH) + _BODY),),
            notes="obs_fold"),
    malformed("fold_of_the_length", "RFC 9112 §5.2", (head("Content-Length: 5", " 5") + _BODY,)),
    malformed("blank_before_the_first_field", "RFC 9112 §2.2", (head(" Server: a", _LENGTH) + _BODY,)),
    malformed("blank_before_the_colon", "RFC 9112 §5.1", (head("Content-Length : 5") + _BODY,)),
    good("lf_alone", "RFC 9112 §2.2", (_lf(head(_LENGTH)) + _BODY,), notes="bare_lf"),
    good("lf_alone_byte_by_byte", "RFC 9112 §2.2", (Drip(_lf(head(_LENGTH)) + _BODY),), notes="bare_lf"),
    good("lf_and_cr_lf_mixed", "RFC 9112 §2.2", (b"HTTP/1.1 200 OK\nServer: a\r\nContent-Length: 5\n\r\nhello",),
            notes="bare_lf"),
    good("cr_lf_and_lf_at_the_end", "RFC 9112 §2.2", (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\nhello",),
            notes="bare_lf"),
    good("lf_alone_in_1xx", "RFC 9112 §2.2", (b"HTTP/1.1 103 Hints\n\n" + GOOD,), notes="bare_lf"),
    good("control_character_in_a_value", "RFC 9110 §5.5", (head("Server: a\x01b\x7f", _LENGTH) + _BODY,),
            notes="control_character"),
    malformed("control_character_in_the_length", "RFC 9110 §8.6", (head("Content-Length: 5\x01") + _BODY,)),
    malformed("nul_in_the_reason_phrase", "RFC 9112 §4", (head(_LENGTH, status="HTTP/1.1 200 O\0K") + _BODY,)),
    malformed("vertical_tab_in_the_reason_phrase", "RFC 9112 §4",
            (head(_LENGTH, status="HTTP/1.1 200 O\x0bK") + _BODY,)),
    good("blanks_in_the_status_line", "RFC 9112 §4", (head(_LENGTH, status="HTTP/1.1  200 \t OK") + _BODY,),
            notes="status_line_blanks"),
    good("http_1_2", "RFC 9110 §2.5", (head(_LENGTH, status="HTTP/1.2 200 OK") + _BODY,), notes="minor_version"),
    good("empty_line_before_the_status_line", "RFC 9112 §2.2", (b"\r\n" + GOOD,), notes=_EMPTY_LINE),
    good("lf_before_the_status_line", "RFC 9112 §2.2", (b"\n" + GOOD,), notes=_EMPTY_LINE),
    no_http("cr_alone_before_the_status_line", "RFC 9112 §2.2", (b"\rx" + GOOD,)),
)  # fmt: skip

_LENGTHS = (
    good("two_equal_lengths", "RFC 9112 §6.3", (head(_LENGTH, _LENGTH) + _BODY,), notes="repeated_content_length"),
    good("list_of_equal_lengths", "RFC 9110 §8.6", (head("Content-Length: 5, 5,5") + _BODY,),
            notes="repeated_content_length"),
    _closes("length_before_chunked", "RFC 9112 §6.3", (head(_LENGTH, _CHUNKED) + _CHUNKS,),
            notes="length_with_chunked"),
    _closes("length_behind_chunked", "RFC 9112 §6.3", (head(_CHUNKED, "Content-Length: 99") + _CHUNKS,),
            notes="length_with_chunked"),
    malformed("different_lengths_beside_chunked", "RFC 9112 §6.3",
            (head("Content-Length: 5", "Content-Length: 6", _CHUNKED) + _CHUNKS,)),
    _closes("identity_beside_a_length", "RFC 9112 §7", (head("Transfer-Encoding: identity", _LENGTH) + _BODY,),
            notes="identity_coding"),
    ends("identity_until_fin", "RFC 9112 §6.3", (head("Transfer-Encoding: identity") + _BODY, FIN)),
    # RFC 9112 §6.1 forbids it to senders; a recipient may refuse it or not.
    Row("chunked_twice", "RFC 9112 §6.1", ((head("Transfer-Encoding: chunked, chunked") + _CHUNKS,),),
        dict.fromkeys(("persistent", "close"),
                Right("200? malformed?", "client_silent? client_announced? client_gave_up?"))),
)  # fmt: skip

_CHUNK_SYNTAX = (
    good("blanks_behind_a_size", "RFC 9112 §7.1", (head(_CHUNKED) + b"5  \r\nhello\r\n0 \r\n\r\n",),
            notes="chunk_blanks"),
    good("blanks_in_an_extension", "RFC 9112 §7.1.1", (head(_CHUNKED) + b"5 ; a = b\r\nhello\r\n0\r\n\r\n",),
            notes="chunk_blanks"),
    good("lf_alone_in_the_trailer_section", "RFC 9112 §2.2", (head(_CHUNKED) + b"5\r\nhello\r\n0\r\nX-Sum: 1\n\n",),
            notes="bare_lf"),
    good("fold_in_the_trailer_section", "RFC 9112 §5.2",
            (head(_CHUNKED) + b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n 2\r\n\r\n",), notes="obs_fold"),
    malformed("lf_alone_behind_a_size", "RFC 9112 §7.1", (head(_CHUNKED) + b"5\nhello\r\n0\r\n\r\n",)),
    malformed("lf_alone_behind_data", "RFC 9112 §7.1", (head(_CHUNKED) + b"5\r\nhello\n0\r\n\r\n",)),
    malformed("cr_alone_behind_a_size", "RFC 9112 §2.2", (head(_CHUNKED) + b"5\rhello\r\n0\r\n\r\n",)),
    malformed("blank_before_a_size", "RFC 9112 §7.1", (head(_CHUNKED) + b" 5\r\nhello\r\n0\r\n\r\n",)),
    malformed("extension_without_semicolon", "RFC 9112 §7.1.1", (head(_CHUNKED) + b"5 a=b\r\nhello\r\n0\r\n\r\n",)),
    malformed("control_character_in_an_extension", "RFC 9112 §7.1.1",
            (head(_CHUNKED) + b"5;a=\x01\r\nhello\r\n0\r\n\r\n",)),
)  # fmt: skip

_BEHIND = (
    good("empty_line_behind_a_body", "RFC 9112 §2.2", (GOOD + b"\r\n",), notes=_EMPTY_LINE),
    good("lf_behind_a_body", "RFC 9112 §2.2", (GOOD + b"\n",), notes=_EMPTY_LINE),
    # The next response has the note, if the empty line did not come with the one before.
    Row("empty_line_behind_a_body_later", "RFC 9112 §2.2", ((GOOD, Pause(0.003), b"\r\n"),),
        {"persistent": Right("200", "client_silent", reused=True, notes=f"{_EMPTY_LINE}?"),
                "close": Right("200", "client_announced", notes=f"{_EMPTY_LINE}?")},
        options=("--think", "10ms", "--block", "150ms")),
    good("empty_line_behind_chunks", "RFC 9112 §2.2", (head(_CHUNKED) + _CHUNKS + b"\r\n",), notes=_EMPTY_LINE),
    good("empty_line_behind_a_204", "RFC 9112 §2.2", (head(status="HTTP/1.1 204 Empty") + b"\r\n",), results="204",
            notes=_EMPTY_LINE),
    _extra("a_body_behind_a_204", "RFC 9112 §6.3", (head(status="HTTP/1.1 204 Empty") + _BODY,), results="204"),
    _extra("a_body_behind_a_304", "RFC 9112 §6.3", (head(_LENGTH, status="HTTP/1.1 304 Same") + _BODY,),
            results="304"),
    _extra("a_body_behind_a_head", "RFC 9112 §6.3", (GOOD,), options=("--method", "HEAD")),
    _extra("a_byte_too_many", "RFC 9112 §6.2", (GOOD + b"x",)),
    _extra("a_byte_too_many_behind_chunks", "RFC 9112 §6.2", (head(_CHUNKED) + _CHUNKS + b"x",)),
    _extra("a_second_response", "RFC 9112 §9.2", (GOOD + GOOD,)),
    _extra("a_second_response_behind_chunks", "RFC 9112 §9.2", (head(_CHUNKED) + _CHUNKS + GOOD, SILENCE)),
)  # fmt: skip

ROWS: tuple[Row, ...] = (*_HEADS, *_LENGTHS, *_CHUNK_SYNTAX, *_BEHIND)
