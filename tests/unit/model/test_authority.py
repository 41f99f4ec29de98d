"""Authorities taken apart; tests/unit/model/test_target_url.py has what a whole URL makes of them."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.model.authority import Authority, authority, is_ip_literal, parse_authority


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("h", Authority(None, "h", None)),
        ("h:", Authority(None, "h", None)),
        ("h:00443", Authority(None, "h", 443)),
        ("@h", Authority("", "h", None)),
        ("a@b:c@h:1", Authority("a@b:c", "h", 1)),
        ("[2001:DB8::1]:65535", Authority(None, "2001:db8::1", 65535)),
    ],
)
def test_the_parts(text: str, parts: Authority) -> None:
    assert parse_authority(text) == parts


@pytest.mark.parametrize("text", ["", ":", ":80", "@", "u:secret@", "u:secret@:80", "u:secret@h:x", "u:secret@[::1]x"])
def test_a_complaint_is_one_line_without_the_user(text: str) -> None:
    with pytest.raises(ValueError, match=r"names no host|bad port|behind the bracket") as caught:
        parse_authority(text)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_taken_apart_or_refused(text: str) -> None:
    try:
        _, host, port = parse_authority(text)
    except ValueError:
        return
    assert host == host.lower()
    assert host.isascii()
    assert parse_authority(authority(host, port or 80)) == Authority(None, host, port or 80)


@given(st.ip_addresses(), st.integers(1, 65535))
def test_an_address_is_itself(address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> None:
    text = authority(str(address), port)
    assert parse_authority(text) == Authority(None, str(address), port)
    assert is_ip_literal(str(address))
