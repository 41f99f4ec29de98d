"""How well the connection doctor predicts the share of requests that a chain loses: against a count, and the truth.

The proxies are ours: they keep connections to the origin without watching them, and send a known share of the requests
that they lose once more. So what a mix of gaps loses is known.
"""

from __future__ import annotations

from contextlib import ExitStack
from math import exp

import gevent

from loadgen.model.audit import FindingRecord
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS, NS_PER_S
from loadgen.target.behaviour import Behaviour
from tests.bench.case import Bench
from tests.support.audits import finding
from tests.support.careless_proxy import careless_proxy
from tests.support.target_thread import target_in_thread

_TIMEOUT_NS = 400 * NS_PER_MS
_CHAINS = tuple((repeats, mean) for repeats in (0, 0.5, 1) for mean in (0.5, 1, 2))
"""The share of lost GETs that the proxy sends again, and the mean gap in idle timeouts of the origin."""


def chain_losses(bench: Bench) -> None:
    """All chains at the same time, in each turn."""
    print("| sent again | mean gap | truth | predicted | counted | agree |\n|---:|---:|---:|---:|---:|---|")
    agreed = held = runs = 0
    with ExitStack() as stack:
        origin = stack.enter_context(target_in_thread(Behaviour(idle_timeout_ns=_TIMEOUT_NS)))
        urls = [stack.enter_context(careless_proxy(origin.port, repeats=repeats)) for repeats, _ in _CHAINS]
        plan = {"origin": parse_target(f"http://127.0.0.1:{origin.port}/"), "max_time_ns": 60 * NS_PER_S}
        for _ in range(bench.turns):
            at_work = [
                gevent.spawn(
                    finding, url, "chain_losses", idle_max_ns=NS_PER_S, chain_gap_ns=int(mean * _TIMEOUT_NS), **plan
                )
                for url, (_, mean) in zip(urls, _CHAINS, strict=True)
            ]
            for greenlet, (repeats, mean) in zip(at_work, _CHAINS, strict=True):
                found: FindingRecord = greenlet.get()
                values = found["values"]
                truth = (1 - repeats) * exp(-1 / mean)
                shares = [_share(found, name) for name in ("predicted", "counted")]
                runs += 1
                agreed += values.get("agrees") is True
                held += shares[0][1] <= truth <= shares[0][2]
                texts = " | ".join(f"{middle:.1%} ({low:.1%} to {high:.1%})" for middle, low, high in shares)
                print(f"| {repeats:.0%} | {mean:g} | {truth:.1%} | {texts} | {values.get('agrees')} |", flush=True)
    print(f"\n{agreed} of {runs} agree; {held} of {runs} intervals of the prediction have the truth", flush=True)


def _share(found: FindingRecord, name: str) -> tuple[float, float, float]:
    middle, low, high = (found["values"].get(f"{name}_{end}") for end in ("share", "low", "high"))
    assert isinstance(middle, float)
    assert isinstance(low, float)
    assert isinstance(high, float)
    return middle, low, high
