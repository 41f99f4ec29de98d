"""HTTP/1.1 in clear: where a message ends. RFC 9110 §6.4, §8.6, §15; RFC 9112 §6, §7, §8."""

from __future__ import annotations

from tests.support.hostile.behaviour import FIN, GOOD, RST, SILENCE, Drip, Endless, Pause, Row, head
from tests.support.hostile.outcomes import ends, fails, good, malformed, silent, too_large

_CHUNKED = "Transfer-Encoding: chunked"
_BODY = b"hello"
_CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
_HEAD = ("--method", "HEAD")
_MID_FIN, _MID_RST = "server_mid_response_fin", "server_mid_response_rst"


def _length(*values: str, body: bytes = _BODY) -> bytes:
    """A response with a Content-Length line for each value."""
    return head(*(f"Content-Length: {value}" for value in values)) + body


def _coded(*values: str, body: bytes = _CHUNKS) -> bytes:
    """A response with a Transfer-Encoding line for each value."""
    return head(*(f"Transfer-Encoding: {value}" for value in values)) + body


def _chunks(body: bytes) -> bytes:
    return head(_CHUNKED) + body


def _bare(status: int, *fields: str) -> bytes:
    """A head alone."""
    return head(*fields, status=f"HTTP/1.1 {status} Status")


_LENGTHS = (
    good("length_0", "RFC 9110 §8.6", (_length("0", body=b""),)),
    good("length_with_leading_zeros", "RFC 9110 §8.6", (_length("0005"),)),
    good("body_in_two_segments", "RFC 9112 §6.2", (GOOD[:-3], Pause(0.002), GOOD[-3:])),
    good("body_of_a_megabyte", "RFC 9112 §6.2", (_length("1000000", body=bytes(1_000_000)),)),
    malformed("two_different_lengths", "RFC 9112 §6.3", (_length("5", "6"),)),
    malformed("list_of_different_lengths", "RFC 9112 §6.3", (_length("5, 6"),)),
    malformed("length_with_plus", "RFC 9110 §8.6", (_length("+5"),)),
    malformed("length_with_minus", "RFC 9110 §8.6", (_length("-5"),)),
    malformed("length_is_hexadecimal", "RFC 9110 §8.6", (_length("0x5"),)),
    malformed("length_is_a_fraction", "RFC 9110 §8.6", (_length("5.0"),)),
    malformed("length_of_two_words", "RFC 9110 §8.6", (_length("5 5"),)),
    malformed("length_is_a_word", "RFC 9110 §8.6", (_length("five"),)),
    malformed("length_is_empty", "RFC 9110 §8.6", (_length(""),)),
    malformed("length_in_other_digits", "RFC 9110 §8.6", (_length("\xb5"),)),
    malformed("length_with_underscore", "RFC 9110 §8.6", (_length("1_0"),)),
    fails("length_of_2_to_the_64", "RFC 9110 §8.6", "malformed? body_too_large?", "client_gave_up",
            (_length(str(1 << 64)),)),
    fails("length_of_40_digits", "RFC 9110 §8.6", "malformed? body_too_large?", "client_gave_up",
            (_length("1" + "0" * 39),)),
    too_large("length_beyond_the_limit", "RFC 9110 §8.6", (_length(str(10**15)),), kind="body_too_large"),
    fails("fin_before_the_length_is_reached", "RFC 9112 §8", "truncated", _MID_FIN, (_length("6"), FIN)),
    silent("silence_before_the_length_is_reached", "RFC 9112 §8", (_length("6"), SILENCE)),
)  # fmt: skip

_WITHOUT_BODY = (
    good("status_204", "RFC 9112 §6.3", (_bare(204),), results="204"),
    good("status_204_with_a_length", "RFC 9112 §6.3", (_bare(204, "Content-Length: 5"),), results="204"),
    good("status_204_with_a_coding", "RFC 9112 §6.3", (_bare(204, _CHUNKED),), results="204"),
    ends("status_204_and_close", "RFC 9112 §9.6", (_bare(204, "Connection: close"),), results="204"),
    good("status_205", "RFC 9110 §15.3.6", (_bare(205, "Content-Length: 0"),), results="205"),
    good("status_304", "RFC 9112 §6.3", (_bare(304, 'ETag: "a"'),), results="304"),
    good("status_304_with_a_length", "RFC 9112 §6.3", (_bare(304, "Content-Length: 5"),), results="304"),
    good("status_304_with_a_coding", "RFC 9112 §6.3", (_bare(304, _CHUNKED),), results="304"),
    good("head_with_a_length", "RFC 9112 §6.3", (_bare(200, "Content-Length: 5"),), options=_HEAD),
    good("head_with_a_coding", "RFC 9112 §6.3", (_bare(200, _CHUNKED),), options=_HEAD),
    good("head_without_length", "RFC 9112 §6.3", (_bare(200),), options=_HEAD),
    good("head_with_a_huge_length", "RFC 9112 §6.3", (_bare(200, f"Content-Length: {10**15}"),), options=_HEAD),
    good("head_after_1xx", "RFC 9112 §6.3", (_bare(103) + _bare(200, "Content-Length: 5"),), options=_HEAD),
    ends("head_and_close", "RFC 9112 §9.6", (_bare(200, "Connection: close"),), options=_HEAD),
)  # fmt: skip

_UNTIL_CLOSE = (
    ends("until_fin", "RFC 9112 §6.3", (head() + _BODY, FIN)),
    ends("until_fin_without_a_body", "RFC 9112 §6.3", (head(), FIN)),
    ends("until_fin_in_several_segments", "RFC 9112 §6.3", (head(), Pause(0.002), _BODY, Pause(0.002), _BODY, FIN)),
    ends("until_fin_with_a_404", "RFC 9112 §6.3", (_bare(404) + _BODY, FIN), results="404"),
    ends("until_fin_in_http_1_0", "RFC 9112 §6.3", (head(status="HTTP/1.0 200 OK") + _BODY, FIN)),
    ends("until_fin_although_keep_alive", "RFC 9112 §9.3", (head("Connection: keep-alive") + _BODY, FIN)),
    fails("until_rst", "RFC 9112 §8", "truncated", _MID_RST, (head() + _BODY, Pause(0.005), RST)),
    silent("until_a_close_that_never_comes", "RFC 9112 §6.3", (head() + _BODY, SILENCE)),
    too_large("endless_body", "RFC 9112 §6.3", (head(), Endless(bytes(60_000))), kind="body_too_large",
            options=("--max-body", "100000")),
)  # fmt: skip

_CODINGS = (
    good("chunked", "RFC 9112 §7.1", (_chunks(_CHUNKS),)),
    good("chunked_in_capitals", "RFC 9112 §7", (_coded("CHUNKED"),)),
    good("chunked_after_an_empty_element", "RFC 9110 §5.6.1", (_coded(", chunked ,"),)),
    good("gzip_and_chunked", "RFC 9112 §6.3", (_coded("gzip, chunked"),)),
    good("gzip_and_chunked_in_two_lines", "RFC 9110 §5.3", (_coded("gzip", "chunked"),)),
    ends("gzip_alone", "RFC 9112 §6.3", (_coded("gzip", body=_BODY), FIN)),
    ends("chunked_is_not_the_last", "RFC 9112 §6.3", (_coded("chunked, gzip", body=_BODY), FIN)),
    ends("unknown_coding", "RFC 9112 §6.3", (_coded("xchunked", body=_BODY), FIN)),
    ends("chunked_in_http_1_0", "RFC 9112 §6.1", (head(_CHUNKED, status="HTTP/1.0 200 OK") + _CHUNKS, FIN)),
    ends("chunked_and_close", "RFC 9112 §9.6", (head(_CHUNKED, "Connection: close") + _CHUNKS,)),
)  # fmt: skip

_CHUNK_SYNTAX = (
    good("sizes_in_both_cases", "RFC 9112 §7.1", (_chunks(b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"),)),
    good("sizes_with_leading_zeros", "RFC 9112 §7.1", (_chunks(b"0005\r\nhello\r\n000\r\n\r\n"),)),
    good("no_chunk_but_the_last", "RFC 9112 §7.1", (_chunks(b"0\r\n\r\n"),)),
    good("a_hundred_chunks", "RFC 9112 §7.1", (_chunks(b"1\r\nx\r\n" * 100 + b"0\r\n\r\n"),)),
    good("chunks_byte_by_byte", "RFC 9112 §7.1", (head(_CHUNKED), Drip(_CHUNKS))),
    good("line_ends_within_chunk_data", "RFC 9112 §7.1", (_chunks(b"9\r\n\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n"),)),
    good("extension", "RFC 9112 §7.1.1", (_chunks(b"5;a=b;c\r\nhello\r\n0;d\r\n\r\n"),)),
    good("quoted_extension", "RFC 9112 §7.1.1", (_chunks(b'5;a="b;\\"c"\r\nhello\r\n0\r\n\r\n'),)),
    good("trailer_section", "RFC 9112 §7.1.2", (_chunks(b"5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n"),)),
    good("length_in_the_trailer_section", "RFC 9110 §6.5.1",
            (_chunks(b"5\r\nhello\r\n0\r\nContent-Length: 99\r\n\r\n"),)),
    good("close_in_the_trailer_section", "RFC 9110 §6.5.1",
            (_chunks(b"5\r\nhello\r\n0\r\nConnection: close\r\n\r\n"),)),
    malformed("size_is_no_number", "RFC 9112 §7.1", (_chunks(b"xyz\r\nhello\r\n0\r\n\r\n"),)),
    malformed("size_is_missing", "RFC 9112 §7.1", (_chunks(b"\r\nhello\r\n0\r\n\r\n"),)),
    malformed("size_with_minus", "RFC 9112 §7.1", (_chunks(b"-5\r\nhello\r\n0\r\n\r\n"),)),
    malformed("size_with_plus", "RFC 9112 §7.1", (_chunks(b"+5\r\nhello\r\n0\r\n\r\n"),)),
    malformed("size_with_prefix", "RFC 9112 §7.1", (_chunks(b"0x5\r\nhello\r\n0\r\n\r\n"),)),
    malformed("size_of_17_digits", "RFC 9112 §7.1", (_chunks(b"F" * 17 + b"\r\nhello\r\n0\r\n\r\n"),)),
    malformed("more_data_than_the_size", "RFC 9112 §7.1", (_chunks(b"4\r\nhello\r\n0\r\n\r\n"),)),
    malformed("no_line_end_behind_data", "RFC 9112 §7.1", (_chunks(b"5\r\nhello0\r\n\r\n"),)),
    malformed("trailer_without_colon", "RFC 9112 §7.1.2", (_chunks(b"5\r\nhello\r\n0\r\nX-Odd\r\n\r\n"),)),
    too_large("endless_extension", "RFC 9112 §7.1.1", (_chunks(b"5;a="), Endless(b"x" * 4096))),
    too_large("endless_trailer_section", "RFC 9112 §7.1.2",
            (_chunks(b"5\r\nhello\r\n0\r\n"), Endless(b"X-More: value\r\n" * 100))),
    too_large("endless_chunks", "RFC 9112 §7.1", (_chunks(b""), Endless(b"1000\r\n" + bytes(4096) + b"\r\n")),
              kind="body_too_large", options=("--max-body", "100000")),
    silent("chunks_and_no_last_one", "RFC 9112 §8", (_chunks(b"5\r\nhello\r\n"), SILENCE)),
    *(
        fails(f"{how}_in_the_{where}", "RFC 9112 §8", "truncated", ending, (head(_CHUNKED) + _CHUNKS[:size], *steps))
        for how, ending, steps in (("fin", _MID_FIN, (FIN,)), ("rst", _MID_RST, (Pause(0.005), RST)))
        for where, size in (("chunk_size", 1), ("chunk_data", 5), ("end_of_a_chunk", 9), ("last_chunk", 11),
                ("trailer_section", 13))
    ),
)  # fmt: skip

ROWS: tuple[Row, ...] = (*_LENGTHS, *_WITHOUT_BODY, *_UNTIL_CLOSE, *_CODINGS, *_CHUNK_SYNTAX)
