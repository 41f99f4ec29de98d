"""The fields of a result, read off its types."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

import pytest

from loadgen.model.gate.result_fields import Field, ValueKind, fields_of, name_of


class _Part(TypedDict):
    mean_ns: int | None
    mean_ci95: list[int] | None
    word: NotRequired[Literal["up", "down"]]


class _Result(TypedDict):
    started: int
    share: float
    is_good: bool
    name: str
    seconds: float
    rate_rps: float
    rate_rps_ci95: list[float] | None
    errors: dict[str, int]
    parts: dict[str, _Part]
    inner: _Part | None
    curve: list[_Part]


RECORD: Any = {
    "started": 200,
    "share": 0.5,
    "errors": {"503": 2, "500": 1, "404": 7},
    "parts": {"a": {"mean_ns": 5, "mean_ci95": [4, 6]}},
    "inner": None,
}
NAMES = {"parts": ("a", "b"), "errors": ("503", "404", "418", "5xx")}
FIELDS: dict[str, Field] = {field.text: field for field in fields_of(_Result, NAMES, {"errors": "started"})}


def test_which_there_are() -> None:
    assert set(FIELDS) == {
        "started", "share", "is_good", "name", "seconds", "rate_rps", "rate_rps_ci95.low", "rate_rps_ci95.high",
        "errors", "errors.503", "errors.404", "errors.418", "errors.5xx",
        *(f"{part}.{key}" for part in ("parts.a", "parts.b", "inner")
          for key in ("mean_ns", "mean_ci95.low", "mean_ci95.high", "word")),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "kind", "unit"),
    [
        ("started", ValueKind.NUMBER, ""),
        ("is_good", ValueKind.TRUTH, ""),
        ("name", ValueKind.TEXT, ""),
        ("seconds", ValueKind.NUMBER, "s"),
        ("rate_rps_ci95.low", ValueKind.NUMBER, "rps"),
        ("inner.mean_ns", ValueKind.NUMBER, "ns"),
        ("inner.mean_ci95.high", ValueKind.NUMBER, "ns"),  # whose key has no unit
        ("inner.word", ValueKind.TEXT, ""),
    ],
)
def test_kinds_and_units(path: str, kind: ValueKind, unit: str) -> None:
    assert (FIELDS[path].kind, FIELDS[path].unit) == (kind, unit)
    assert FIELDS["inner.word"].choices == ("up", "down")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("started", 200),
        ("errors", 10),
        ("errors.503", 2),
        ("errors.418", 0),
        ("errors.5xx", 3),
        ("parts.a.mean_ns", 5),
        ("parts.a.mean_ci95.high", 6),
        ("parts.b.mean_ns", None),
        ("inner.mean_ns", None),
        ("name", None),  # which this result lacks
    ],
)
def test_values(path: str, value: Any) -> None:
    assert FIELDS[path].value(RECORD) == value


def test_shares_and_intervals() -> None:
    assert FIELDS["errors.5xx"].share(RECORD) == 0.015
    assert FIELDS["errors"].share({"started": 0, "errors": {}}) is None
    assert FIELDS["parts.a.mean_ns"].interval_in(RECORD) == [4, 6]
    assert FIELDS["inner.mean_ns"].interval_in(RECORD) is None
    assert FIELDS["rate_rps"].interval_in({"rate_rps_ci95": None}) is None
    assert FIELDS["started"].interval_in(RECORD) is None


@pytest.mark.parametrize(
    ("path", "words", "unit"),
    [
        ("latency_ms.p99", ("latency", "p99"), "ms"),
        ("latency_p50_delta_ns", ("latency", "p50", "delta"), "ns"),
        ("stale_connections", ("stale", "connection"), ""),
        ("tls", ("tls",), ""),
        ("Throughput_RPS", ("throughput",), "rps"),
        ("ms", (), "ms"),
        ("..", (), ""),
    ],
)
def test_paths_by_their_words(path: str, words: tuple[str, ...], unit: str) -> None:
    assert name_of(path) == (words, unit)
