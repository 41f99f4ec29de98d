"""Durations: what people write is read exactly, anything else is refused, and numbers are written to be read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.model.units import (
    NS_PER_MS,
    NS_PER_S,
    NS_PER_US,
    format_duration,
    format_estimate,
    format_number,
    margin_text,
    parse_duration_ns,
    share_text,
)


@pytest.mark.parametrize(
    ("text", "expected_ns"),
    [
        ("0", 0),
        ("0s", 0),
        ("7ns", 7),
        ("10us", 10 * NS_PER_US),
        ("10µs", 10 * NS_PER_US),
        ("500ms", 500 * NS_PER_MS),
        ("2s", 2 * NS_PER_S),
        ("1m", 60 * NS_PER_S),
        ("1.5s", 1500 * NS_PER_MS),
        ("0.1ms", 100 * NS_PER_US),
        ("1m30s", 90 * NS_PER_S),
        ("1s250ms", 1250 * NS_PER_MS),
        (" 2s ", 2 * NS_PER_S),
    ],
)
def test_durations_are_read_exactly(text: str, expected_ns: int) -> None:
    assert parse_duration_ns(text) == expected_ns


@pytest.mark.parametrize(
    "text",
    ["", " ", "2", "s", "-1s", "+1s", "1h", "2 s", "1s1", "1.s", ".5s", "1e3s", "2S", "1,5s", "1s,", "inf", "nans"],
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 500ms, 2s or 1m"):
        parse_duration_ns(text)


def test_a_duration_beyond_all_numbers_is_a_value_error() -> None:
    with pytest.raises(ValueError):
        parse_duration_ns("9" * 400 + "s")


@settings(deadline=None)
@given(st.integers(0, 10**9), st.sampled_from([("ns", 1), ("us", NS_PER_US), ("ms", NS_PER_MS)]))
def test_whole_numbers_lose_nothing(number: int, unit: tuple[str, int]) -> None:
    name, size_ns = unit
    assert parse_duration_ns(f"{number}{name}") == number * size_ns


@pytest.mark.parametrize(
    ("value_ns", "expected"),
    [
        (0, "0 ns"),
        (1, "1 ns"),
        (999, "999 ns"),
        (999.6, "1.00 µs"),
        (1000, "1.00 µs"),
        (1234, "1.23 µs"),
        (9_994, "9.99 µs"),
        (9_996, "10.0 µs"),
        (99_940, "99.9 µs"),
        (99_960, "100 µs"),
        (412_000, "412 µs"),
        (999_400, "999 µs"),
        (999_600, "1.00 ms"),
        (1_250_000, "1.25 ms"),
        (2 * NS_PER_S, "2.00 s"),
        (1234 * NS_PER_S, "1,234 s"),
        (-1500, "-1.50 µs"),
    ],
)
def test_durations_are_written_with_three_digits(value_ns: float, expected: str) -> None:
    assert format_duration(value_ns) == expected


@pytest.mark.parametrize(
    ("value_ns", "interval_ns", "sign", "expected"),
    [
        (990_000, [940_000, 1_110_000], False, ("0.99 ms", "[0.94, 1.11]")),
        (128_000, [120_400, 133_000], False, ("128 µs", "[120, 133]")),
        (900, [-20_000, 30_000], True, ("+0.9 µs", "[-20.0, +30.0]")),
        (9_500, [80, 21_000], False, ("9.5 µs", "[0.1, 21.0]")),
        (9_500, [20, 21_000], False, ("9.50 µs", "[0.02, 21.0]")),
        (2_600_000, [12_000, 847_490_000], False, ("2.60 ms", "[0.01, 847]")),
        (5_000_000_000, [1, 6_000_000_000], False, ("5.000 s", "[0.000, 6.000]")),
        (399_000, [13, 17_500_000_000], False, ("399 µs", "[13 ns, 17.5 s]")),
        (1_250_000, None, True, ("+1.25 ms", "")),
        (0, [0, 0], True, ("+0 ns", "[+0, +0]")),
    ],
)
def test_an_estimate_has_one_unit_and_no_bound_that_looks_like_0(
    value_ns: float, interval_ns: list[float] | None, sign: bool, expected: tuple[str, str]
) -> None:
    assert format_estimate(value_ns, interval_ns, sign=sign) == expected


@settings(deadline=None)
@given(st.integers(1, 3600 * NS_PER_S))
def test_what_is_written_is_within_half_a_percent(value_ns: int) -> None:
    written = format_duration(value_ns).replace(",", "").replace(" ", "")
    assert parse_duration_ns(written) == pytest.approx(value_ns, rel=0.0051)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0176, "±1.8%"), (0.02, "±2.0%"), (0.0201, "±2.1%"), (0.00031, "±0.04%"), (0.123, "±13%"), (1.0, "±100%"),
        (10.0, "±1,000%"), (232.5, "±1,000% or more"), (0.0, "±0.00%"),
    ],
)  # fmt: skip
def test_a_margin_is_rounded_up(share: float, text: str) -> None:
    assert margin_text(share) == text


@pytest.mark.parametrize(
    ("share", "decimals", "text"),
    [
        (0, 1, "0%"), (0.0004, 1, "<0.1%"), (0.0006, 1, "0.1%"), (0.5, 1, "50.0%"), (0.9994, 1, "99.9%"),
        (0.9996, 1, ">99.9%"), (1, 1, "100%"), (0.00003, 2, "<0.01%"), (0.99998, 2, ">99.99%"), (0.0476, 2, "4.76%"),
    ],
)  # fmt: skip
def test_only_nothing_is_0_percent_and_only_all_is_100(share: float, decimals: int, text: str) -> None:
    assert share_text(share, decimals) == text


@pytest.mark.parametrize(
    ("value", "max_decimals", "text"),
    [
        (1.0042, 3, "1.004"), (10.32, 3, "10.3"), (1234.5, 3, "1,234"), (0.034, 3, "0.034"), (0.00042, 3, "0.00042"),
        (-0.0004, 3, "-0.00040"), (0.04, 1, "0.040"), (0, 3, "0.000"), (1e-12, 3, "0.000000000"),
    ],
)  # fmt: skip
def test_a_small_number_is_not_written_as_0(value: float, max_decimals: int, text: str) -> None:
    assert format_number(value, max_decimals) == text
