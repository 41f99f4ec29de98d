"""Blocks in which nothing was answered: which count, how they are named, and what their requests ended with."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.measure.warnings.outages import outages
from loadgen.model.errors import ErrorKind


class FakeSamples:
    """Blocks, each with the kinds of error of its requests."""

    def __init__(self, *blocks: dict[str, Any]) -> None:
        self.blocks = [self._with_counts(index, {**block}) for index, block in enumerate(blocks)]

    def _with_counts(self, index: int, block: dict[str, Any]) -> dict[str, Any]:
        labels = [kind.label for kind in block.pop("kinds", [])]
        errors = {label: labels.count(label) for label in labels}
        counted = {"requests": 0, "kept": 0, "reused": 0, "statuses": {}, "phases": {}, "errors": errors}
        known = {"index": index, "window_ns": 1, "started": 5, "warmup_errors": 0, "exchanges": 5}
        return known | {"counted": counted} | block


REFUSED = {"exchanges": 0, "kinds": [ErrorKind.CONNECT_REFUSED] * 2}


def messages(*blocks: dict[str, Any]) -> list[str]:
    found = outages(FakeSamples(*blocks))  # type: ignore[arg-type] # a stand-in
    assert {one["code"] for one in found} <= {"blocks_without_answer"}
    return [one["message"] for one in found]


def test_blocks_that_were_answered_are_no_outage() -> None:
    assert messages({}, {}) == []


@pytest.mark.parametrize(
    "block",
    [
        {"exchanges": 0, "started": 0},  # nothing was asked for
        {"exchanges": 0, "window_ns": 0},  # it was cut off in its warm-up
        {"exchanges": 0, "answered": 3},  # what was answered had begun before the window
    ],
)
def test_blocks_that_do_not_count(block: dict[str, Any]) -> None:
    assert messages({}, block) == []


@pytest.mark.parametrize("asked", [{"started": 1}, {"due": 1}, {"unstarted": 1}, {"warmup_errors": 1}])
def test_whatever_a_block_asked_for_counts(asked: dict[str, int]) -> None:
    assert len(messages({}, {"exchanges": 0, "started": 0} | asked)) == 1


def test_a_block_is_named_with_its_errors() -> None:
    assert messages({}, REFUSED, {}) == ["no request was answered in 1 of 3 blocks, block 2: 2 connect_refused"]


def test_an_outage_to_the_end_is_named_by_its_beginning() -> None:
    (message,) = messages({}, REFUSED, REFUSED)
    assert message == "no request was answered in 2 of 3 blocks, from block 2 on: 4 connect_refused"


def test_of_many_blocks_only_the_first_are_named() -> None:
    (message,) = messages(*[REFUSED, {}] * 7)
    assert "in 7 of 14 blocks, blocks 1, 3, 5, 7, 9 and 2 more: 14 connect_refused" in message


def test_requests_that_never_ended() -> None:
    (message,) = messages({}, {"exchanges": 0})
    assert message.endswith("block 2: no request ended")
