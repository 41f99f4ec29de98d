"""What all unit tests keep to: none computes for long."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

MAX_CPU_S = 10.0
"""Of one test in this process, which other programs hardly lengthen; the slowest take a quarter of that, and
AddressSanitizer makes them twice as slow."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Hundreds of tests that are a little slower make everybody wait: the slow one is named on the day it comes."""
    begun = time.process_time()
    yield
    taken_s = time.process_time() - begun
    if taken_s > MAX_CPU_S:
        pytest.fail(
            f"{item.nodeid} computed for {taken_s:.1f} s; a unit test has {MAX_CPU_S:.0f} s: give it less to do"
        )
