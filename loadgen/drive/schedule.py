"""Rounds and blocks: which cell runs when. Pure; knows no clock and no socket."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from loadgen.model.cell import Cell
from loadgen.model.plan import Plan


@dataclass(frozen=True, slots=True)
class Block:
    """One stretch of load under one policy; `index` counts from 0 through the whole run."""

    index: int
    round: int
    cell: Cell


def blocks(plan: Plan) -> Iterator[Block]:
    """Every block of the run in order: one of each cell a round, shuffled anew each round by the plan's seed."""
    shuffle = random.Random(plan.seed).shuffle  # noqa: S311 # an order, not a secret
    cells = plan.cells
    index = 0
    for number in range(plan.max_rounds):
        order = list(cells)
        shuffle(order)
        for cell in order:
            yield Block(index, number, cell)
            index += 1
