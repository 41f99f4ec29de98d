"""Header fields that a user gives: which may be sent, alone and together."""

from __future__ import annotations

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.headers import check_headers, parse_header

POLICY, DATA = "the connection policy sets", "it follows from --data"


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("X-A: b", ("X-A", "b")),
        ("X-A:b:c", ("X-A", "b:c")),
        ("X-A:", ("X-A", "")),
        ("X-A: \t b\tc \t", ("X-A", "b\tc")),
        ("X-A: é", ("X-A", "é")),
        ("!#$%&'*+.^_`|~: x", ("!#$%&'*+.^_`|~", "x")),
        ("Host: [::1]:80", ("Host", "[::1]:80")),
        ("host: a_b.example.", ("host", "a_b.example.")),
        ("Expect: 100-continue", ("Expect", "100-continue")),
    ],
)
def test_a_line_is_a_name_and_a_value(line: str, field: tuple[str, str]) -> None:
    assert parse_header(line) == field


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("X-A", "has no colon"),
        (": b", "not a token"),
        (":path: b", "not a token"),
        ("X A: b", "not a token"),
        ("X-A : b", "not a token"),
        (" X-A: b", "not a token"),
        ("X-Ä: b", "not a token"),
        ("X-A\r\nX-B: b", "not a token"),
        ("X-A: b\r\nX-B: c", "control character"),
        ("X-A: b\nX-B: c", "control character"),
        ("X-A: b\r", "control character"),
        ("X-A: \0", "control character"),
        ("X-A: \x0b", "control character"),
        ("X-A: \x7f", "control character"),
        ("X-A: ☃", "outside ISO 8859-1"),
        ("X-A: \udcff", "outside ISO 8859-1"),
        ("Connection: x", POLICY),
        ("KEEP-ALIVE: 5", POLICY),
        ("Proxy-Connection: close", POLICY),
        ("Upgrade: h2c", POLICY),
        ("HTTP2-Settings: AAA", POLICY),
        ("Content-Length: 0", DATA),
        ("Transfer-Encoding: chunked", DATA),
        ("TE: gzip", "--trailers"),
        ("Host:", "not a host"),
        ("Host: a b", "not a host"),
        ("Host: a, b", "not a host"),
        ("Host: http://a/", "not a host"),
        ("Host: u@a", "not a host"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_one_line(line: str, complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint) as caught:
        parse_header(line)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["Host", "Cookie", "User-Agent", "Content-Type", "Authorization", "Range"])
def test_a_field_whose_value_is_no_list_is_sent_once(name: str) -> None:
    check_headers(((name, "a"),))
    with pytest.raises(PlanError, match="given twice"):
        check_headers(((name, "a"), ("X", "y"), (name.lower(), "a")))


@pytest.mark.parametrize("name", ["Accept", "X-A", "Via", "Cache-Control", "Forwarded"])
def test_lists_and_unknown_fields_may_be_repeated(name: str) -> None:
    check_headers(((name, "a"), (name, "b")))
