"""Cookies of users: kept from responses, sent by their path, gone once they have expired."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.drive.requests.cookies import PathCookieState
from loadgen.drive.requests.user_state import EncodedRequest, UserState
from loadgen.wire.http1.head import ResponseHead

ORIGIN = "http://h:81"


def head(*cookies: str) -> ResponseHead:
    lines = tuple((b"Set-Cookie", cookie.encode()) for cookie in cookies)
    return ResponseHead(200, "1.1", 0, True, frozenset(), None, None, lines, True)


def written(is_last: bool, cookies: str) -> Any:
    return is_last, cookies


def test_a_user_sends_what_it_was_given() -> None:
    user = UserState(3, EncodedRequest(written))
    assert (user.requests.more, user.requests.last) == ((False, ""), (True, ""))
    user.take_cookies(head("a=1; Path=/", "b=2; Path=/elsewhere"), f"{ORIGIN}/here")
    assert (user.requests.more, user.requests.last) == ((False, "a=1"), (True, "a=1"))
    user.take_cookies(head("a=; Max-Age=0; Path=/"), f"{ORIGIN}/here")
    assert user.requests.more == (False, "")


def test_equal_heads_are_read_once() -> None:
    user = UserState(0, EncodedRequest(written))
    same = head("a=1")
    user.take_cookies(same, f"{ORIGIN}/")
    before = user.requests
    user.take_cookies(same, f"{ORIGIN}/")
    assert user.requests is before


def test_a_rewritten_request_keeps_its_form() -> None:
    prefix = ["first"]
    request = EncodedRequest(lambda is_last, cookies: f"{prefix[0]} {is_last} {cookies}")
    prefix[0] = "second"
    assert request.more == "first False "
    request.rewrite()
    assert (request.more, request.last) == ("second False ", "second True ")
    assert request.with_cookies("a=1").last == "second True a=1"


class Visit:
    """A user whose requests have paths of their own."""

    def __init__(self) -> None:
        self.state = PathCookieState(0, ORIGIN)

    def given(self, path: str, *cookies: str) -> None:
        self.state.path = path
        self.state.take_cookies(head(*cookies), ORIGIN)

    def sent(self, path: str) -> str:
        self.state.path = path
        return self.state.cookies()


def test_cookies_go_where_their_path_says() -> None:
    visit = Visit()
    assert visit.sent("/in") == ""
    visit.given("/in", "a=1; Path=/in", "b=2; Path=/")
    assert [visit.sent(path) for path in ("/in", "/in/deep", "/out")] == ["a=1; b=2", "a=1; b=2", "b=2"]


def test_a_request_beside_the_present_one_has_the_cookies_of_its_own_path() -> None:
    visit = Visit()
    visit.given("/in/x", "a=1")
    visit.state.take_cookies_of("/out/x", head("b=2"), ORIGIN)
    assert [visit.state.cookies_of(path) for path in ("/in/y", "/out/y")] == ["a=1", "b=2"]
    assert (visit.state.path, visit.state.cookies()) == ("/in/x", "a=1")


def test_the_same_field_means_another_path_elsewhere() -> None:
    visit = Visit()
    same = head("a=1")  # without a path it is that of the request
    for path in ("/one/x", "/two/x"):
        visit.state.path = path
        visit.state.take_cookies(same, ORIGIN)
    assert [visit.sent(path) for path in ("/one/y", "/two/y", "/three/y")] == ["a=1", "a=1", ""]


def test_cookies_are_replaced_and_taken_back() -> None:
    visit = Visit()
    visit.given("/", "a=1")
    assert visit.sent("/") == "a=1"
    visit.given("/", "a=2")
    assert visit.sent("/") == "a=2"
    visit.given("/", "a=; Max-Age=0")
    assert visit.sent("/") == ""


def test_a_cookie_goes_no_more_once_it_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [1_000_000.0]
    monkeypatch.setattr("http.cookiejar.time.time", lambda: now_s[0])
    visit = Visit()
    visit.given("/", "a=1; Max-Age=5", "b=2")
    assert visit.sent("/x") == "a=1; b=2"
    now_s[0] += 4
    assert visit.sent("/x") == "a=1; b=2"
    now_s[0] += 1
    assert visit.sent("/x") == "b=2"


def test_a_cookie_that_expires_while_the_jar_is_read_is_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The jar gives it, and drops it before it returns: then no cookie of it expires."""
    now_s = [1_000_000.0]
    monkeypatch.setattr("http.cookiejar.time.time", lambda: now_s[0])
    visit = Visit()
    visit.given("/", "a=1; Max-Age=5")
    times = iter([1_000_004.999])
    monkeypatch.setattr("http.cookiejar.time.time", lambda: next(times, 1_000_005.001))
    assert [visit.sent("/x") for _ in range(2)] == ["a=1", ""]


def test_an_expired_cookie_can_be_set_again_by_the_same_field(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [1_000_000.0]
    monkeypatch.setattr("http.cookiejar.time.time", lambda: now_s[0])
    visit = Visit()
    same = head("a=1; Max-Age=5")
    visit.state.take_cookies(same, ORIGIN)
    now_s[0] += 4
    visit.state.take_cookies(same, ORIGIN)
    now_s[0] += 4
    assert visit.sent("/") == "a=1"


def test_only_so_many_paths_are_remembered() -> None:
    visit = Visit()
    visit.given("/", "a=1; Path=/")
    for number in range(600):
        assert visit.sent(f"/{number}") == "a=1"
    assert len(visit.state._by_path) <= 256
