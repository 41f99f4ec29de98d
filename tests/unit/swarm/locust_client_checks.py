"""A scenario's client and its responses, without a network; `test_with_locust` runs these tests in a child process."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from locust.event import EventHook
from locust.exception import CatchResponseError, LocustError, ResponseError

from loadgen.drive.requests.call_result import CallResult
from loadgen.model.errors import ErrorKind
from loadgen.swarm.client import ReuseClient
from loadgen.swarm.response import Headers, RequestFailed, ReuseResponse, failure_of
from loadgen.wire.http1.head import ResponseHead

PHASES: dict[str, int | None] = {"queue": None, "send": 1_000_000, "wait": 2_000_000, "receive": 500_000}


def result(outcome: int = 200, body: bytes = b"hello", request_index: int = 0, **fields: str) -> CallResult:
    lines = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in fields.items())
    head = ResponseHead(outcome, "1.1", len(body), True, frozenset(), None, None, lines) if outcome > 0 else None
    return CallResult(outcome, "", head, body, PHASES, 3_500_000, 7, request_index)


class Rig:
    """A client whose calls are answered by `result`, and the events that it fires."""

    def __init__(self, base: str = "") -> None:
        self.events: list[dict[str, Any]] = []
        self.calls: list[tuple[Any, ...]] = []
        self.result = result()
        hook = EventHook()
        hook.add_listener(lambda **values: self.events.append(values))
        user: Any = SimpleNamespace(
            environment=SimpleNamespace(events=SimpleNamespace(request=hook)), context=lambda: {"shop": "a"}
        )
        self.client = ReuseClient(user, self, "http://h:81", base, "recycle:5")  # type: ignore[arg-type] # a stand-in

    def call(self, *request: Any) -> CallResult:
        self.calls.append(request)
        return self.result


# Requests


@pytest.mark.parametrize(
    ("base", "path", "params", "target"),
    [
        ("", "/a?b=1#c", None, "/a?b=1#c"),
        ("/api", "", None, "/api/"),
        ("", "", None, "/"),
        ("", "?x=1", None, "/?x=1"),
        ("/api", "/a", None, "/api/a"),
        ("", "/a", {"q": "x y", "n": [1, 2]}, "/a?q=x+y&n=1&n=2"),
        ("", "/a?b=1#c", "d=2", "/a?b=1&d=2"),
        ("", "http://h:81/z", None, "/z"),
    ],
)
def test_what_is_asked_for(base: str, path: str, params: Any, target: str) -> None:
    rig = Rig(base)
    response = rig.client.get(path, params=params)
    assert rig.calls == [("GET", target, (), b"")]
    assert response.url == f"http://h:81{target}"


def test_another_host_s_url_is_refused() -> None:
    with pytest.raises(ValueError, match="another host's; a user's requests go to http://h:81"):
        Rig().client.get("http://other/")


@pytest.mark.parametrize(
    ("values", "kind", "body"),
    [
        ({"json": {"a": 1}}, "application/json", b'{"a": 1}'),
        ({"data": {"a": "x y"}}, "application/x-www-form-urlencoded", b"a=x+y"),
        ({"data": [("a", 1), ("a", 2)]}, "application/x-www-form-urlencoded", b"a=1&a=2"),
        ({"data": "ä"}, None, "ä".encode()),
        ({"data": b"\0"}, None, b"\0"),
        ({"json": [], "headers": {"content-type": "text/x"}}, "text/x", b"[]"),
    ],
)
def test_bodies(values: dict[str, Any], kind: str | None, body: bytes) -> None:
    rig = Rig()
    rig.client.post("/", **values)
    ((method, _, fields, sent),) = rig.calls
    assert (method, sent) == ("POST", body)
    assert [value for name, value in fields if name.lower() == "content-type"] == ([kind] if kind else [])


def test_every_method_has_its_name() -> None:
    rig = Rig()
    for method in ("get", "head", "options", "delete", "post", "put", "patch"):
        getattr(rig.client, method)("/")
    assert [call[0] for call in rig.calls] == ["GET", "HEAD", "OPTIONS", "DELETE", "POST", "PUT", "PATCH"]


# Events


def test_a_request_is_reported_with_its_times_and_its_context() -> None:
    rig = Rig()
    rig.result = result(request_index=2)
    response = rig.client.get("/a", name="items", context={"step": 1})
    (event,) = rig.events
    assert (event["name"], event["response_time"], event["response_length"]) == ("items", 3.5, 5)
    assert event["exception"] is None
    assert event["response"] is response
    assert event["context"] == {"shop": "a", "step": 1, "phases": PHASES, "reused": True, "policy": "recycle:5"}


@pytest.mark.parametrize(("outcome", "text"), [(503, "503"), (-ErrorKind.STALE_CONNECTION, "stale_connection")])
def test_a_failure_is_reported_and_raises_nothing(outcome: int, text: str) -> None:
    rig = Rig()
    rig.result = result(outcome, b"")
    response = rig.client.get("/")
    assert (response.ok, response.status_code, response.status) == (False, max(outcome, 0), max(outcome, 0))
    assert repr(rig.events[0]["exception"]) == text
    with pytest.raises(RequestFailed, match=text):
        response.raise_for_status()


def test_no_response_is_never_ok() -> None:
    assert failure_of(result(204)) is None
    assert failure_of(result(399)) is None
    assert str(failure_of(result(400))) == "400"


# Responses


def test_what_a_response_says() -> None:
    response = ReuseResponse(result(body=b'{"a": 1}', request_index=1), "u", EventHook(), catches=False)
    assert (response.json(), response.reused, response.error) == ({"a": 1}, True, None)
    assert response.elapsed.total_seconds() == 0.0035
    assert response.phases["wait"] == 2_000_000
    assert repr(response) == "<ReuseResponse [200]>"


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        ("text/plain; charset=latin-1", "\xc3\xa4"),
        ('text/plain; charset="UTF-8"; x=y', "ä"),
        ("text/plain", "ä"),
        ("text/plain; charset=none-such", "ä"),
    ],
)
def test_a_text_is_decoded_as_its_content_type_says(content_type: str, text: str) -> None:
    found = result(body="ä".encode(), Content_Type=content_type)
    assert ReuseResponse(found, "u", EventHook(), catches=False).text == text


def test_headers_of_one_name_are_joined_and_kept() -> None:
    lines = ((b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"Server", b"x"))
    headers = Headers(ResponseHead(200, "1.1", 0, True, frozenset(), None, None, lines))
    assert (headers["SET-COOKIE"], headers.get_all("set-cookie")) == ("a=1, b=2", ["a=1", "b=2"])
    assert (list(headers), len(headers), "server" in headers, 3 in headers) == (
        ["Set-Cookie", "Server"],
        2,
        True,
        False,
    )
    assert headers.get_all("none") == []
    assert dict(Headers(None)) == {}


# Judging in a `with` block


def judged(outcome: int, judge: Any) -> Any:
    """The exception that is reported of a response after a block that judged it."""
    rig = Rig()
    rig.result = result(outcome, b"")
    with rig.client.get("/", catch_response=True) as response:
        assert rig.events == []  # nothing is reported before the block's end
        judge(response)
    (event,) = rig.events
    return event["exception"]


def test_the_verdict_of_the_block_counts() -> None:
    assert judged(500, lambda response: response.success()) is None
    assert str(judged(200, lambda response: response.failure("too slow"))) == "too slow"
    assert isinstance(judged(200, lambda response: response.failure("x")), CatchResponseError)
    error = ValueError("own")
    assert judged(200, lambda response: response.failure(error)) is error
    assert str(judged(500, lambda _: None)) == "500"
    assert judged(200, lambda _: None) is None


def test_a_response_error_of_the_block_is_the_verdict() -> None:
    def judge(response: ReuseResponse) -> None:
        raise ResponseError("wrong")

    assert str(judged(200, judge)) == "wrong"


def test_any_other_exception_of_the_block_is_raised_and_nothing_counted() -> None:
    rig = Rig()
    with pytest.raises(KeyError), rig.client.get("/", catch_response=True):
        raise KeyError
    assert rig.events == []


def test_judging_needs_a_block() -> None:
    response = Rig().client.get("/", catch_response=True)
    for judge in (response.success, lambda: response.failure("x")):
        with pytest.raises(LocustError, match="with block"):
            judge()
    with pytest.raises(LocustError, match="catch_response=True"), Rig().client.get("/"):
        pass
