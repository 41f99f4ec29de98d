"""Gates as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.model.exceptions import PlanError
from loadgen.model.gate.expression import OPERATORS, GateExpression, Limit, parse_gate
from loadgen.model.units import NS_PER_MS, NS_PER_S


@pytest.mark.parametrize(
    ("text", "path", "sign", "limit"),
    [
        ("close.latency_ms.p99 > 50", "close.latency_ms.p99", ">", Limit(number=50)),
        ("errors>0.1%", "errors", ">", Limit(number=0.001, is_percent=True)),
        ("errors > 2e-1 %", "errors", ">", Limit(number=0.002, is_percent=True)),
        ("latency.p99 >= 50ms", "latency.p99", ">=", Limit(duration_ns=50 * NS_PER_MS)),
        ("latency_p50_delta > -1.5s", "latency_p50_delta", ">", Limit(duration_ns=-3 * NS_PER_S // 2)),
        ("mean.ratio <= .5", "mean.ratio", "<=", Limit(number=0.5)),
        ("protocol != http/1.1", "protocol", "!=", Limit(word="http/1.1")),
        ("  gap:1.5s+resume . reuse_ratio\t<  1 ", "gap:1.5s+resume.reuse_ratio", "<", Limit(number=1)),
    ],
)
def test_what_is_read(text: str, path: str, sign: str, limit: Limit) -> None:
    gate = parse_gate(text)
    assert (gate.path, gate.operator) == (path, sign)
    assert gate.limit == limit
    assert parse_gate(gate.text) == gate


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "can't be read; write it like 'close.latency_ms.p99 > 50'"),
        ("errors", "with one of >="),
        ("errors = 3", "to compare for equality write =="),
        ("> 3", "can't be read"),
        ("errors >", "can't be read"),
        ("errors >   ", "can't be read"),
        ("1 < errors < 3", "can't be read"),
        ("errors > 3 parsecs", "'3 parsecs' is no limit"),
        ("latency.p99 > --5ms", "'--5ms' is no limit"),
        ("errors > ?", "'\\?' is no limit"),
        ("errors > 1e999", "no number that a field can have"),
        ("x" * 600 + " > 3", "600|604"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(PlanError, match=message) as refused:
        parse_gate(text)
    assert "\n" not in str(refused.value)


@given(st.text(max_size=60) | st.from_regex(r"[a-z._]{1,9} ?[<>=!]{1,2} ?[0-9.e%ms]{1,9}", fullmatch=True))
def test_any_text_is_a_gate_or_one_line(text: str) -> None:
    gate = read(text)
    assert read(gate.text) == gate if isinstance(gate, GateExpression) else len(gate.splitlines()) == 1


def read(text: str) -> GateExpression | str:
    """The gate, or the one line for people."""
    try:
        return parse_gate(text)
    except PlanError as error:
        return str(error)


@given(
    st.sampled_from(list(OPERATORS)),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_numbers_are_compared_as_python_does(sign: str, value: float, limit: float) -> None:
    gate = parse_gate(f"errors {sign} {limit!r}")
    assert gate.limit.number == limit
    assert gate.holds(value, limit) is OPERATORS[sign](value, limit)
