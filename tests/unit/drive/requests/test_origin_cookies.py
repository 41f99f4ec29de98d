"""A user's cookies over several origins: what each is sent."""

from __future__ import annotations

from typing import Any, cast

import pytest

from loadgen.drive.requests.origin_cookies import OriginUserState, states_of_user
from loadgen.drive.requests.request_mix import RequestMix
from loadgen.wire.http1.head import ResponseHead


class Mix:
    def __init__(self, origin: str) -> None:
        self.origin = origin


def head(cookie: str) -> ResponseHead:
    lines = ((b"Set-Cookie", cookie.encode()),)
    return ResponseHead(200, "1.1", 0, True, frozenset(), None, None, lines, True)


def states(*origins: str) -> list[OriginUserState]:
    return states_of_user(0, cast("list[RequestMix]", [Mix(origin) for origin in origins]))


@pytest.mark.parametrize(
    ("cookie", "other", "sent"),
    [
        ("a=1; Path=/", "http://h.test:82", "a=1"),  # ports of a host share them (RFC 6265 §8.5)
        ("a=1; Path=/", "http://other.test", ""),
        ("a=1; Path=/; Domain=h.test", "http://img.h.test", "a=1"),
        ("a=1; Path=/", "https://h.test", "a=1"),
    ],
)
def test_another_origin_is_sent_what_is_for_it(cookie: str, other: str, sent: str) -> None:
    first, second = states("http://h.test", other)
    assert second.cookies() == ""
    first.take_cookies(head(cookie), "")
    assert first.cookies() == "a=1"
    assert second.cookies() == sent


def test_a_secure_cookie_is_for_https_alone() -> None:
    secure, clear = states("https://h.test", "http://h.test")
    secure.take_cookies(head("a=1; Path=/; Secure"), "")
    assert (secure.cookies(), clear.cookies()) == ("a=1", "")


def test_the_same_head_counts_again_once_another_origin_has_changed_the_cookie() -> None:
    first, second = states("http://h.test", "http://h.test:82")
    one: Any = head("a=1; Path=/")
    first.take_cookies(one, "")
    second.take_cookies(head("a=2; Path=/"), "")
    assert first.cookies() == "a=2"
    first.take_cookies(one, "")
    assert (first.cookies(), second.cookies()) == ("a=1", "a=1")
