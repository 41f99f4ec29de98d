"""What answers an HTTP/1.1 request and is no HTTP/1.x, by its first bytes."""

from __future__ import annotations

import pytest

from loadgen.wire.http1.lenient_lines import not_http
from loadgen.wire.http1.other_protocols import other_protocol, refuses_plain_http, shown


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\x15\x03\x01\x00\x02\x02\x46", "TLS"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00more", "HTTP/2 alone"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x01", r"no HTTP: '\x00\x00\x12\x04\x00\x00\x00\x00\x01'"),
        (b"SSH-2.0-OpenSSH_9", "SSH"),
        (b"<html>", "no HTTP: '<html>'"),
    ],
)
def test_what_it_speaks_instead(data: bytes, name: str) -> None:
    assert other_protocol(data).name == name


def test_only_a_400_with_the_words_of_a_tls_server_is_its_refusal() -> None:
    body = b"<center>The plain HTTP request was sent to HTTPS port</center>"
    assert refuses_plain_http(400, body)
    assert not refuses_plain_http(200, body)
    assert not refuses_plain_http(400, b"Bad Request")
    assert shown(bytes(30)) == "'" + r"\x00" * 24 + "'…"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            b"\0\0\x06\x04\0\0\0\0\0\0\x03",
            r"'\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03', so the server speaks HTTP/2 alone",
        ),
        (b"\x15\x03\x03", r"'\x15\x03\x03', so the server speaks TLS"),
        (b"<html>", "'<html>'"),
    ],
)
def test_a_run_names_it_where_it_is_known(data: bytes, said: str) -> None:
    assert str(not_http(data)) == f"the response starts with {said}"
