"""Exact counts beside a share of the samples: counting, adding up, drawing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loadgen.measure.data.downsampling import add_each, add_up, counts, draw, left_out
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, Phase


def columns(error: list[int], status: list[int], request_index: list[int]) -> dict[str, Any]:
    """Requests that waited; those with an even status connected too."""
    found = {phase.value: np.full(len(error), ABSENT, np.int64) for phase in Phase}
    found["wait"] = np.full(len(error), 5, np.int64)
    found["connect"] = np.where(np.array(status) % 2 == 0, 7, ABSENT)
    return found | {
        "error": np.array(error, np.int8),
        "status": np.array(status, np.int16),
        "nth_on_connection": np.array(request_index, np.int32),
        "request": np.full(len(error), ABSENT, np.int8),
    }


def test_each_block_has_its_own_counts() -> None:
    made = columns([ABSENT, ABSENT, ErrorKind.TRUNCATED, ABSENT], [200, 301, ABSENT, 200], [0, 1, 2, 5])
    blocks: Any = [{"index": number} for number in range(3)]
    first, second, empty = counts(made, np.array([0, 0, 0, 1]), blocks)
    assert (first["requests"], first["kept"], first["reused"]) == (2, 2, 1)
    assert first["statuses"] == {"200": 1, "301": 1}
    assert (first["phases"]["wait"], first["phases"]["connect"], first["phases"]["tls"]) == (2, 1, 0)
    assert second["statuses"] == {"200": 1}
    assert empty["requests"] == 0
    assert empty["statuses"] == {}
    total = add_up([first, second, empty])
    assert (total["requests"], total["reused"]) == (3, 2)
    assert total["statuses"] == {"200": 2, "301": 1}
    assert total["phases"]["connect"] == 2


def test_no_blocks_add_up_to_nothing() -> None:
    assert add_up([]) == {"requests": 0, "kept": 0, "reused": 0, "statuses": {}, "phases": {}, "errors": {}}


def test_keys_are_added_one_by_one() -> None:
    assert add_each([{"a": 1}, {}, {"a": 2, "b": 3}]) == {"a": 3, "b": 3}


def test_left_out_is_what_was_measured_and_is_gone() -> None:
    known: Any = [{"counted": {"requests": 10, "kept": 4}}, {"counted": {"requests": 3, "kept": 3}}, {}]
    assert left_out(known) == 6


@pytest.mark.parametrize("max_samples", [0, 10, 50, 100])
def test_a_draw_keeps_every_failure_and_one_of_each_block(max_samples: int) -> None:
    rng = np.random.default_rng(1)
    error = np.where(rng.random(400) < 0.1, int(ErrorKind.TRUNCATED), ABSENT)
    block_of = np.sort(rng.integers(0, 4, 400))
    chosen = draw({"error": error}, block_of, max_samples, seed=3)
    assert chosen[error != ABSENT].all()
    kept = np.bincount(block_of[chosen & (error == ABSENT)], minlength=4)
    assert (kept >= 1).all()
    assert max_samples - 4 <= kept.sum() <= max(max_samples, 4)


def test_the_same_seed_draws_the_same() -> None:
    made, block_of = {"error": np.full(300, ABSENT)}, np.repeat([0, 1, 2], 100)
    first, again, other = (draw(made, block_of, 30, seed).tolist() for seed in (1, 1, 2))
    assert first == again != other
