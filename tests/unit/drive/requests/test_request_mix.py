from __future__ import annotations

from loadgen.drive.requests.filled_request import RequestCounter
from loadgen.drive.requests.request_mix import MixedRequest, RequestMix
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.request_list import read_requests
from loadgen.model.target import parse_target

LINES = '{"url": "/a", "weight": 2}\n{"url": "/b", "method": "HEAD"}'


def test_the_choice_follows_from_the_connection() -> None:
    plan = Plan(parse_target("http://h/"), parse_policies("close"), requests=read_requests(LINES))
    mix = RequestMix(
        plan, lambda one: lambda is_last, cookies: f"{one.path} {is_last} {cookies}", lambda: 7, RequestCounter()
    )
    found = [mix.chosen(connection, index) for connection in range(10) for index in range(10)]
    assert [mix.chosen(connection, index) for connection in range(10) for index in range(10)] == found
    assert sum(one.is_head for one in found) in range(31, 37)
    assert {(one.path, one.is_head, one.plain.more) for one in found} == {
        ("/a", False, "/a False "), ("/b", True, "/b False "),
    }  # fmt: skip
    assert (mix.next_connection(), mix.user_state(3).index) == (7, 3)


def test_what_is_sent_with_cookies_is_remembered_until_it_is_written_anew() -> None:
    written: list[str] = []

    def write(is_last: bool, cookies: str) -> str:
        written.append(cookies)
        return cookies

    one = MixedRequest(write, "/", is_head=False)
    assert one.encoded(0, "") is one.plain
    assert one.encoded(0, "a=1") is one.encoded(0, "a=1")
    assert one.encoded(0, "a=1").last == "a=1"
    assert written == ["", "", "a=1", "a=1"]
    before = one.encoded(0, "a=1")
    one.rewrite()
    assert one.encoded(0, "a=1") is not before
    for number in range(300):
        one.encoded(0, f"a={number}")
    assert len(one._by_cookies) <= 256
