"""How a run of several workers has ended, from how each of them did."""

from __future__ import annotations

import pytest

from loadgen.cli.worker_pool import end_of


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        (["done", "died", "done"], "done"), (["died", "died"], "died"), (["done", "interrupted"], "interrupted"),
        (["interrupted", "disk_full"], "disk_full"), (["interrupted", "target"], "target"), (["died"], "died"),
    ],
)  # fmt: skip
def test_how_a_run_of_several_has_ended(ends: list[str], expected: str) -> None:
    assert end_of([{"end": end} for end in ends]) == {"end": expected}
