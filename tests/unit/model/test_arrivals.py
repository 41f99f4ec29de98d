"""Ways to arrive, as `--arrivals` names them."""

from __future__ import annotations

import pytest

from loadgen.model.arrivals import parse_arrivals
from loadgen.model.exceptions import PlanError


@pytest.mark.parametrize(
    "text", ["", "steady", "constant:", "constant:1", "constant:2/2", "constant:0/0", "poisson:-1/2", "constant:0/2x"]
)
def test_what_is_no_way_to_arrive(text: str) -> None:
    with pytest.raises(PlanError, match="--arrivals is"):
        parse_arrivals(text)


def test_a_share_of_arrivals_is_read_as_it_is_written() -> None:
    for text in ("constant", "poisson", "poisson:0/2", "constant:6/7"):
        assert str(parse_arrivals(text)) == text
