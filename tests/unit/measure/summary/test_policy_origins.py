"""Several origins, from the rows of a worker to the summary and its table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loadgen.measure.data.merge_workers import merge_workers
from loadgen.measure.data.origin_counts import ORIGIN_COUNTS, origins_in
from loadgen.measure.data.row_slices import join
from loadgen.model.planned_request import PlannedRequest
from loadgen.model.records import ConnectionFlag
from loadgen.show.tables import environment, origins
from tests.support.synthetic import MS, OPEN, US, Exchange, Link, RunWriter, plan_json

URLS = [
    PlannedRequest(name, f"/{name}", origin=origin).record(secrets=True)
    for name, origin in (("a", ""), ("b", "https://img.test"), ("c", ""))
]
FACTS = {"request_weights": [1, 1, 1], "request_origins": [0, 1, 0]}
TLS = OPEN | ConnectionFlag.TLS
RESUMED = TLS | ConnectionFlag.TLS_RESUMED


def links() -> list[Link]:
    """Ten connections to each origin in turns with four requests each, the first of them in warm-up; one was lost."""
    return [
        Link(
            [Exchange((index - 1) * MS if number < 18 else (index + 1) * MS, wait=10 * US) for index in range(4)],
            connect=(30 + number % 2 * 10) * US, tls=100 * US if number % 2 else -1,
            flags=(RESUMED if number > 9 else TLS) if number % 2 else OPEN, row=number != 3,
        )
        for number in range(20)
    ]  # fmt: skip


def written(directory: Path) -> RunWriter:
    writer = RunWriter(directory, plan_json() | {"urls": URLS})
    for policy in ("persistent", "close"):
        writer.block(policy, 0, links(), **FACTS)
    return writer


def test_a_summary_has_each_origin(tmp_path: Path) -> None:
    summary: Any = written(tmp_path).summary()
    for one in summary["policies"].values():
        first, second = one["by_origin"]
        assert (first["origin"], second["origin"]) == ("http://127.0.0.1:8080", "https://img.test")
        assert first["requests"] + second["requests"] == one["requests"] == 62
        assert (first["requests"], first["answered_with_warmup"]) == (31, 40)
        assert first["connections"] == {
            "opened": 10, "tls_full": 0, "tls_resumed": 0, "requests_per_connection": 4.0, "reuse_ratio": 30 / 31,
        }  # fmt: skip
        assert second["connections"]["opened"] == 10  # the one that was lost too
        assert (second["connections"]["tls_full"], second["connections"]["tls_resumed"]) == (4, 5)
        assert second["handshake_ns"] == {
            "mean": 140_000, "dns": None, "connect": 40_000, "tunnel": None, "tls": 100_000, "upgrade": None,
        }  # fmt: skip
        assert first["handshake_ns"]["mean"] == 30_000
        assert first["latency_ns"]["p50"] == 10 * US + sum(
            one["phases_ns"][phase]["p50"] for phase in ("send", "receive")
        )
        by_name = {request["name"]: request["requests"] for request in one["by_name"]}
        assert (by_name["a"] + by_name["c"], by_name["b"]) == (31, 31)
    rows = origins(summary).rows
    assert [row[:2] for row in rows] == [
        (policy, origin["origin"]) for policy in ("persistent", "close") for origin in one["by_origin"]
    ]
    assert rows[1][4:8] == ("10", "4.0", "96.8%", "140 µs")


def test_the_environment_has_rows_of_each(tmp_path: Path) -> None:
    summary: Any = written(tmp_path).summary()
    summary["environment"]["origins"] = {"https://img.test": {"address": "127.0.0.9", "port": 443}}
    assert ("https://img.test: connected to", "127.0.0.9:443") in [row[:2] for row in environment(summary).rows]


def test_counts_of_workers_and_of_slices_add_up(tmp_path: Path) -> None:
    one, other = (written(tmp_path / name).settle() for name in ("one", "other"))
    counts = [{key: block[key] for key in ORIGIN_COUNTS} for block in one.blocks]
    twice = [{key: {place: 2 * n for place, n in found.items()} for key, found in block.items()} for block in counts]
    for both in (merge_workers([(0, one), (1, other)]), join(one, [other])):
        assert [{key: block[key] for key in ORIGIN_COUNTS} for block in both.blocks] == twice
        assert both.blocks[0]["carried_by_request"] == {
            place: 2 * number for place, number in one.blocks[0]["carried_by_request"].items()
        }


def test_one_origin_has_no_such_part(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    for policy in ("persistent", "close"):
        writer.block(policy, 0, links())
    summary: Any = writer.summary()
    assert [one["by_origin"] for one in summary["policies"].values()] == [None, None]
    assert origins(summary).rows == []
    assert origins_in({"request_origins": [0, 2, 1]}) == 3
    assert origins_in({}) == 0
