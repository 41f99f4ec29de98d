"""A scenario's client and its responses, without a network; `test_with_locust` runs these tests in a child process."""

from __future__ import annotations

import gzip
from types import SimpleNamespace
from typing import Any

import pytest
from locust.event import EventHook
from locust.exception import CatchResponseError, LocustError, ResponseError

from loadgen.drive.requests.call_result import CallResult
from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import PlanError
from loadgen.swarm.client import ReuseClient
from loadgen.swarm.request_failures import RequestFailed
from loadgen.swarm.response import ReuseResponse, failure_of
from loadgen.swarm.scenario_request import Trust
from loadgen.wire.http1.head import ResponseHead

PHASES: dict[str, int | None] = {"queue": None, "send": 1_000_000, "wait": 2_000_000, "receive": 500_000}


def redirect(location: str, status: int = 302) -> CallResult:
    return result(status, b"", Location=location)


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
        self.jar = None
        self.ways: list[tuple[str, Trust | None]] = []
        """Where requests went that are more than a method and a path."""
        self.later: list[CallResult] = []
        """The results after the first one."""
        self.client = ReuseClient(user, self, f"http://h:81{base}", "recycle:5")  # type: ignore[arg-type] # a stand-in
        self.ways.clear()

    def of(self, origin: str, trust: Trust | None = None) -> Any:
        if origin == "https://never":
            raise PlanError("HTTP/2 in clear, and the target speaks TLS")
        self.ways.append((origin, trust))
        return self

    def call(self, *request: Any) -> CallResult:
        self.calls.append(request if len(request) > 2 else (*request, (), b""))
        if len(request) > 5 and request[5] is not None:
            request[5].end(self.result)
        result = self.result
        if self.later:
            self.result = self.later.pop(0)
        return result


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


# The session


def test_names_are_those_of_http_user() -> None:
    rig = Rig("/api")
    rig.client.get("/a")
    rig.client.get("/a", params={"q": 1})
    rig.client.get("http://other/x?token=abc#f")
    rig.client.get("/a", name="given")
    with rig.client.rename_request("of a block"):
        rig.client.get("/a")
        rig.client.get("/a", name="given")
    rig.client.request_name = "of all"
    rig.client.get("/a")
    names = ["/api/a", "/api/a?q=1", "/x?token=***", "given", "of a block", "given", "of all"]
    assert [event["name"] for event in rig.events] == names


def test_what_a_session_sets_goes_with_all_requests() -> None:
    rig = Rig()
    rig.client.headers["X-Token"] = "t"
    rig.client.params = {"v": 2}
    rig.client.auth = ("me", "secret")
    rig.client.verify = False
    rig.client.get("/a", headers={"x-token": None, "X-Own": "1"}, params="q=1", cert="c.pem")
    assert rig.calls == [("GET", "/a?v=2&q=1", (("X-Own", "1"), ("Authorization", "Basic bWU6c2VjcmV0")), b"")]
    assert rig.ways == [("http://h:81", Trust(False, "c.pem"))]


def test_another_base_url_is_where_paths_go() -> None:
    rig = Rig("/api")
    assert rig.client.base_url == "http://h:81/api"
    rig.client.base_url = "https://other/v2/"
    rig.client.get("/a")
    rig.client.get("http://third/b")
    assert [call[1] for call in rig.calls] == ["/v2/a", "/b"]
    assert rig.ways == [("https://other", None), ("http://third", None)]
    assert [event["url"] for event in rig.events] == ["https://other/v2/a", "http://third/b"]


def test_hooks_are_called_before_the_report() -> None:
    rig = Rig()
    seen: list[Any] = []
    for hooks in (seen.append, [seen.append]):
        rig.client.get("/", hooks={"response": hooks})
    assert [one.status_code for one in seen] == [200, 200]
    with pytest.raises(ValueError, match="--proxy"):
        rig.client.get("/", proxies={"http": "http://p:1"})


def test_time_limits_and_streams_are_for_the_engine() -> None:
    rig = Rig()
    rig.client.get("/", timeout=3)
    rig.client.timeout = (1, 0.5)
    rig.client.get("/")
    rig.result = result(Content_Length="70")
    response = rig.client.get("/", stream=True)
    assert [call[4] for call in rig.calls] == [3.0, 1.5, 1.5]
    assert (response.content, rig.events[-1]["response_length"]) == (b"hello", 70)
    assert list(rig.client.iter_lines("/")) == ["hello"]


def test_a_streamed_body_that_is_cut_raises_what_requests_would() -> None:
    rig = Rig()
    response = rig.client.get("/", stream=True)
    stream = response.request.stream
    assert stream is not None
    stream.end(result(-ErrorKind.TRUNCATED, b""))
    with pytest.raises(RequestFailed, match="truncated"):
        list(response.iter_content(None))
    response.close()


# Redirects


def test_a_followed_redirect_is_one_request_and_knows_each_exchange() -> None:
    rig = Rig()
    rig.result = redirect("/b")
    rig.later = [redirect("http://other/c", 303), result(request_index=3)]
    response = rig.client.post("/a", json={}, headers={"Authorization": "secret"})
    assert [call[:2] for call in rig.calls] == [("POST", "/a"), ("GET", "/b"), ("GET", "/c")]
    assert [dict(call[2]).keys() for call in rig.calls] == [{"Authorization", "Content-Type"}, {"Authorization"}, set()]
    assert list(dict.fromkeys(way for way, _ in rig.ways)) == ["http://h:81", "http://other"]
    (event,) = rig.events
    assert (event["request_type"], event["name"], event["url"]) == ("POST", "/a", "http://h:81/a")
    assert event["response_time"] == 3 * 3.5
    assert (response.url, response.request.url, response.reused) == ("http://other/c", "http://other/c", True)
    assert [one.status_code for one in response.history] == [302, 303]
    found = event["context"]["redirects"]
    assert [(one["url"], one["status"], one["reused"]) for one in found] == [
        ("http://h:81/a", 302, False),
        ("http://h:81/b", 303, False),
    ]


def test_each_redirect_can_be_a_request_of_its_own() -> None:
    for name, names in ((None, ["/a", "/b"]), ("log in", ["log in", "log in (redirect 1)"])):
        rig = Rig()
        rig.client.each_redirect = True
        rig.result, rig.later = redirect("/b"), [result(404, request_index=1)]
        with rig.client.get("/a", name=name, catch_response=True) as response:
            assert len(rig.events) == 1  # the block judges the last one
            response.success()
        assert [event["name"] for event in rig.events] == names
        assert [event["response_time"] for event in rig.events] == [3.5, 3.5]
        assert [event["context"]["reused"] for event in rig.events] == [False, True]
        assert [event["exception"] for event in rig.events] == [None, None]


@pytest.mark.parametrize(("method", "options"), [("get", {"allow_redirects": False}), ("head", {})])
def test_a_redirect_that_is_not_followed(method: str, options: dict[str, Any]) -> None:
    rig = Rig()
    rig.result = redirect("/b")
    response = getattr(rig.client, method)("/a", **options)
    assert (len(rig.calls), response.status_code, response.is_redirect, response.ok) == (1, 302, True, True)


def test_a_redirect_to_where_the_policy_can_t_be_had_is_a_failure() -> None:
    rig = Rig()
    rig.client.each_redirect = True
    rig.result = redirect("https://never/b")
    response = rig.client.get("/a")
    assert (len(rig.calls), len(rig.events), response.status_code, response.ok) == (1, 1, 302, False)
    assert str(rig.events[0]["exception"]) == "unusable_redirect"


def test_a_streamed_response_behind_a_redirect() -> None:
    rig = Rig()
    rig.result, rig.later = redirect("/b"), [result(Content_Length="5")]
    response = rig.client.get("/a", stream=True)
    assert (list(response.iter_content(3)), len(response.history)) == ([b"hel", b"lo"], 1)
    assert rig.events[0]["response_length"] == 5


def test_a_loop_of_redirects_is_a_failure() -> None:
    rig = Rig()
    rig.result = redirect("/a")
    rig.client.max_redirects = 3
    response = rig.client.get("/a")
    assert (len(rig.calls), len(response.history), response.ok) == (4, 3, False)
    assert str(rig.events[0]["exception"]) == "too_many_redirects"
    with pytest.raises(RequestFailed, match="too_many_redirects"):
        response.raise_for_status()


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
    assert (response.json(), response.reused, response.error, response.error_kind) == ({"a": 1}, True, None, None)
    assert (response.reason, bool(response), response.history, response.raw.read()) == ("OK", True, (), b'{"a": 1}')
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


def test_a_body_is_read_in_pieces_lines_and_without_its_coding() -> None:
    body = "ä\r\nzwei".encode()
    response = ReuseResponse(result(body=body), "u", EventHook(), catches=False)
    assert (list(response.iter_content(4)), list(response.iter_lines())) == (
        [body[:4], body[4:]],
        [b"\xc3\xa4", b"zwei"],
    )
    assert "".join(response.iter_content(1, decode_unicode=True)) == "ä\r\nzwei"
    assert list(response.iter_lines(decode_unicode=True)) == ["ä", "zwei"]
    response.encoding = "latin-1"
    assert response.text == body.decode("latin-1")
    packed = ReuseResponse(result(body=gzip.compress(body), Content_Encoding="gzip"), "u", EventHook(), catches=False)
    assert (packed.content, b"".join(packed.iter_content(3))) == (body, body)


def test_a_response_knows_its_request_and_its_cookies() -> None:
    rig = Rig()
    rig.result = result(Set_Cookie="a=1")
    response = rig.client.get("/x")
    assert (response.request.method, response.request.url) == ("GET", "http://h:81/x")
    assert response.cookies.get_dict() == {"a": "1"}
    posted = rig.client.post("/x", json=1, headers={"A": "b"})
    assert (posted.request.body, dict(posted.request.headers)) == (b"1", {"A": "b", "Content-Type": "application/json"})


def test_an_error_is_an_exception_of_its_kind() -> None:
    broken = ReuseResponse(result(-ErrorKind.STALE_CONNECTION, b""), "u", EventHook(), catches=False)
    assert (broken.error_kind, str(broken.error), broken.content) == ("stale_connection", "stale_connection", b"")
    with pytest.raises(ValueError, match="Expecting value"):
        broken.json()


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


# Several at a time


def test_each_gathered_request_has_its_own_event_and_judge() -> None:
    rig = Rig()
    rig.later = [result(404), result()]
    fine, missing, judged = rig.client.gather(
        "/a", ("GET", "/b", {"name": "renamed"}), ("POST", "/c", {"data": b"x", "catch_response": True})
    )
    assert [event["name"] for event in rig.events] == ["/a", "renamed"]
    assert [event["exception"] and str(event["exception"]) for event in rig.events] == [None, "404"]
    with judged as response:
        response.failure("not what was wanted")
    assert (fine.status_code, missing.status_code, rig.events[2]["request_type"]) == (200, 404, "POST")
    assert str(rig.events[2]["exception"]) == "not what was wanted"


def test_a_websocket_goes_where_a_request_would() -> None:
    rig = Rig("/api")
    opened: list[Any] = []
    rig.websocket = lambda *request: opened.append(request)  # type: ignore[attr-defined] # of a client's
    rig.client.headers["X-All"] = "1"
    rig.client.verify = False
    for url in ("/chat?token=x", "wss://other/chat"):
        websocket = rig.client.websocket(url, headers={"X-Own": "2"}, context={"step": 1})
        websocket._open()
    assert opened == [
        ("/api/chat?token=x", (("X-All", "1"), ("X-Own", "2"))), ("/chat", (("X-All", "1"), ("X-Own", "2"))),
    ]  # fmt: skip
    assert [origin for origin, _ in rig.ways] == ["http://h:81", "https://other"]
    assert {trust and trust.verify for _, trust in rig.ways} == {False}
