"""Policies of other protocols: how their connections are counted, shown and warned of, and what the verdict says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadgen.measure.data.merge_workers import merge_blocks
from loadgen.measure.labels import exchange_word, protocol_words
from loadgen.measure.warnings.hints import advice
from loadgen.model.cell import Axes
from loadgen.model.errors import ErrorKind
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import H2, H2_PRIOR, H2C_UPGRADE, HTTP1, WEBSOCKET, parse_policies
from loadgen.model.records import Ending
from loadgen.model.target import parse_target
from loadgen.show import tables
from loadgen.show.export.html import render
from tests.support.synthetic import BLOCK_NS, MS, OPEN, US, WARMUP_NS, Exchange, Link, RunWriter, full_run
from tests.support.synthetic_upgrades import DECLINED, UNANSWERED_CLOSE, UPGRADED, upgraded_links, upgraded_run

Summary = dict[str, Any]
ROUNDS = 5


@pytest.fixture(scope="module")
def seven(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    return upgraded_run(tmp_path_factory.mktemp("seven") / "run").summary()


def quick(directory: Path, policy: str, *links: Link, load: dict[str, Any] | None = None, **facts: Any) -> Summary:
    """A run of one policy, two users, whose every block holds `links`."""
    chosen = {"users": 2, "rounds": ROUNDS, "block_ns": BLOCK_NS, "warmup_ns": WARMUP_NS} | (load or {})
    plan = Plan(parse_target("http://127.0.0.1:1/"), parse_policies(policy), Load(**chosen))
    writer = RunWriter(directory / "run", plan.to_json(secrets=False))
    for number in range(ROUNDS):
        writer.block(policy, number, links, **facts)
    return writer.summary()


# Counts


def test_connections_by_what_they_speak(seven: Summary) -> None:
    found = {name: one["protocol"] for name, one in seven["policies"].items()}
    assert found == {
        "close": HTTP1, "persistent": HTTP1, "h2c-upgrade": H2C_UPGRADE, "h2": H2, "websocket": WEBSOCKET,
        "websocket-close": WEBSOCKET, "h2+streams:10": H2,
    }  # fmt: skip
    for name, one in seven["policies"].items():
        connections = one["connections"]
        expected = connections["opened"] if found[name] != HTTP1 else 0
        assert (connections["upgraded"], connections["upgrade_declined"]) == (expected, 0)
    assert seven["warnings"] == []


def test_declined_ones_are_counted_apart(tmp_path: Path) -> None:
    links = [*upgraded_links("h2c-upgrade", 0)[:1], *upgraded_links("h2c-upgrade", 0, DECLINED)[1:]]
    connections = quick(tmp_path, "h2c-upgrade", *links)["policies"]["h2c-upgrade"]["connections"]
    assert (connections["opened"], connections["upgraded"], connections["upgrade_declined"]) == (10, 5, 5)


def test_an_upgrade_s_cost_is_that_of_the_warm_up_too(seven: Summary) -> None:
    # Each of their connections was opened before the window, so no sample has this phase.
    websocket = seven["policies"]["websocket"]
    assert websocket["phases_ns"]["upgrade"]["count"] == 0
    # wait: 60 + round + position; send 10, receive 5.
    assert websocket["upgrade"] == {
        "mean_ns": 150 * US, "exchange_p50_ns": 101 * US, "exchanges": pytest.approx(150 / 101),
    }  # fmt: skip
    assert seven["policies"]["websocket-close"]["upgrade"]["mean_ns"] == 150 * US
    assert seven["policies"]["h2"]["upgrade"] == {"mean_ns": None, "exchange_p50_ns": 201 * US, "exchanges": None}
    assert seven["policies"]["persistent"]["upgrade"] is None


def test_an_upgrade_that_failed_is_none_of_them(tmp_path: Path) -> None:
    failed = Link(
        [Exchange(outcome=-ErrorKind.UPGRADE_REFUSED, send=-1, wait=-1, receive=-1)],
        upgrade=9 * MS, flags=OPEN, ending=Ending.CLIENT_GAVE_UP,
    )  # fmt: skip
    one = quick(tmp_path, "websocket", *upgraded_links("websocket", 0), failed)["policies"]["websocket"]
    assert one["upgrade"]["mean_ns"] == 150 * US


def test_parts_add_their_upgrades_up() -> None:
    parts = [{"window_ns": 1, "upgrades": {"count": count, "ns": count * 10}} for count in (2, 3)]
    assert merge_blocks([*parts, {"window_ns": 1}])["upgrades"] == {"count": 5, "ns": 50}


def test_answers_that_are_no_echo_are_told(tmp_path: Path) -> None:
    summary = quick(tmp_path, "websocket", *upgraded_links("websocket", 0), mismatched_echoes=3)
    assert summary["policies"]["websocket"]["not_echoed"] == 3 * ROUNDS
    warned = [one["message"] for one in summary["warnings"] if one["code"] == "not_echoed"]
    assert [one.split(" did not echo")[0] for one in warned] == ["websocket: 15 of 510 answers"]
    assert merge_blocks([{"window_ns": 1, "mismatched_echoes": one} for one in (2, 3)])["mismatched_echoes"] == 5


# Shown


def test_the_table_of_upgraded_connections(seven: Summary) -> None:
    headings, table = tables.upgrades(seven)
    assert [row[0] for row in table] == ["h2c-upgrade", "h2", "websocket", "websocket-close", "h2+streams:10"]
    shown = {row[0]: dict(zip(headings, row, strict=True)) for row in table}
    assert shown["websocket"] == {
        "policy": "websocket", "protocol": "WebSocket", "connections": "10", "upgraded": "10", "declined": "0",
        "one upgrade, mean": "150 µs", "on each connection": "51 messages", "one exchange, p50": "101 µs",
        "an upgrade in exchanges": "1.5",
    }  # fmt: skip
    assert shown["websocket-close"]["on each connection"] == "1 message"
    assert shown["h2"]["on each connection"] == "51 streams"
    assert shown["h2"]["protocol"] == "HTTP/2, prior knowledge (in clear)"
    assert shown["h2"]["one upgrade, mean"] == shown["h2"]["an upgrade in exchanges"] == "–"
    page = render(seven, {})
    assert "<h2>Upgraded connections<" in page
    assert "Between two protocols the residual is also" in page


def test_http1_alone_has_no_such_table(tmp_path: Path) -> None:
    page = render(full_run(tmp_path / "run").summary(), {})
    assert "Upgraded" not in page
    assert "Between two protocols" not in page


def test_words() -> None:
    assert protocol_words(H2, is_tls=True) == "HTTP/2 by ALPN"
    assert protocol_words(H2_PRIOR, is_tls=False) == "HTTP/2, prior knowledge"
    words = {protocol: exchange_word(protocol) for protocol in (HTTP1, WEBSOCKET, H2C_UPGRADE, H2, H2_PRIOR)}
    assert list(words.values()) == ["request", "message", "stream", "stream", "stream"]


# Warned of

LOST = Exchange(2, outcome=-ErrorKind.STALE_CONNECTION)
STALE = Link([Exchange(0), Exchange(1), LOST], flags=UPGRADED, ending=Ending.SERVER_STALE)
STALE_AFTER_ONE = Link([Exchange(0), LOST], flags=UPGRADED, ending=Ending.SERVER_STALE)
CLOSED = Link(
    [Exchange(0, outcome=101), Exchange(1, outcome=-ErrorKind.WEBSOCKET_CLOSED)],
    flags=UPGRADED, ending=Ending.SERVER_ANNOUNCED,
)  # fmt: skip


def long(requests: int, ending: int = Ending.CLIENT_ANNOUNCED, flags: int = UPGRADED) -> Link:
    return Link([Exchange(at * MS) for at in range(requests)], flags=flags, ending=ending)


CAUSES: dict[str, tuple[list[str], Callable[[Path], Summary], str]] = {
    "declined by all": (
        ["upgrade_declined"],
        lambda path: quick(path, "h2c-upgrade", long(9, flags=DECLINED), long(9, flags=DECLINED)),
        "on 10 of 10 connections, so their requests went on in HTTP/1.1: this policy's figures are those of HTTP/1.1",
    ),
    "declined by some": (
        ["upgrade_declined"],
        lambda path: quick(path, "h2c-upgrade", long(9), long(9, flags=DECLINED)),
        "on 5 of 10 connections, so their requests went on in HTTP/1.1: this policy's figures are partly those of",
    ),
    "a Close that nobody answered": (
        ["server_ignored_close"],
        lambda path: quick(path, "websocket-close", Link(flags=UNANSWERED_CLOSE), Link(flags=UPGRADED)),
        "on 5 connections the server did not answer our Close frame in time",
    ),
    "stale messages": (
        ["errors", "stale_connections", "connections_not_ideal"],
        lambda path: quick(path, "websocket", STALE, STALE, STALE),
        "15 messages met a connection that the server had closed; it closes connections after 2 messages: "
        "use recycle:2",
    ),
    "stale after one message": (
        ["errors", "stale_connections", "connections_not_ideal"],
        lambda path: quick(path, "websocket", *[STALE_AFTER_ONE] * 3),
        "it closes connections after one message without announcing it: use websocket-close",
    ),
    "stale after one stream": (
        ["errors", "stale_connections"],
        lambda path: quick(path, "h2", *[STALE_AFTER_ONE] * 2),
        "it closes connections after one stream without announcing it: use h2+recycle:1",
    ),
    "stale streams": (
        ["errors", "stale_connections"],
        lambda path: quick(path, "h2", STALE, STALE),
        "let idempotent requests be sent once more with --retry-stale",
    ),
    "a server that closes instead of answering": (
        ["errors", "connections_not_ideal"],
        lambda path: quick(path, "websocket", CLOSED, CLOSED, CLOSED),
        "15 websocket_closed; websocket_closed: the server began the close handshake instead of answering",
    ),
    "too few messages": (
        ["closed_early"],
        lambda path: quick(path, "websocket+recycle:10", *[long(5, Ending.SERVER_ANNOUNCED)] * 4),
        "connections carried only 5 messages on average",
    ),
    "too few streams": (
        ["never_recycled"],
        lambda path: quick(path, "h2+recycle:1000", long(9), long(9)),
        "no connection reached its 1,000 streams",
    ),
}  # fmt: skip


@pytest.mark.parametrize("cause", CAUSES)
def test_each_warning_has_its_cause_and_no_other(tmp_path: Path, cause: str) -> None:
    codes, make, said = CAUSES[cause]
    found = make(tmp_path)["warnings"]
    assert [one["code"] for one in found] == codes
    assert any(said in one["message"] for one in found), found


def test_a_message_is_never_advised_to_be_repeated(tmp_path: Path) -> None:
    found = quick(tmp_path, "websocket", STALE, STALE)["warnings"]
    assert not any("--retry-stale" in one["message"] for one in found)


def test_keep_alive_of_the_upgrade_s_own_response_says_nothing_of_a_websocket(tmp_path: Path) -> None:
    load = {"block_ns": 60_000 * MS, "think_ns": 6_000 * MS}
    assert quick(tmp_path, "websocket", long(9), long(9), load=load, keep_alive={"timeout_s": 5})["warnings"] == []


def test_kinds_that_say_it_all_get_no_advice() -> None:
    assert advice({"truncated": 3, "response_timeout": 1}) == ""
    said = advice({"http2_goaway": 1, "truncated": 9, "proxy_refused": 5})
    assert said.index("proxy_refused") < said.index("http2_goaway")


def test_every_kind_of_a_protocol_or_proxy_is_explained() -> None:
    for kind in ErrorKind:
        if kind.label.startswith(("upgrade_", "websocket_", "http2_", "proxy_")):
            assert advice({kind.label: 1}).startswith(f"; {kind.label}: ")


# Verdict


def test_reuse_first_then_what_another_protocol_changes(tmp_path: Path) -> None:
    said = upgraded_run(tmp_path / "run", "close,persistent,h2c-upgrade,h2,websocket").summary()["verdict"]
    reuse, _, rest = said.partition("; against persistent on average: ")
    plain = full_run(tmp_path / "plain", "close,persistent").summary()["verdict"]
    assert reuse == plain
    clauses = rest.split("), ")
    assert [clause.split(" ")[0] for clause in clauses] == ["h2c-upgrade", "h2", "websocket"]
    assert clauses[0] == "h2c-upgrade +70.0 µs [+70.0, +70.0] (mostly waiting for the response"
    assert clauses[2] == "websocket -40.0 µs [-40.0, -40.0] (mostly waiting for the response)"


def test_one_round_is_said_to_have_no_interval(tmp_path: Path) -> None:
    policies = "close,persistent,h2c-upgrade,h2,websocket"
    said = upgraded_run(tmp_path / "run", policies, rounds=1).summary()["verdict"]
    assert "; against persistent on average (one round, no interval): h2c-upgrade +70.0 µs (mostly" in said


def test_of_many_protocols_the_ends(seven: Summary) -> None:
    assert "; against persistent on average (the extremes of 5): websocket -40.0 µs" in seven["verdict"]
    assert ", h2+streams:10 +300 µs" in seven["verdict"]


def test_few_are_told_in_full(tmp_path: Path) -> None:
    said = upgraded_run(tmp_path / "run", "persistent,websocket,websocket-close").summary()["verdict"]
    saves, costs = said.split("; websocket-close ")
    assert saves == (
        "websocket saves 40.0 µs per message on average [40.0, 40.0] compared with persistent, 0.72×; "
        "100% of that is waiting for the response"
    )
    assert costs.startswith("costs 150 µs more per message on average")
    assert costs.endswith("of that is the upgrade")


@pytest.mark.parametrize("policies", ["persistent,h2c-upgrade", "close,persistent,h2c-upgrade,h2,websocket"])
def test_what_was_declined_is_not_called_by_its_name_alone(tmp_path: Path, policies: str) -> None:
    said = upgraded_run(tmp_path / "run", policies, h2c_upgrade=DECLINED).summary()["verdict"]
    assert "h2c-upgrade (declined: HTTP/1.1) " in said
    assert "h2 (" not in said


def test_a_sweep_s_baseline_speaks_http1(tmp_path: Path) -> None:
    load = Load(users=2, rounds=2, block_ns=BLOCK_NS, warmup_ns=WARMUP_NS)
    plan = Plan(
        parse_target("http://h/"), parse_policies("websocket,persistent"), load, axes=Axes(users=(1, 2))
    )  # fmt: skip
    writer = RunWriter(tmp_path / "run", plan.to_json(secrets=False))
    for number in range(2):
        for cell in plan.cells:
            writer.block(cell.name, number, [long(9)] * cell.users)
    pairs = {(one["baseline"], one["candidate"]) for one in writer.summary()["comparisons"]}
    assert {baseline.split(" ")[0] for baseline, _ in pairs} == {"persistent"}
