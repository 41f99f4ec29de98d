"""Warnings about reuse, arrivals and the generator: each has its cause, says what to do, and comes without others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadgen.model.errors import ErrorKind
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.proxy import parse_proxy
from loadgen.model.records import ABSENT, Ending
from loadgen.model.target import parse_target
from tests.support.synthetic import BLOCK_NS, MS, RESUMED, TLS, US, WARMUP_NS, Exchange, Link, RunWriter

ROUNDS = 5


def run(directory: Path, policy: str, *links: Link, load: dict[str, Any] | None = None, **facts: Any) -> dict[str, Any]:
    """The summary of a run of one policy, two users, whose every block holds `links`. load: also of the plan's own."""
    chosen = {"users": 2, "rounds": ROUNDS, "block_ns": BLOCK_NS, "warmup_ns": WARMUP_NS} | (load or {})
    retry = {"retry_stale": True} if facts.pop("retry_stale", False) else {}
    target, proxy = parse_target(facts.pop("url", "http://127.0.0.1:1/")), facts.pop("proxy", None)
    plan = Plan(target, parse_policies(policy), Load(**chosen), **retry, proxy=proxy and parse_proxy(proxy))
    writer = RunWriter(directory / "run", plan.to_json(secrets=False))
    for number in range(ROUNDS):
        writer.block(policy, number, links, **facts)
    return writer.summary()


def long(requests: int, ending: int = Ending.CLIENT_SILENT, **more: Any) -> Link:
    return Link([Exchange(at * MS, **more) for at in range(requests)], ending=ending)


def stale(requests: int = 2) -> Link:
    """A connection that the server closes after this many, without announcing it."""
    lost = Exchange(requests * MS, outcome=-ErrorKind.STALE_CONNECTION)
    return Link([*(Exchange(at * MS) for at in range(requests)), lost], ending=Ending.SERVER_STALE)


STALE = stale()
GAVE_UP = Link([Exchange(0)], ending=Ending.CLIENT_GAVE_UP)
CROSSED = Link([Exchange(0), Exchange(MS, outcome=-ErrorKind.CROSSED_BY_CLOSE)], ending=Ending.SERVER_IDLE_RESPONSE)
PROXY = "http://user:password@127.0.0.1:3128"
LONG_BLOCK = {"block_ns": 60_000 * MS}
OPEN_LOOP = {"rate_rps": 1_000.0}
BY_NUMBER = {"requests": 18 * ROUNDS, "block_ns": 3_600 * BLOCK_NS}
Make = Callable[[Path], dict[str, Any]]

CAUSES: dict[str, tuple[list[str], Make, str]] = {
    "arrivals without a connection": (
        ["arrivals_not_started"],
        lambda path: run(path, "persistent", long(9), load=OPEN_LOOP, due=10, unstarted=1),
        "5 of 50 arrivals",
    ),
    "late by more than a millisecond": (
        ["generator_late"],
        lambda path: run(path, "persistent", long(9, wait=8 * MS, queue=MS + 1, late=MS + 1), load=OPEN_LOOP, due=9),
        "the generator, not the target, began 1% of the requests",
    ),
    "late by more than half of p99": (
        ["generator_late"],
        lambda path: run(path, "persistent", long(9, queue=200 * US, late=200 * US), load=OPEN_LOOP, due=9),
        "200 µs",
    ),
    "a pool that is too small": (
        ["queue_unstarted"],
        lambda path: run(path, "pool:1", long(9), unstarted=1),
        "5 requests still waited for a connection of the pool of 1 when",
    ),
    "a gap as long as the server's timeout": (
        ["gap_over_timeout"],
        lambda path: run(
            path, "gap:5s", long(9), long(9), keep_alive={"timeout_s": 5, "max": None}, load=LONG_BLOCK
        ),
        "5.00 s",
    ),
    "thinking longer than the server's timeout": (
        ["gap_over_timeout"],
        lambda path: run(
            path, "persistent", long(9), load=LONG_BLOCK | {"think_ns": 6_000 * MS}, keep_alive={"timeout_s": 5}
        ),
        "left unused for 6.00 s",
    ),
    "stale": (
        ["errors", "stale_connections", "connections_not_ideal"],
        lambda path: run(path, "persistent", STALE, STALE, STALE),
        "--retry-stale",
    ),
    "crossed by a response": (
        ["errors", "stale_connections", "connections_not_ideal"],
        lambda path: run(path, "persistent", STALE, CROSSED, CROSSED),
        "15 requests met a connection that the server had closed or was just closing (10 crossed a response such as a",
    ),
    "a response while idle": (
        ["connections_not_ideal"],
        lambda path: run(
            path, "persistent", *[long(3, Ending.SERVER_IDLE_RESPONSE)] * 3, idle_statuses={"0": 1, "408": 2}
        ),
        "closed 15 (15 server_idle_response; statuses on idle connections: 5 × not known, 10 × 408)",
    ),
    "stale while requests were in flight": (
        ["errors", "stale_connections", "connections_not_ideal"],
        lambda path: run(path, "pipeline:2", STALE, STALE, STALE),
        "with recycle:K keep their number at or below",
    ),
    "stale without a pause": (
        ["errors", "stale_connections", "connections_not_ideal"],
        lambda path: run(path, "persistent", STALE, STALE, STALE),
        "closes connections after 2 requests: use recycle:2, or let idempotent requests be sent once more",
    ),
    "stale at no fixed number of requests": (
        ["errors", "stale_connections", "connections_not_ideal"],
        lambda path: run(path, "persistent", STALE, stale(4), stale(5)),
        "in use after no fixed number of requests (2 to 5), as when it restarts, or limits their age: use lifetime:T",
    ),
    "as many requests on each": (
        ["connections_not_ideal"],
        lambda path: run(path, "persistent", *[long(9, Ending.SERVER_ANNOUNCED)] * 3),
        "the server closed 15 (15 server_announced after 9 requests each)",
    ),
    "closed in each gap": (
        ["connections_not_ideal"],
        lambda path: run(path, "persistent", *[long(9, Ending.SERVER_IDLE_FIN)] * 3, load={"think_ns": 9 * MS}),
        "(15 server_idle_fin), while they were left unused for 9.00 ms between two requests",
    ),
    "closed in each gap, unlike what was announced": (
        ["closed_early"],
        lambda path: run(
            path, "lifetime:60m", *[long(1, Ending.SERVER_IDLE_FIN)] * 3,
            load={"think_ns": 4_000 * MS}, keep_alive={"timeout_s": 5, "max": None},
        ),
        "connections carried only 1 request on average, because the server closed 15 of 15: 15 server_idle_fin, while "
        "they were left unused for 4.00 s between two requests, though it announced 5.00 s (Keep-Alive: timeout)",
    ),
    "as announced, and not as many on each": (
        ["connections_not_ideal"],
        lambda path: run(path, "persistent", *[long(9 + at, Ending.SERVER_ANNOUNCED) for at in range(3)]),
        "the server closed 15 (15 server_announced)",
    ),
    "stale after one request": (
        ["errors", "stale_connections", "connections_not_ideal"],
        lambda path: run(path, "persistent", *[stale(1)] * 3),
        "the server had closed; it closes connections after one request without announcing it: use close",
    ),
    "stale after one request in a pipeline": (
        ["errors", "stale_connections", "connections_not_ideal"],
        lambda path: run(path, "pipeline:2", *[stale(1)] * 3),
        "it closes connections after one request without announcing it: use close",
    ),
    "stale after one request and a pause": (
        ["errors", "stale_connections", "connections_not_ideal"],
        lambda path: run(path, "persistent", *[stale(1)] * 3, load={"think_ns": 9 * MS}),
        "below the server's idle timeout",
    ),
    "the proxy's connections": (
        ["errors", "stale_connections", "connections_not_ideal"],
        lambda path: run(path, "persistent", *[stale(1)] * 3, proxy=PROXY),
        "15 requests met a connection that the proxy had closed; it closes connections after one request",
    ),
    "what the proxy ended": (
        ["connections_not_ideal"],
        lambda path: run(path, "persistent", *[long(9, Ending.SERVER_IDLE_FIN)] * 3, proxy=PROXY),
        "; the proxy closed 15 (15 server_idle_fin)",
    ),
    "the server's connections through a tunnel": (
        ["errors", "stale_connections", "connections_not_ideal"],
        lambda path: run(path, "persistent", STALE, STALE, STALE, proxy=PROXY, url="https://h/"),
        "15 requests met a connection that the server had closed; it closes connections after 2 requests",
    ),
    "stale after a pause": (
        ["errors", "stale_connections", "connections_not_ideal"],
        lambda path: run(path, "persistent", STALE, STALE, STALE, load={"think_ns": 9 * MS}),
        "below the server's idle timeout",
    ),
    "stale among arrivals": (
        ["errors", "stale_connections"],
        lambda path: run(path, "persistent", STALE, STALE, load=OPEN_LOOP, due=4),
        "below the server's idle timeout",
    ),
    "ignore-close meets what was closed": (
        ["errors"],
        lambda path: run(path, "ignore-close", STALE, STALE, STALE),
        "15 stale_connection",
    ),
    "a gap as long as the window": (
        ["never_used"],
        lambda path: run(path, "gap:800ms", Link([Exchange(0)]), Link([Exchange(0)])),
        "nothing was reused within a 1.00 s block: connections are left unused for 800 ms between two requests",
    ),
    "nothing reused": (
        ["never_used"],
        lambda path: run(path, "persistent", Link([Exchange(0)]), Link([Exchange(0)])),
        "use a longer --block",
    ),
    "nothing reused, for bytes that no request asked for": (
        ["unasked_bytes", "connections_not_ideal"],
        lambda path: run(path, "persistent", *[GAVE_UP] * 3, unasked_bytes={"connections": 3, "example": "5 bytes"}),
        "on 15 connections, which were closed: 5 bytes",
    ),
    "nothing reused, for a framing that can't be trusted": (
        ["lenient", "connections_not_ideal"],
        lambda path: run(path, "persistent", *[GAVE_UP] * 3, lenient={"length_with_chunked": 3}),
        "length_with_chunked in 15 responses",
    ),
    "nothing reused, as the server answers before it has the request": (
        ["connections_not_ideal"],
        lambda path: run(path, "persistent", *[Link([Exchange(0, wait=ABSENT)])] * 3),
        "the server closed 0; responses came before all of their request was sent",
    ),
    "a recycled connection on which the server answers before it has the request": (
        ["closed_early"],
        lambda path: run(path, "recycle:10", *[Link([Exchange(0, wait=ABSENT)])] * 4),
        "carried only 1 request on average, because responses came before all of their request was sent",
    ),
    "a lifetime shorter than a request": (
        ["never_used"],
        lambda path: run(path, "lifetime:1ms", *[Link([Exchange(0)])] * 9),
        "use a longer lifetime",
    ),
    "a lifetime longer than the window": (
        ["never_used"],
        lambda path: run(path, "lifetime:800ms", long(9), long(9)),
        "reached its 800 ms lifetime",
    ),
    "a lifetime longer than the requests took": (
        ["never_used"],
        lambda path: run(path, "lifetime:800ms", long(9), long(9), load=BY_NUMBER),
        "reached its 800 ms lifetime within a 1.00 s block; use more --requests",
    ),
    "the server ends connections before K": (
        ["closed_early"],
        lambda path: run(path, "recycle:10", *[long(5, Ending.SERVER_IDLE_FIN)] * 4),
        "carried only 5 requests on average, because the server closed 20 of 20: 20 server_idle_fin",
    ),
    "the server ends connections before their time": (
        ["closed_early"],
        lambda path: run(path, "lifetime:10s", *[long(5, Ending.SERVER_ANNOUNCED)] * 4),
        "20 server_announced",
    ),
    "no connection comes to its K requests": (
        ["never_recycled"],
        lambda path: run(path, "recycle:1000", long(9), long(9)),
        "1,000 requests within a block",
    ),
    "perfect reuse that is not": (
        ["connections_not_ideal"],
        lambda path: run(path, "recycle:inf", long(9), long(9), long(9)),
        "15 connections were opened, perfect reuse takes 10; the server closed 0",
    ),
    "connections that the client gives up": (
        ["lenient", "unasked_bytes", "connections_not_ideal"],
        lambda path: run(
            path, "persistent", *[long(9, Ending.CLIENT_GAVE_UP)] * 3,
            lenient={"length_with_chunked": 1, "obs_fold": 1}, unasked_bytes={"connections": 1, "example": "x"},
        ),
        "the server closed 0, and loadgen 15 because of length_with_chunked, bytes that no request asked for",
    ),
}  # fmt: skip


@pytest.mark.parametrize("cause", CAUSES)
def test_each_warning_has_its_cause_and_no_other(tmp_path: Path, cause: str) -> None:
    codes, make, said = CAUSES[cause]
    found = make(tmp_path)["warnings"]
    assert [one["code"] for one in found] == codes
    assert any(said in one["message"] for one in found)


FINE: dict[str, Make] = {
    "recycled": lambda path: run(path, "recycle:3", *[long(3, Ending.CLIENT_ANNOUNCED)] * 9),
    "recycled by the server's announced limit": lambda path: run(
        path, "recycle:3", *[long(3, Ending.SERVER_ANNOUNCED)] * 9
    ),
    "too old": lambda path: run(path, "lifetime:50ms", *[long(3)] * 9),
    "ignore-close": lambda path: run(path, "ignore-close", *[long(3, Ending.SERVER_ANNOUNCED)] * 9),
    "a gap below the timeout": lambda path: run(
        path, "gap:4s", long(9), long(9), keep_alive={"timeout_s": 5}, load=LONG_BLOCK
    ),
    "a timeout that nothing meets": lambda path: run(path, "close", long(1), keep_alive={"timeout_s": 0}),
    "a little late": lambda path: run(path, "persistent", long(9, queue=9 * US, late=9 * US), load=OPEN_LOOP, due=9),
    "late by less than a tenth": lambda path: run(
        path, "persistent", long(9, wait=20 * MS, queue=2 * MS, late=2 * MS), load=OPEN_LOOP, due=9
    ),
    "a server that lets nothing be reused": lambda path: run(
        path, "ignore-close", *[Link([Exchange(0)], ending=Ending.SERVER_ANNOUNCED)] * 9
    ),
    "a user's one full handshake": lambda path: run(
        path,
        "pool:1+recycle:2+resume",
        *[Link([Exchange(0), Exchange(1)], slot=0, flags=TLS)] * 2,
        Link([Exchange(0), Exchange(1)], slot=0, flags=RESUMED),
        url="https://h/",
    ),
    "answers that come with their 100 Continue": lambda path: run(path, "persistent", *[long(9, wait=ABSENT)] * 2),
    "a pool": lambda path: run(path, "pool:1", Link([Exchange(at * 100 * US) for at in range(2_000)]), unstarted=1),
}


@pytest.mark.parametrize("case", FINE)
def test_what_is_as_it_should_be_is_not_warned_of(tmp_path: Path, case: str) -> None:
    assert FINE[case](tmp_path)["warnings"] == []


def test_a_retry_already_asked_for_is_not_advised(tmp_path: Path) -> None:
    found = run(tmp_path, "persistent", STALE, STALE, retry_stale=True, retried=2)
    (message,) = [one["message"] for one in found["warnings"] if one["code"] == "stale_connections"]
    assert "(10 of them were sent once more)" in message
    assert "--retry-stale" not in message
    (message,) = [one["message"] for one in found["warnings"] if one["code"] == "errors"]
    assert message.endswith("10 stale_connection; 10 were sent once more, warm-up included")


@pytest.mark.parametrize(
    ("times", "said"), [(1, "persistent: 1 request outside"), (2, "persistent: 2 requests outside")]
)
def test_one_failure_is_no_plural(tmp_path: Path, times: int, said: str) -> None:
    lost = Link([Exchange(-MS, outcome=-ErrorKind.STALE_CONNECTION)])
    writer = RunWriter(
        tmp_path / "run", Plan(parse_target("http://h/"), parse_policies("persistent")).to_json(secrets=False)
    )
    writer.block("persistent", 0, [long(9), *[lost] * times])
    (message,) = [one["message"] for one in writer.summary()["warnings"] if one["code"] == "warmup_errors"]
    assert message == f"{said} the measured windows failed"


def test_the_verdict_says_that_the_generator_was_late(tmp_path: Path) -> None:
    plan = Plan(
        parse_target("http://h/"), parse_policies("persistent,close"),
        Load(users=2, rounds=2, block_ns=BLOCK_NS, warmup_ns=WARMUP_NS, rate_rps=10.0),
    ).to_json(secrets=False)  # fmt: skip
    writer = RunWriter(tmp_path / "run", plan)
    for number in range(2):
        writer.block("persistent", number, [long(9, queue=2 * MS, late=2 * MS)])
        writer.block("close", number, [long(1)] * 9)
    assert "the generator lagged" in writer.summary()["verdict"]


# What the blocks' facts become


def test_what_a_full_disk_had_no_room_for_is_counted(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run")
    writer.block("persistent", 0, [Link()], lost={"exchanges": 2, "connections": 0})
    writer.block("persistent", 1, [Link()], lost={"exchanges": 1_000, "connections": 1})
    summary = writer.summary()
    assert summary["policies"]["persistent"]["lost"] == {"exchanges": 1_002, "connections": 1}
    assert summary["policies"]["close"]["lost"] is None
    (message,) = (one["message"] for one in summary["warnings"] if one["code"] == "disk_full")
    assert message == "persistent: 1,002 requests and 1 connection that ended on a full disk are in no other count"


def test_facts_of_blocks_are_summed_up(tmp_path: Path) -> None:
    one = run(
        tmp_path, "ignore-close", long(3, Ending.SERVER_ANNOUNCED), long(3), Link(flags=0, ending=Ending.NOT_OPENED),
        retried=3, after_close={"tried": 4, "answered": 1}, keep_alive={"timeout_s": 15, "max": 100},
    )["policies"]["ignore-close"]["connections"]  # fmt: skip
    assert (one["retried"], one["after_close"]) == (15, {"tried": 20, "answered": 5})
    assert one["server_announced"] == {"keep_alive_timeout_s": 15, "keep_alive_max": 100}
    assert one["endings"] == {"client_silent": 5, "server_announced": 5}
    assert one["opened"] == 10


def test_facts_that_no_block_has_are_absent(tmp_path: Path) -> None:
    one = run(tmp_path, "persistent", long(3))["policies"]["persistent"]
    assert one["connections"]["server_announced"] == {"keep_alive_timeout_s": None, "keep_alive_max": None}
    assert one["connections"]["after_close"] == {"tried": 0, "answered": 0}
    assert one["server"] is None
    assert set(one["sockets"].values()) == {None}


@pytest.mark.parametrize(
    ("policy", "load", "ideal"),
    [("persistent", {}, 2), ("pool:3", {}, 3), ("persistent", {"rate_rps": 9.0, "max_connections": 4}, 4)],
)
def test_ideal_is_what_there_is_room_for(tmp_path: Path, policy: str, load: dict[str, Any], ideal: int) -> None:
    links = [Link([Exchange(at)], slot=at) for at in range(6)]
    one = run(tmp_path, policy, *links, load=load, due=6)["policies"][policy]["connections"]
    assert (one["opened"], one["ideal"]) == (6 * ROUNDS, ideal * ROUNDS)


def test_late_is_a_part_of_the_queue_and_not_added(tmp_path: Path) -> None:
    found = run(tmp_path, "persistent", long(1, queue=50 * US, late=20 * US), load=OPEN_LOOP, due=1)
    assert found["policies"]["persistent"]["latency_ns"]["p50"] == 165 * US


@pytest.mark.parametrize(
    ("full", "resumed", "said"),
    [
        (9, 0, "45 TLS handshakes were full, where 10 would do: the server resumed no session"),
        (3, 3, "the server resumed 15 of the 20 sessions, as backends do that don't share the keys of their tickets"),
        (3, 12, "the server resumed 60 of the 65 sessions"),
    ],
)
def test_how_many_sessions_a_server_resumed(tmp_path: Path, full: int, resumed: int, said: str) -> None:
    links = [
        Link(slot=at % 2, tls=MS, flags=TLS if at < full else RESUMED, ending=Ending.CLIENT_ANNOUNCED)
        for at in range(full + resumed)
    ]
    found = run(tmp_path, "close-resume", *links, url="https://h/")["warnings"]
    (message,) = (one["message"] for one in found if one["code"] == "tls_not_resumed")
    assert message.endswith(said)
