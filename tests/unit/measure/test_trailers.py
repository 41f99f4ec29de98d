"""Trailers from the blocks to the report: added up, kept apart by policy, and warned of where they are forbidden."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loadgen.measure.data.merge_workers import merge_blocks
from loadgen.measure.data.recorder import BLOCKS_FILE
from loadgen.measure.live.block_report import RowReader, block_report
from loadgen.measure.live.live import Live
from loadgen.model.trailers import FORBIDDEN
from loadgen.show import tables
from loadgen.show.export.html import render
from tests.support.synthetic import ENVIRONMENT, RunWriter, full_run, links, persistent_links, plan_json

Summary = dict[str, Any]


def test_blocks_of_several_parts_are_added_up() -> None:
    parts = [
        {"window_ns": 1, "trailers": {"responses": 2, "fields": {"x-sum": 2}}},
        {"window_ns": 1, "trailers": {"responses": 3, "fields": {"x-sum": 3, "host": 1}}},
        {"window_ns": 1},  # of an earlier version
    ]
    assert merge_blocks(parts)["trailers"] == {"responses": 5, "fields": {"host": 1, "x-sum": 5}}


def test_a_run_under_way_adds_them_up_too(tmp_path: Path) -> None:
    plan = plan_json("persistent", trailers=True)
    live = Live(("persistent",))
    for worker in ("one", "two"):
        writer = RunWriter(tmp_path / worker, plan)
        writer.block("persistent", 0, persistent_links(0), trailers={"responses": 7, "fields": {"x-sum": 7}})
        directory, recorder = writer.store.directory, writer.recorder
        rows = RowReader(directory).read(recorder.exchanges, recorder.connections)
        facts = json.loads((directory / BLOCKS_FILE).read_text(encoding="utf-8").splitlines()[-1])
        recorder.close()
        live.take(worker, "Users", block_report(facts, *rows, ("persistent",)))
    summary = live.summary("run", plan, ENVIRONMENT, [])
    assert summary is not None
    assert summary["policies"]["persistent"]["trailers"] == {"asked": True, "responses": 14, "fields": {"x-sum": 14}}


def summary_of(directory: Path, plan: dict[str, Any], **trailers: dict[str, Any]) -> Summary:
    """A run of `persistent` and `close`; trailers: of each of their blocks."""
    writer = RunWriter(directory / "run", plan)
    for number in range(5):
        for policy in ("persistent", "close"):
            writer.block(policy, number, links(policy, number), trailers=trailers.get(policy))
    return writer.summary()


def test_the_table_tells_each_policy_apart(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, plan_json(trailers=True), close={"responses": 100, "fields": {"x-sum": 100}})
    headings, (first, second) = tables.trailers(summary)
    assert dict(zip(headings, second, strict=True)) == {
        "policy": "close", "asked for": "yes", "responses with trailers": "500", "of": "510", "fields": "x-sum (500)",
    }  # fmt: skip
    assert first == ("persistent", "yes", "0", "510", "–")
    assert tables.trailers_note(summary) == (
        "Asked with TE: trailers, the target sent trailer sections (close). "
        "Asked with TE: trailers, the target never sent any (persistent); it need not. Warm-up included."
    )
    assert "<h2>Trailers<" in render(summary, {})


def test_where_nobody_asked_and_none_came_nothing_is_said(tmp_path: Path) -> None:
    summary = full_run(tmp_path / "run").summary()
    assert summary["policies"]["close"]["trailers"] == {"asked": False, "responses": 0, "fields": {}}
    assert "Trailers" not in render(summary, {})


@pytest.mark.parametrize("name", ["content-length", "transfer-encoding", "host", "authorization", "content-type"])
def test_what_may_never_be_a_trailer_is_warned_of(tmp_path: Path, name: str) -> None:
    assert name in FORBIDDEN
    summary = summary_of(tmp_path, plan_json(), close={"responses": 9, "fields": {"etag": 9, name: 2}})
    (found,) = summary["warnings"]
    assert found["code"] == "forbidden_trailers"
    assert found["message"].startswith("close: ")
    assert f"after it: {name} (10) (RFC" in found["message"]


def test_many_forbidden_ones_are_still_one_line(tmp_path: Path) -> None:
    fields = dict.fromkeys(sorted(FORBIDDEN)[:8], 1)
    (found,) = summary_of(tmp_path, plan_json(), close={"responses": 1, "fields": fields})["warnings"]
    assert "and 3 more" in found["message"]
