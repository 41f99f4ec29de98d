"""Field sections of HTTP/2 responses: what makes a head, and what RFC 9113 forbids."""

from __future__ import annotations

import pytest

from loadgen.wire.http1.head import FieldLines, Malformed
from loadgen.wire.http2.fields import HTTP1_CONNECTION_FIELDS, check_content, check_trailers, stream_head

STATUS = (b":status", b"200")


def test_a_section_becomes_a_head() -> None:
    head = stream_head((STATUS, (b"content-length", b"5"), (b"x", b"")))
    assert (head.status, head.persists, head.sets_cookies) == (200, True, False)
    assert head.headers == ((b"content-length", b"5"), (b"x", b""))  # without the pseudo-field


def test_cookies_are_noticed() -> None:
    assert stream_head((STATUS, (b"set-cookie", b"a=1"))).sets_cookies


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ((), ":status is ''"),
        (((b"x", b"1"),), ":status is ''"),
        ((STATUS, STATUS), ":status is '200, 200'"),
        (((b":status", b"20"),), ":status is '20'"),
        (((b":status", b"2000"),), ":status is '2000'"),
        (((b":status", b"099"),), ":status is '099'"),
        (((b":status", b"2x0"),), ":status is '2x0'"),
        (((b"x", b"1"), STATUS), "pseudo-field"),
        ((STATUS, (b":path", b"/")), "pseudo-field"),
        ((STATUS, (b"", b"1")), "the field ''"),
        ((STATUS, (b"Server", b"x")), "the field 'Server'"),
        ((STATUS, (b"a b", b"x")), "the field 'a b'"),
        ((STATUS, (b"a:b", b"x")), "the field 'a:b'"),
        ((STATUS, (b"a\x7fb", b"x")), "the field 'a\\x7fb'"),
        ((STATUS, (b"caf\xe9", b"x")), "the field 'caf\xe9'"),
        ((STATUS, (b"x", b" 1")), "the value of the field 'x'"),
        ((STATUS, (b"x", b"1\t")), "the value of the field 'x'"),
        ((STATUS, (b"x", b"a\nb")), "the value of the field 'x'"),
        ((STATUS, (b"x", b"a\0b")), "the value of the field 'x'"),
    ],
)
def test_a_malformed_section_is_refused_with_the_reason(fields: FieldLines, reason: str) -> None:
    with pytest.raises(Malformed) as caught:
        stream_head(fields)
    assert reason in str(caught.value)


@pytest.mark.parametrize("name", sorted(HTTP1_CONNECTION_FIELDS))
def test_fields_about_one_connection_are_refused(name: bytes) -> None:
    with pytest.raises(Malformed, match=name.decode()):
        stream_head((STATUS, (name, b"x")))
    with pytest.raises(Malformed, match=name.decode()):
        check_trailers(((name, b"x"),))


def test_a_trailer_section_has_no_pseudo_field() -> None:
    check_trailers(((b"digest", b"x"), (b"server-timing", b"a;dur=1")))
    with pytest.raises(Malformed, match=":status"):
        check_trailers((STATUS,))


def test_a_length_without_content() -> None:
    for status, length in ((b"200", b"0"), (b"200", b"00"), (b"304", b"5")):
        check_content(stream_head(((b":status", status), (b"content-length", length))))
    check_content(stream_head((STATUS,)))
    with pytest.raises(Malformed, match="content-length is 5, but no content came"):
        check_content(stream_head((STATUS, (b"content-length", b"5"))))
