"""Deviations from HTTP/1.1 and unasked bytes, from the blocks to the report: added up, warned of, shown in a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from loadgen.measure.data.merge_workers import merge_blocks
from loadgen.measure.data.recorder import BLOCKS_FILE
from loadgen.measure.live.block_report import RowReader, block_report
from loadgen.measure.live.live import Live
from loadgen.show import tables
from loadgen.show.export.html import render
from tests.support.synthetic import ENVIRONMENT, RunWriter, full_run, links, persistent_links, plan_json

UNASKED = {"connections": 3, "example": "5 bytes after a 204: b'hello'"}


def test_blocks_of_several_parts_are_added_up() -> None:
    merged = merge_blocks([
        {"window_ns": 1, "lenient": {"bare_lf": 2}, "unasked_bytes": UNASKED},
        {"window_ns": 1, "lenient": {"bare_lf": 3, "obs_fold": 1}, "unasked_bytes": {"connections": 1, "example": "x"}},
        {"window_ns": 1},  # of an earlier version
    ])  # fmt: skip
    assert merged["lenient"] == {"bare_lf": 5, "obs_fold": 1}
    assert merged["unasked_bytes"] == UNASKED | {"connections": 4}


def test_a_run_under_way_adds_them_up_too(tmp_path: Path) -> None:
    live = Live(("persistent",))
    for worker in ("one", "two"):
        writer = RunWriter(tmp_path / worker, plan_json("persistent"))
        writer.block("persistent", 0, persistent_links(0), lenient={"obs_fold": 7}, unasked_bytes=UNASKED)
        directory, recorder = writer.store.directory, writer.recorder
        rows = RowReader(directory).read(recorder.exchanges, recorder.connections)
        facts = json.loads((directory / BLOCKS_FILE).read_text(encoding="utf-8").splitlines()[-1])
        recorder.close()
        live.take(worker, "Users", block_report(facts, *rows, ("persistent",)))
    summary = live.summary("run", plan_json("persistent"), ENVIRONMENT, [])
    assert summary is not None
    one = summary["policies"]["persistent"]
    assert (one["lenient"], one["unasked_bytes"]) == ({"obs_fold": 14}, UNASKED | {"connections": 6})


def summary_of(directory: Path, **facts: Any) -> dict[str, Any]:
    """A run of `persistent` and `close`; facts: of each block of `close`."""
    writer = RunWriter(directory / "run", plan_json())
    for number in range(5):
        writer.block("persistent", number, links("persistent", number))
        writer.block("close", number, links("close", number), **facts)
    return writer.summary()


def test_deviations_are_warned_of_and_listed_by_policy(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, lenient={"of_the_future": 1, "bare_lf": 100, "obs_fold": 1})
    (found,) = summary["warnings"]
    assert found["code"] == "lenient"
    assert found["message"] == (
        "close: responses that deviate from HTTP/1.1 were accepted, as a client may do, warm-up included: obs_fold in "
        "5 responses (RFC 9112 §5.2), bare_lf in 500 responses (RFC 9112 §2.2), of_the_future in 5 responses (no "
        "longer known)"
    )
    _, (first, second, third) = tables.lenient(summary)
    assert first[:5] == ("close", "obs_fold", "5", "510", "RFC 9112 §5.2")
    assert second[:5] == ("close", "bare_lf", "500", "510", "RFC 9112 §2.2")
    assert third == ("close", "of_the_future", "5", "510", "–", "–", "–")
    assert "<h2>Deviations from HTTP/1.1<" in render(summary, {})


def test_unasked_bytes_are_warned_of_with_the_first_of_them(tmp_path: Path) -> None:
    (found,) = summary_of(tmp_path, unasked_bytes=UNASKED)["warnings"]
    assert found["code"] == "unasked_bytes"
    assert found["message"] == (
        "close: the server sent bytes that no request asked for on 15 connections, which were closed: 5 bytes after a "
        "204: b'hello'"
    )


def test_where_there_are_none_nothing_is_said(tmp_path: Path) -> None:
    summary = full_run(tmp_path / "run").summary()
    one = summary["policies"]["close"]
    assert (one["lenient"], one["unasked_bytes"]) == ({}, {"connections": 0, "example": ""})
    assert summary["warnings"] == []
    assert "Deviations" not in render(summary, {})
