"""Rounds that were cut short: in the files, in no figure, and named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loadgen.measure.data.store import RunStore
from loadgen.model.errors import ErrorKind
from tests.support.synthetic import Exchange, Link, RunWriter, full_run, links, plan_json, summary_of

POLICIES = ("persistent", "close")


def reported(directory: Path, incomplete: list[int], rounds: int = 5) -> dict[str, Any]:
    """The summary of a run of five rounds whose record calls these incomplete."""
    writer = full_run(directory, rounds=rounds)
    writer.settle()
    store = RunStore.open(directory)
    store.save_run({**store.load_run(), "incomplete_rounds": incomplete})
    return summary_of(store, store.load_samples(POLICIES))


def test_figures_are_those_of_the_whole_rounds_alone(tmp_path: Path) -> None:
    found = reported(tmp_path / "run", [2, 4])
    writer = RunWriter(tmp_path / "whole", plan_json())
    for number in (0, 1, 3):
        for policy in POLICIES:
            writer.block(policy, number, links(policy, number))
    whole = writer.summary()
    for policy, one in found["policies"].items():
        for key in ("started", "requests", "latency_ns", "throughput_rps", "statuses"):
            assert one[key] == whole["policies"][policy][key], key
    assert found["comparisons"] == whole["comparisons"]
    assert {block["round"] for block in found["blocks"]} == {0, 1, 3}


def test_what_is_left_out_is_named_and_can_be_counted(tmp_path: Path) -> None:
    whole = full_run(tmp_path / "whole").summary()
    found = reported(tmp_path / "run", [4])
    last = [block for block in whole["blocks"] if block["round"] == 4]
    assert "incomplete_rounds" not in whole
    assert found["incomplete_rounds"] == {
        "rounds": [4],
        "exchanges": sum(block["exchanges"] for block in last),
        "connections": sum(block["connections"]["opened"] for block in last),
    }
    (message,) = [one["message"] for one in found["warnings"] if one["code"] == "rounds_incomplete"]
    assert message.startswith("round 5 is not whole and in no figure, with 204 requests")


def test_what_no_server_answered_is_not_counted_as_sent_to_one(tmp_path: Path) -> None:
    """As `exchanges_with_warmup` of a policy: both add up to what the server's own log has."""
    writer = RunWriter(tmp_path / "run", plan_json("persistent", 2))
    lost = Exchange(2, outcome=-ErrorKind.CLOSED_WITHOUT_RESPONSE)
    for number in (0, 1):
        writer.block("persistent", number, [Link([Exchange(-1), Exchange(0), lost])] * 2)
    writer.settle()
    store = RunStore.open(tmp_path / "run")
    store.save_run({**store.load_run(), "incomplete_rounds": [1]})
    found = summary_of(store, store.load_samples(("persistent",)))
    assert found["policies"]["persistent"]["connections"]["exchanges_with_warmup"] == 4
    assert found["incomplete_rounds"]["exchanges"] == 4


def test_where_no_round_is_whole_all_count(tmp_path: Path) -> None:
    found = reported(tmp_path / "run", [0], rounds=1)
    assert found["policies"]["persistent"]["requests"] > 0
    assert "incomplete_rounds" not in found
