"""The ways in which bytes may come: all at once, and one by one. What a parser makes of them must not depend on it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

Cut = Callable[[bytes], list[bytes]]


def whole(data: bytes) -> list[bytes]:
    return [data]


def bytewise(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def by_kilobytes(data: bytes) -> list[bytes]:
    return [data[at : at + 1024] for at in range(0, len(data), 1024)]


def cut_at(data: bytes, places: set[int]) -> list[bytes]:
    bounds = [0, *sorted(place for place in places if 0 < place < len(data)), len(data)]
    return [data[begin:end] for begin, end in pairwise(bounds)]


either_way = pytest.mark.parametrize("cut", [whole, bytewise])
"""The test is given both, as `cut`."""
