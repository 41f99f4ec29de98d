"""How much values that follow each other depend on each other. Knows no unit."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_MAX_LAG = 4_096


def integrated_time(series: Iterable[NDArray[np.float64]]) -> float:
    """The integrated autocorrelation time: of n such values as many are worth as n / time independent ones, 1 at least.

    series: several stretches of one process, each about a mean of its own; longer ones weigh more. By the initial
    monotone sequence (C. J. Geyer, Statistical Science 7, 1992): the sum of autocorrelations in pairs, each no larger
    than the one before, as far as they are positive. Lags go up to 4,096.
    """
    rho = _autocorrelations(series)
    if not len(rho):
        return 1.0
    pairs = rho[: len(rho) // 2 * 2].reshape(-1, 2).sum(axis=1)
    ends = np.flatnonzero(pairs <= 0)
    positive = pairs[: ends[0]] if len(ends) else pairs
    return max(1.0, 2 * float(np.minimum.accumulate(positive).sum()) - 1)


def _autocorrelations(series: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
    """By lag, from 0 on; none where the values do not vary. Of a stretch, lags up to half of its length count."""
    products, numbers = np.zeros(_MAX_LAG), np.zeros(_MAX_LAG)
    for values in series:
        size = len(values)
        lags = min(_MAX_LAG, size // 2)
        if not lags:
            continue
        # Zeros behind the values keep the transform's end from meeting its beginning.
        length = 1 << (size + lags - 1).bit_length()
        transformed = np.fft.rfft(values - values.mean(), length)
        products[:lags] += np.fft.irfft(transformed * transformed.conj(), length)[:lags]
        numbers[:lags] += size - np.arange(lags)
    if products[0] <= 0:
        return np.empty(0)
    known = numbers > 0
    return np.asarray(products[known] / numbers[known] / (products[0] / numbers[0]))
