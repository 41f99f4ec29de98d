"""Simulated requests: they depend on each other, blocks and rounds differ, machines drift, tails are heavy.

Each block is one user in a closed loop: requests follow each other with a pause between them until the block's time is
over, so a slow block has fewer of them, as in a real run. A request takes

    machine(time) · round · block · policy · (shape [+ handshake, on some requests])

`machine` is one of a few fixed paths, `round` is shared by all policies of a round, `block` is each block's own, and
`shape` is the request's own, correlated with that of the one before. The order of the policies in a round is shuffled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Path = Callable[[Floats, int], Floats]

MEDIAN_NS = 200_000
"""What most requests take, at the machine's usual speed."""
_THINK_NS = 200_000
_REQUESTS = 500
_BLOCK_NS = _REQUESTS * (MEDIAN_NS + _THINK_NS)
_MAX_REQUESTS = _REQUESTS * 3 // 2
BLOCK_S = _BLOCK_NS / 1e9
PATHS = 8
"""How many different paths a drifting machine has."""
_STEPS = 400
_TINY_SHARE = 1e-7


@dataclass(frozen=True, slots=True)
class Policy:
    """What a policy costs beside what all cost."""

    factor: float = 1.0
    """Of every request."""
    pays_every: int = 0
    """The first of each group of this number of requests pays a handshake; 0: none does."""
    handshake: float = 1.5
    """Its median, in medians of a request."""


@dataclass(frozen=True, slots=True)
class Machine:
    """How a machine and its target behave."""

    shape: Callable[[Floats], Floats]
    """From standard normal values to what requests take, in medians."""
    correlation: float = 0.0
    """Of the normal values of requests that follow each other in a block."""
    round_spread: float = 0.0
    """Standard deviation of the logarithm of a round's speed."""
    block_spread: float = 0.02
    """The same of a block's."""
    path: Path | None = None
    """Its speed at times in 0..1 of the run, on one of its paths; None: always the same."""

    @property
    def paths(self) -> int:
        """How many paths it has."""
        return 1 if self.path is None else PATHS


@dataclass(frozen=True, slots=True)
class Requests:
    """What was measured of one policy: arrays of experiments × rounds × requests."""

    latency_ns: Floats
    counted: NDArray[np.bool_]
    """Which requests began within the block."""


def simulate(
    machine: Machine, policies: tuple[Policy, ...], random: np.random.Generator, path: int, size: tuple[int, int]
) -> list[Requests]:
    """Each policy's requests on one path of the machine. size: experiments and rounds."""
    count, rounds = len(policies), size[1]
    order = random.permuted(np.broadcast_to(np.arange(count), (*size, count)), axis=2)
    common = np.exp(machine.round_spread * random.standard_normal(size))
    found = []
    for number, policy in enumerate(policies):
        at = (np.arange(rounds) + (order[:, :, number] + 0.5) / count) / rounds
        speed = common * np.exp(machine.block_spread * random.standard_normal(size))
        if machine.path is not None:
            speed = speed * machine.path(at, path)
        found.append(_block(machine, policy, random, speed))
    return found


def _block(machine: Machine, policy: Policy, random: np.random.Generator, speed: Floats) -> Requests:
    """One policy's block in each experiment and round. speed: experiments × rounds."""
    latency = machine.shape(_correlated(machine.correlation, random, speed.shape))
    if policy.pays_every:
        payers = latency[..., :: policy.pays_every]
        payers += policy.handshake * np.exp(0.2 * random.standard_normal(payers.shape))
    latency *= MEDIAN_NS * policy.factor * speed[..., None]
    begun = np.cumsum(latency + _THINK_NS, axis=-1) - latency
    return Requests(latency, begun <= _BLOCK_NS)


def _correlated(correlation: float, random: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Standard normal values, each correlated with the one before along the last axis: an AR(1) process."""
    if not correlation:
        return random.standard_normal((*shape, _MAX_REQUESTS))
    values = random.standard_normal((_MAX_REQUESTS, *shape))
    values[1:] *= np.sqrt(1 - correlation**2)
    for before, value in pairwise(values):
        value += correlation * before
    return np.ascontiguousarray(np.moveaxis(values, 0, -1))


@dataclass(frozen=True, slots=True)
class Lognormal:
    """A median of 1; the larger sigma, the heavier the tail."""

    sigma: float

    def __call__(self, normal: Floats) -> Floats:
        return np.exp(self.sigma * normal)


@dataclass(frozen=True, slots=True)
class Pareto:
    """A median of 1 and a tail that falls with a power only: moments from the exponent on don't exist."""

    exponent: float

    def __call__(self, normal: Floats) -> Floats:
        return np.asarray((0.5 / np.maximum(_normal_sf(normal), _TINY_SHARE)) ** (1 / self.exponent))


@dataclass(frozen=True, slots=True)
class Gap:
    """A median of 1; those beyond so many standard deviations are slow, by this factor, and none lies between."""

    beyond: float
    factor: float

    def __call__(self, normal: Floats) -> Floats:
        return np.exp(0.1 * normal) * np.where(normal > self.beyond, self.factor, 1.0)


def _normal_sf(values: Floats) -> Floats:
    """The probability of more than these: Abramowitz and Stegun, 7.1.26, to 1e-7."""
    t = 1 / (1 + 0.3275911 * np.abs(values) / np.sqrt(2))
    sums = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    tail = 0.5 * sums * np.exp(-(values**2) / 2)
    return np.where(values >= 0, tail, 1 - tail)


def rising(at: Floats, path: int) -> Floats:
    """Slower, or faster, by up to 30 % over the run, evenly."""
    return np.asarray(np.exp(np.linspace(-0.3, 0.3, PATHS)[path] * (at - 0.5)))


def wandering(at: Floats, path: int) -> Floats:
    """A random walk, with a standard deviation of 10 % over the run."""
    steps = np.cumsum(np.random.default_rng(path).standard_normal(_STEPS)) * 0.1 / np.sqrt(_STEPS)
    return np.exp(np.interp(at, np.linspace(0, 1, _STEPS), steps))
