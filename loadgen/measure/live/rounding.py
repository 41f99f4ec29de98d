"""Three significant digits: the keys under which Locust's statistics count response times. Knows no Locust.

A single figure and a column of figures must give the same keys, so both functions stand here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def three_digits(value_ms: float) -> float:
    """Round to three significant digits, and to 0.1 µs below 0.1 ms: 0.0412, 0.101, 12.3, 147, 1230.

    There are at most 900 different results for each power of ten, and equal ones are equal in every process.
    """
    # Called twice for each request: a division gives the nearest float just as `round` does, in a quarter of the time.
    if value_ms < 1:
        return int(value_ms * 1000 + 0.5) / 1000 if value_ms >= 0.1 else int(value_ms * 10_000 + 0.5) / 10_000
    if value_ms < 100:
        return int(value_ms * 100 + 0.5) / 100 if value_ms < 10 else int(value_ms * 10 + 0.5) / 10
    step = 1
    while value_ms >= step * 1000:
        step *= 10
    return int(value_ms / step + 0.5) * step


def all_three_digits(values_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same for a column."""
    size = np.floor(np.log10(np.maximum(values_ms, 0.01)))
    # By powers of ten that are whole numbers, so that 0.101 is the same key however it came about.
    scale = 10.0 ** np.abs(size - 2)
    return np.where(size > 2, np.floor(values_ms / scale + 0.5) * scale, np.floor(values_ms * scale + 0.5) / scale)
