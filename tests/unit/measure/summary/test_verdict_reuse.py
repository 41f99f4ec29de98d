"""A policy that was to reuse connections, and could not: the verdict does not take it for one that did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.model.records import Ending
from tests.support.synthetic import MS, Exchange, Link, RunWriter, plan_json

IN_VAIN = "with persistent the other side closed connections after one request, so these figures show no reuse"


def verdict(directory: Path, policy: str, links: list[Link]) -> str:
    writer = RunWriter(directory / "run", plan_json(policy, 2))
    for number in range(2):
        writer.block(policy, number, links)
    said: Any = writer.summary()["verdict"]
    return f"{said}"


def closed(requests: int, ending: int) -> list[Link]:
    return [Link([Exchange(at * MS) for at in range(requests)], slot=0, ending=ending) for _ in range(5)]


@pytest.mark.parametrize("ending", [Ending.SERVER_ANNOUNCED, Ending.SERVER_IDLE_FIN])
def test_a_server_that_closes_after_each_response(tmp_path: Path, ending: int) -> None:
    """gunicorn's `sync` worker announces it, tinyproxy does not."""
    assert verdict(tmp_path, "persistent", closed(1, ending)).endswith(f"; {IN_VAIN}")


@pytest.mark.parametrize(
    ("policy", "links"),
    [
        ("persistent", closed(3, Ending.SERVER_ANNOUNCED)),
        ("persistent", closed(1, Ending.CLIENT_SILENT)),  # blocks too short for a second request: a warning says so
        ("close", closed(1, Ending.SERVER_ANNOUNCED)),
    ],
)
def test_others_are_what_their_name_says(tmp_path: Path, policy: str, links: list[Link]) -> None:
    assert "reuse" not in verdict(tmp_path, policy, links)
