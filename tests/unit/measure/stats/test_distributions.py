"""Student's t, F and Kolmogorov's distribution against the values that printed tables have."""

from __future__ import annotations

import pytest

from loadgen.measure.stats.distributions import (
    f_sf,
    kolmogorov_sf,
    student_t_cdf,
    student_t_quantile,
    student_t_two_sided,
)


@pytest.mark.parametrize(
    ("share", "freedom", "t"),
    [
        (0.975, 1, 12.7062047), (0.975, 2, 4.3026527), (0.975, 4, 2.7764451), (0.975, 9, 2.2621572),
        (0.975, 199, 1.9719565), (0.995, 4, 4.6040949), (0.95, 30, 1.6972609), (0.9995, 3, 12.9239786),
        (0.975, 1e6, 1.9599665), (0.5, 7, 0.0), (0.025, 4, -2.7764451),
    ],
)  # fmt: skip
def test_quantiles_of_t(share: float, freedom: float, t: float) -> None:
    assert student_t_quantile(share, freedom) == pytest.approx(t, rel=1e-7, abs=1e-9)
    assert student_t_cdf(t, freedom) == pytest.approx(share, abs=1e-8)


def test_both_tails_of_t_keep_their_digits_far_out() -> None:
    assert student_t_two_sided(2.7764451, 4) == pytest.approx(0.05, abs=1e-8)
    assert student_t_two_sided(0, 4) == 1
    assert student_t_two_sided(float("inf"), 4) == 0
    # With 2 degrees of freedom there is a formula: 1 - t / sqrt(2 + t²), about 1 / t² far out.
    assert student_t_two_sided(1e6, 2) == pytest.approx(1e-12, rel=1e-6)


@pytest.mark.parametrize(
    ("f", "freedom", "error_freedom", "share"),
    [
        (4.9646027, 1, 10, 0.05), (3.3258345, 5, 10, 0.05), (3.4903, 3, 12, 0.05), (2.8167, 4, 22, 0.05),
        (4.8166, 3, 22, 0.01), (99.2993, 5, 2, 0.01), (0.0, 3, 5, 1.0),
    ],
)  # fmt: skip
def test_tails_of_f(f: float, freedom: float, error_freedom: float, share: float) -> None:
    assert f_sf(f, freedom, error_freedom) == pytest.approx(share, abs=1e-6)


def test_f_with_one_degree_of_freedom_is_the_square_of_t() -> None:
    assert f_sf(2.2621572**2, 1, 9) == pytest.approx(0.05, abs=1e-8)


# Critical distances for 10, 20, 35 samples (F. J. Massey, J. Am. Stat. Assoc. 46, 1951), and of the limit, 1.3581/√n.
@pytest.mark.parametrize(
    ("distance", "samples", "share"),
    [(0.410, 10, 0.05), (0.490, 10, 0.01), (0.294, 20, 0.05), (0.2242, 35, 0.05), (0.0013581, 1e6, 0.05), (0, 9, 1.0)],
)
def test_tails_of_kolmogorov(distance: float, samples: float, share: float) -> None:
    assert kolmogorov_sf(distance, samples) == pytest.approx(share, abs=0.004)
