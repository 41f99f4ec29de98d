from __future__ import annotations

from bisect import bisect_right
from collections import Counter

import numpy as np
import pytest

from loadgen.model.request_choice import point, upper_edges


@pytest.mark.parametrize(("connections", "length"), [(1, 2_000), (2_000, 1), (50, 40), (667, 3)])
def test_each_has_its_share_however_long_connections_are(connections: int, length: int) -> None:
    weights = (3, 1, 2)
    edges = upper_edges(weights)
    found = Counter(
        bisect_right(edges, point(connection, index)) for connection in range(connections) for index in range(length)
    )
    total = connections * length
    for place, weight in enumerate(weights):
        assert found[place] == pytest.approx(total * weight / 6, abs=0.01 * total)


def test_arrays_give_the_same() -> None:
    connections = np.array([0, 1, 7, (1 << 31) - 1, 1 << 40])
    indices = np.array([0, 5, 123_456, 1 << 31, 9])
    assert point(connections, indices).tolist() == [
        point(one, other) for one, other in zip(connections.tolist(), indices.tolist(), strict=True)
    ]
    assert upper_edges([5])[-1] == 1 << 32
