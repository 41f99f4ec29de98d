"""Values from elsewhere against the TypedDicts that say their form."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.model.block_facts import BlockFacts
from loadgen.model.run_record import RunWarning, TargetRecord
from loadgen.model.typed_json import MAX_ITEMS, MAX_TEXT, misfit


class Inner(TypedDict, total=False):
    word: Literal["a", "b"]


class Outer(TypedDict):
    number: int
    share: float
    text: str | None
    data: NotRequired[bytes]
    many: NotRequired[list[Inner]]
    counts: NotRequired[dict[str, int]]


GOOD: dict[str, Any] = {"number": 1, "share": 0.5, "text": None}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "more",
    [{}, {"text": "x"}, {"share": 1}, {"data": b""}, {"many": []}, {"many": [{}, {"word": "b"}]}, {"counts": {"a": 1}}],
    ids=str,
)
def test_what_fits(more: dict[str, Any]) -> None:
    assert misfit(GOOD | more, Outer) == ""


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        (None, "it is not an object"),
        ([], "it is not an object"),
        ({"number": 1, "share": 0.5}, "it has no text"),
        (GOOD | {"other": 1}, "it has a key that is unknown"),
        (GOOD | {"number": True}, "number is not a whole number, or too large"),
        (GOOD | {"number": 1 << 63}, "number is not a whole number, or too large"),
        (GOOD | {"share": "1"}, "share is not a number, or too large"),
        (GOOD | {"text": "x" * (MAX_TEXT + 1)}, "text is not a text, or too large"),
        (GOOD | {"data": "x"}, "data is not bytes, or too large"),
        (GOOD | {"many": [{"word": "c"}]}, "many[0].word is none of the words that it may be"),
        (GOOD | {"many": ({},)}, "many is not a list, or too long"),
        (GOOD | {"many": [{}] * (MAX_ITEMS + 1)}, "many is not a list, or too long"),
        (GOOD | {"counts": {"a": None}}, "counts[…] is not a whole number, or too large"),
        (GOOD | {"counts": {1: 1}}, "counts has a key that is not a text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not(value: Any, wrong: str) -> None:
    assert misfit(value, Outer) == wrong


@given(VALUES, st.sampled_from([Outer, BlockFacts, TargetRecord, RunWarning, list[BlockFacts]]))
def test_no_value_is_an_error(value: Any, form: Any) -> None:
    assert isinstance(misfit(value, form), str)


def test_what_nests_deeper_than_the_form_is_not_followed() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    assert misfit(GOOD | {"number": value}, Outer) != ""
    while isinstance(value, list):  # or the interpreter's own clean-up would go that deep
        value = value.pop()
