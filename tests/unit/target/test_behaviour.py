"""How the target behaves: what is refused, and the Keep-Alive field that announces its limits."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.units import NS_PER_S
from loadgen.target.behaviour import Behaviour


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size_bytes": -1}, "--size is -1; it can't be negative"),
        ({"close_after": -2}, "--close-after is -2; it can't be negative"),
        ({"size_bytes": 1 << 31}, "--size is 2,147,483,648; it must lie between 0 and 1,073,741,824"),
        ({"delay_ns": 10**18}, "--delay is 1,000,000,000 s; it must lie between 0 ns and 86,400 s"),
        ({"max_streams": 1 << 31}, "--max-streams is 2,147,483,648; it must lie between 1 and 2,147,483,647"),
        ({"max_streams": 0}, "--max-streams is 0; at least 1 is needed"),
        ({"declines": frozenset({"h3"})}, "--decline can't be 'h3'; it takes websocket, h2c, h2, trailers"),
    ],
)
def test_refusals(options: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanError) as refusal:
        Behaviour(**options)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({}, b""),
        ({"close_after": 10}, b"Keep-Alive: max=7\r\n"),
        ({"idle_timeout_ns": 5 * NS_PER_S}, b"Keep-Alive: timeout=5\r\n"),
        ({"idle_timeout_ns": 2 * NS_PER_S, "close_after": 4}, b"Keep-Alive: timeout=2, max=1\r\n"),
        ({"idle_timeout_ns": NS_PER_S // 2}, b""),  # whole seconds are all that the field can say
        ({"idle_timeout_ns": 5 * NS_PER_S, "close_after": 10, "silent": True}, b""),
    ],
)
def test_the_keep_alive_field(options: dict[str, Any], field: bytes) -> None:
    assert Behaviour(**options).keep_alive_field(served=3) == field
