"""A user's cookies: those that servers set and those that the scenario sets are in one jar."""

from __future__ import annotations

from loadgen.drive.requests.cookies import PathCookieState
from loadgen.swarm.session_cookies import SessionCookies, response_cookies
from loadgen.wire.http1.head import ResponseHead


def head(cookie: str) -> ResponseHead:
    line = (b"Set-Cookie", cookie.encode())
    return ResponseHead(200, "1.1", 0, True, frozenset(), None, None, (line,), sets_cookies=True)


def test_the_scenario_reads_sets_and_drops_cookies() -> None:
    state = PathCookieState(0, "http://h")
    state.take_cookies(head("a=1"), "")
    jar = SessionCookies()
    jar.serve(state)
    assert (jar.get_dict(), state.cookies()) == ({"a": "1"}, "a=1")
    jar.set("b", "2", domain="h.local", path="/")
    assert set(state.cookies().split("; ")) == {"a=1", "b=2"}
    jar.clear()
    assert state.cookies() == ""
    state.take_cookies(same := head("c=3"), "")
    assert state.cookies() == "c=3"
    jar.clear()
    state.take_cookies(same, "")  # the same head sets it again: the jar has lost it
    assert state.cookies() == "c=3"


def test_states_of_several_origins_share_a_jar_and_each_sends_its_own() -> None:
    here, there = PathCookieState(0, "http://a.example"), PathCookieState(0, "http://b.example")
    jar = SessionCookies()
    jar.serve(here)
    jar.serve(there)
    here.take_cookies(head("a=1"), "")
    there.take_cookies(head("b=2"), "")
    assert (here.cookies(), there.cookies()) == ("a=1", "b=2")
    assert jar.get_dict() == {"a": "1", "b": "2"}
    copied = jar.copy()
    jar.clear()
    assert (here.cookies(), there.cookies(), copied.get_dict()) == ("", "", {"a": "1", "b": "2"})


def test_what_a_response_sets() -> None:
    assert response_cookies(["a=1; Path=/", "b=2"], "http://h/x").get_dict() == {"a": "1", "b": "2"}
