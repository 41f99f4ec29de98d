"""When arrivals are due in an open loop. Pure: knows no clock and sends nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator

from loadgen.model.arrivals import POISSON, parse_arrivals
from loadgen.model.units import NS_PER_S


def due_ns(rate_rps: float, arrivals: str, seed: int) -> Iterator[int]:
    """Times (ns, from the beginning of the block) at which arrivals are due, without end, ascending.

    Constant: at equal distances of 1 / rate. Poisson: at independent, exponentially distributed distances with that
    mean. The same seed gives the same times, so that every policy of a round meets the same arrivals.

    arrivals: see `parse_arrivals`. Of several workers with the same rate and seed each has times of its own: constant
    ones of one lie between those of the others.
    """
    share = parse_arrivals(arrivals)
    if share.kind == POISSON:
        own_seed = seed if share.workers == 1 else f"{seed}:{share.number}"
        draw = random.Random(own_seed).expovariate  # noqa: S311 # a load, not a secret
        at_s = 0.0
        while True:
            at_s += draw(rate_rps)
            yield round(at_s * NS_PER_S)
    number = 0
    begin = share.number / share.workers
    while True:
        yield round((number + begin) * NS_PER_S / rate_rps)
        number += 1
