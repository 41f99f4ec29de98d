"""Which origin a user's next request goes to."""

from __future__ import annotations

from collections import Counter

import pytest

from loadgen.drive.origins.origin_choice import OriginChoice
from loadgen.model.request_choice import upper_edges


@pytest.mark.parametrize("user", range(4))
def test_each_origin_has_its_share_after_any_number_of_requests(user: int) -> None:
    choice = OriginChoice(upper_edges([6, 3, 1]), user)
    found: Counter[int] = Counter()
    for sent in range(1, 400):
        found[choice.next()] += 1
        for place, share in enumerate((0.6, 0.3, 0.1)):
            assert abs(found[place] - share * sent) < 4


def test_users_begin_with_different_origins() -> None:
    edges = upper_edges([1, 1])
    assert {OriginChoice(edges, user).next() for user in range(4)} == {0, 1}
