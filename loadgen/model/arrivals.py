"""The kinds of arrivals of an open loop, and how several workers share them. Paces nothing."""

from __future__ import annotations

import re
from typing import NamedTuple

from loadgen.model.exceptions import PlanError

CONSTANT, POISSON = "constant", "poisson"
ARRIVALS = (CONSTANT, POISSON)
_SHARE = re.compile(r"(?P<kind>[a-z]+)(?::(?P<number>[0-9]{1,6})/(?P<workers>[0-9]{1,6}))?", re.ASCII)


class Share(NamedTuple):
    """The arrivals of one worker: number `number` (from 0) of `workers`, which all have the same rate."""

    kind: str
    number: int
    workers: int

    def __str__(self) -> str:
        return self.kind if self.workers == 1 else f"{self.kind}:{self.number}/{self.workers}"


def parse_arrivals(text: str) -> Share:
    """Read `constant` or `poisson`, or a worker's share as in `constant:1/3`. Raises PlanError."""
    found = _SHARE.fullmatch(text)
    if found and found["kind"] in ARRIVALS:
        share = Share(found["kind"], int(found["number"] or 0), int(found["workers"] or 1))
        if share.number < share.workers:
            return share
    raise PlanError(f"--arrivals is {text!r}; use one of {', '.join(ARRIVALS)}")
