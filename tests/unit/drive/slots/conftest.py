"""The clock of all slots of a test."""

from __future__ import annotations

import pytest

from tests.support.fake_network import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
