"""The marginal CPU time of a request."""

from __future__ import annotations

import pytest

from tests.bench.accounting import Account, marginal_us


def test_what_both_runs_have_alike_is_in_neither() -> None:
    short, long = Account(1.5, 20_000, 16.0), Account(3.1, 120_000, 15.8)
    assert marginal_us(short, long) == pytest.approx(16.0)
