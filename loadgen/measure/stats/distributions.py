"""Distributions that tests and intervals need: Student's t, F, Kolmogorov. Scalars in, scalars out; knows no samples.

t and F are incomplete beta functions, which a continued fraction gives (NIST Digital Library of Mathematical Functions,
§8.17(v), 8.17.22), by Lentz's method as modified by I. J. Thompson and A. R. Barnett (J. Comput. Phys. 64, 1986).
"""

from __future__ import annotations

import math
from functools import cache

_TINY = 1e-300
_PRECISION = 1e-15
_MAX_TERMS = 10_000
_KOLMOGOROV_TERMS = 101


def student_t_cdf(t: float, freedom: float) -> float:
    """The probability that Student's t with `freedom` degrees of freedom is at most `t`."""
    tail = 0.5 * _beta(freedom / (freedom + t * t), freedom / 2, 0.5)
    return tail if t < 0 else 1 - tail


def student_t_two_sided(t: float, freedom: float) -> float:
    """The probability that Student's t is at least as far from 0 as `t`: the p value of a two-sided test."""
    return 0.0 if math.isinf(t) else _beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def student_t_p_value(difference: float, error: float, freedom: float) -> float:
    """How probable so large a difference is if there is none. error: its standard error, which may be 0."""
    return student_t_two_sided(difference / error, freedom) if error else float(difference == 0)


@cache
def student_t_quantile(share: float, freedom: float) -> float:
    """The value that Student's t exceeds with a probability of 1 - `share`, which lies between 0 and 1."""
    if share < 0.5:
        return -student_t_quantile(1 - share, freedom)
    wanted = 2 * (1 - share)
    low, high = 0.0, 1.0
    while student_t_two_sided(high, freedom) > wanted:
        low, high = high, high * 2
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (middle, high) if student_t_two_sided(middle, freedom) > wanted else (low, middle)
    return high


def f_sf(f: float, freedom: float, error_freedom: float) -> float:
    """The probability that F is more than `f`. freedom: of its numerator; error_freedom: of its denominator."""
    if f <= 0:
        return 1.0
    return _beta(error_freedom / (error_freedom + freedom * f), error_freedom / 2, freedom / 2)


def kolmogorov_sf(distance: float, samples: float) -> float:
    """The probability that the Kolmogorov-Smirnov distance of independent samples is more than `distance`.

    By the limiting distribution with M. A. Stephens's correction for few samples (J. R. Stat. Soc. B 32, 1970).
    """
    root = math.sqrt(samples)
    scaled = distance * (root + 0.12 + 0.11 / root)
    if scaled < 0.2:  # the sum below converges slowly there, and the probability is 1 to twelve places
        return 1.0
    terms = (2 * (-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, _KOLMOGOROV_TERMS))
    return min(1.0, max(0.0, math.fsum(terms)))


def _beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast below that
        return 1 - _beta(1 - x, b, a)
    log_factor = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_factor) * _beta_fraction(x, a, b) / a


def _beta_fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MAX_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
