"""How long the next round will take: as planned, or as the last ones took."""

from __future__ import annotations

import pytest

from loadgen.swarm.round_times import RoundTimes


def after(*rounds: list[float]) -> float:
    """How long the next one takes after these, each of them two blocks of 2 s by the plan."""
    times = RoundTimes(4.0)
    for blocks in rounds:
        for seconds in blocks:
            times.add_block(seconds)
        times.end_round()
    return times.next_s()


@pytest.mark.parametrize(
    ("rounds", "seconds"),
    [
        ([], 4.0),
        ([[1.0, 1.0]], 4.0),
        ([[3.0, 3.0]], 6.0),
        ([[9.0, 3.0]], 6.0),  # the first block does more than others
        ([[9.0]], 9.0),
        ([[2.5, 2.5], [3.0, 9.0], [3.0, 3.0]], 5.0),  # one that was held up does not count
        ([[2.5, 2.5], [3.0, 3.0], [3.0, 3.0], [4.0, 4.0]], 6.0),
    ],
)
def test_the_next_round_takes_as_long_as_the_last_ones(rounds: list[list[float]], seconds: float) -> None:
    assert after(*rounds) == pytest.approx(seconds)
