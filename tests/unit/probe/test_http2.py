"""The probes of HTTP/2 on servers that keep the rules, or do not speak it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from hyperframe.frame import DataFrame, GoAwayFrame

from loadgen.model.audit import AuditRecord, FindingRecord
from loadgen.model.proxy import parse_proxy
from loadgen.model.units import NS_PER_MS
from loadgen.probe.http2 import PROBES
from loadgen.probe.http2.http2_link import Way
from loadgen.probe.http2.over_http2 import over_http2
from loadgen.target.behaviour import Behaviour
from loadgen.target.certificates import server_context
from tests.support.audits import audit, finding, opened_within_ns
from tests.support.processes import HELLO, read_request, scripted_server
from tests.support.proxies import fake_proxy, proxy_url
from tests.support.target_thread import target_in_thread
from tests.support.upgrade_servers import Http2Side
from tests.support.violations.http2 import Speak, closes_after, http2

SHORT: dict[str, Any] = {"idle_max_ns": 900 * NS_PER_MS, "timeout_ns": 500 * NS_PER_MS, "max_requests": 200}
LAST_OPEN = (1 << 31) - 1


@pytest.mark.parametrize("way", Way)
def test_a_server_with_limits_that_it_announces(tmp_path: Path, way: Way) -> None:
    ca_file = tmp_path / "ca.pem"
    context = server_context(("127.0.0.1",), ca_file, ("h2", "http/1.1")) if way is Way.ALPN else None
    declines = frozenset({"h2"} if way is Way.UPGRADE else ())
    behaviour = Behaviour(idle_timeout_ns=400 * NS_PER_MS, close_after=60, max_streams=20, declines=declines)
    with target_in_thread(behaviour, context) as server, fake_proxy() as (_, port):
        plan = SHORT | {"proxy": parse_proxy(proxy_url(port))}
        if context is not None:
            plan["cacert"] = str(ca_file)
        record = audit(f"{'http' if context is None else 'https'}://127.0.0.1:{server.port}/", "http2", **plan)
    found = record["findings"]
    assert {one["verdict"] for one in found.values()} <= {"ok", "note"}, found
    assert_explained(record)
    values = {name.removeprefix("http2_"): one["values"] for name, one in found.items()}
    assert values["settings"].items() >= {"way": way, "max_concurrent_streams": 20}.items()
    assert values["streams"] == {
        "announced_max": 20, "tried": 20, "accepted": 20, "open": 20, "refused": 0, "beyond": "connection",
    }  # fmt: skip
    assert values["ping"]["acknowledged"] == 6
    assert 390 * NS_PER_MS <= values["idle_timeout"]["timeout_ns"] <= 600 * NS_PER_MS
    assert values["idle_timeout"]["goaways"] == values["idle_timeout"]["ended"] == 6
    assert opened_within_ns(record, "http2_idle_timeout") > 50 * NS_PER_MS  # apart, by 20 ms here
    assert values["max_requests"].items() >= {"answered": 60, "lost": 0, "goaway": True, "code": "NO_ERROR"}.items()
    assert values["goaway"] == {"when_idle": True, "after_requests": True, "two_step": False}


def assert_explained(record: AuditRecord) -> None:
    for probe in PROBES:
        assert record["findings"][probe.name]["values"].keys() <= probe.values.keys()


def spoken(speak: Speak, name: str) -> FindingRecord:
    with scripted_server(http2(speak)) as port:
        return finding(f"http://127.0.0.1:{port}/", name, **SHORT)


def test_a_goaway_in_two_steps() -> None:
    last = GoAwayFrame(0, last_stream_id=LAST_OPEN), GoAwayFrame(0, last_stream_id=29)
    found = spoken(closes_after(15, *last), "http2_max_requests")
    assert found["values"].items() >= {"answered": 15, "lost": 0, "two_step": True}.items()
    assert found["values"]["untouched"] > 0
    assert found["measured"] == "15, then GOAWAY NO_ERROR"


def test_a_goaway_ends_the_wait_for_streams_that_it_leaves_out() -> None:
    def speak(side: Http2Side) -> None:
        side.settings()
        for number, stream in enumerate(side.streams()):
            if number < 5:
                side.say_frames(side.head(stream))
            if number == 4:
                side.say_frames(GoAwayFrame(0, last_stream_id=stream))

    found = spoken(speak, "http2_streams")
    assert (found["verdict"], found["values"]["accepted"]) == ("note", 5)
    assert found["measured"] == "5 of 128 accepted at once; then GOAWAY NO_ERROR"


def test_no_limit_of_streams_and_of_requests() -> None:
    def speak(side: Http2Side) -> None:
        side.settings()
        for stream in side.streams():
            side.answer(stream)

    streams = spoken(speak, "http2_streams")
    assert (streams["verdict"], streams["announced"]) == ("ok", "no limit")
    requests = spoken(speak, "http2_max_requests")
    assert (requests["verdict"], requests["measured"]) == ("ok", "more than 200")


def test_one_stream_more_where_another_has_ended_is_within_the_limit() -> None:
    def speak(side: Http2Side) -> None:
        side.settings(max_concurrent_streams=3)
        begun: list[int] = []
        for stream in side.streams():
            begun.append(stream)
            if len(begun) > 3:
                side.say_frames(DataFrame(begun[0], b"", flags=["END_STREAM"]))
            side.say_frames(side.head(stream))

    found = spoken(speak, "http2_streams")
    assert (found["verdict"], found["values"]["open"], found["values"].get("beyond")) == ("ok", 3, None)


def test_a_long_response_is_no_fault_of_http2() -> None:
    def speak(side: Http2Side) -> None:
        side.settings()
        for stream in side.streams():
            side.say_frames(side.head(stream))
            for _ in range(600):
                side.say_frames(DataFrame(stream, bytes(16_000)))

    found = spoken(speak, "h2_prior_knowledge")
    assert (found["verdict"], found["values"]) == ("note", {"spoken": True})


def test_a_response_without_end_is_not_read_for_ever() -> None:
    def speak(side: Http2Side) -> None:
        side.settings()
        for stream in side.streams():
            side.say_frames(side.head(stream))
            for _ in range(700):
                side.say_frames(DataFrame(stream, bytes(16_000)))

    found = spoken(speak, "http2_max_requests")
    assert found["verdict"] == "unknown"
    assert found["measured"] == "the response is longer than the 8 MiB that are read; name a smaller one"


def test_a_server_that_limits_its_clients_is_left_alone() -> None:
    asked: list[int] = []

    def speak(side: Http2Side) -> None:
        side.settings()
        for stream in side.streams():
            asked.append(stream)
            side.say_frames(side.head(stream, (":status", "200" if len(asked) < 5 else "429"), ends=True))

    found = spoken(speak, "http2_max_requests")
    assert (found["verdict"], "429" in found["measured"]) == ("unknown", True)
    assert len(asked) <= 51


class NoFindings:
    """A session in which no other probe has found anything."""

    def finding(self, _name: str) -> None:
        return None


def test_without_the_settings_nothing_is_known() -> None:
    def run(_session: Any, _way: Way) -> Any:
        raise AssertionError("there is no way to run it")

    found = over_http2(run)(NoFindings())  # type: ignore[arg-type] # all that is needed of a session
    assert found.verdict.value == "unknown"


def hello(connection: socket.socket, _number: int) -> None:
    while read_request(connection):
        connection.sendall(HELLO)


def silent(connection: socket.socket, _number: int) -> None:
    while connection.recv(65536):
        pass


@pytest.mark.parametrize(("script", "why"), [(hello, "declines an upgrade with 200"), (silent, "does not answer")])
def test_it_is_not_spoken(script: Any, why: str) -> None:
    with scripted_server(script) as port:
        found = audit(f"http://127.0.0.1:{port}/", "http2", **SHORT | {"timeout_ns": 100 * NS_PER_MS})["findings"]
    assert {one["verdict"] for one in found.values()} == {"note"}
    assert why in found["http2_settings"]["measured"]
    assert {one["measured"] for name, one in found.items() if name != "http2_settings"} == {"not spoken"}
