"""The ways in which bytes may come: all at once, and one by one. What a parser makes of them must not depend on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Cut = Callable[[bytes], list[bytes]]


def whole(data: bytes) -> list[bytes]:
    return [data]


def bytewise(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


either_way = pytest.mark.parametrize("cut", [whole, bytewise])
"""The test is given both, as `cut`."""
