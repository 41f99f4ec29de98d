"""Writes blocks and reports each right after it, as a class runner does: what live figures are made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from loadgen.measure.data.recorder import BLOCKS_FILE
from loadgen.measure.live.block_report import RowReader, block_report
from loadgen.measure.live.request_figures import request_figures
from tests.support.synthetic import Link, RunWriter, cell_names


def facts_of(writer: RunWriter) -> dict[str, Any]:
    """What the recorder knows of its last block."""
    last = (writer.store.directory / BLOCKS_FILE).read_text(encoding="utf-8").splitlines()[-1]
    return {key: value for key, value in json.loads(last).items() if key != "row_bytes"}


class Reporter:
    """Of one worker's user class. directory: where its rows are."""

    def __init__(self, directory: Path, plan: dict[str, Any]) -> None:
        self.writer = RunWriter(directory, plan)
        self.policies = cell_names(plan)
        self.reader = RowReader(directory)

    def block(self, policy: str, number: int, made: list[Link], **more: Any) -> tuple[dict[str, Any], dict[int, Any]]:
        """The block's report, as a message carries it, and its figures."""
        writer = self.writer
        writer.block(policy, number, made, **more)
        rows, connections = self.reader.read(writer.recorder.exchanges, writer.recorder.connections)
        facts = facts_of(writer)
        figures = request_figures(facts, rows, connections, wall_s=1_000_000.0)
        return block_report(facts, rows, connections, self.policies), figures
