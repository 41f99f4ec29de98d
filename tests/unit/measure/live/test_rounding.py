"""Three significant digits: a single figure and a column give the same keys."""

from __future__ import annotations

import numpy as np
import pytest

from loadgen.measure.live.rounding import all_three_digits, three_digits

ROUNDED = [
    (0.0, 0.0), (0.00123, 0.0012), (0.04123, 0.0412), (0.1014, 0.101), (0.9996, 1.0), (1.2345, 1.23), (12.345, 12.3),
    (146.6, 147.0), (1234.0, 1230.0), (58_760.0, 58_800.0),
]  # fmt: skip


@pytest.mark.parametrize(("value_ms", "rounded"), ROUNDED)
def test_three_digits_are_kept_at_any_size(value_ms: float, rounded: float) -> None:
    assert three_digits(value_ms) == rounded
    assert all_three_digits(np.array([value_ms])).tolist() == [rounded]


def test_both_give_equal_keys() -> None:
    values_ms = np.exp(np.random.default_rng(7).uniform(np.log(0.0005), np.log(900_000), 20_000))
    assert [three_digits(value) for value in values_ms.tolist()] == all_three_digits(values_ms).tolist()
