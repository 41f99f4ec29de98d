"""What a case of the benchmark is given, and how the command line names cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.machine import Server


@dataclass(frozen=True, slots=True)
class Bench:
    """One case's surroundings."""

    server: Server
    folder: Path
    """For runs and files; removed at the end."""
    turns: int
    parts: tuple[str, ...] = ()
    """The parts of the case that were asked for; none means all."""

    def wants(self, part: str) -> bool:
        return not self.parts or part in self.parts


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the benchmark's table."""

    run: Callable[[Bench], None]
    parts: tuple[str, ...] = ()
    """Names by which a part of it can be asked for."""
    turns: int = 3
    """Where the command line names no other number."""
    on_demand: bool = False
    """It runs only where it is named."""


def chosen(words: Sequence[str], cases: Mapping[str, Case]) -> tuple[int | None, list[tuple[str, tuple[str, ...]]]]:
    """The number of turns, if one was given, and cases with their parts: of words such as `turns=4 cpu close wrk`.

    A word that is no case is a part of the case before it. Raises SystemExit with one line for any other word.
    """
    turns: int | None = None
    found: list[tuple[str, list[str]]] = []
    for word in words:
        if word.startswith("turns="):
            turns = _positive(word)
        elif word in cases:
            found.append((word, []))
        elif found and word in cases[found[-1][0]].parts:
            found[-1][1].append(word)
        else:
            known = ", ".join(cases if not found else cases[found[-1][0]].parts or ["none"])
            of = "case" if not found else f"part of the case {found[-1][0]!r}"
            raise SystemExit(f"bench: {word!r} is no {of}; there are: {known}")
    every = [(name, []) for name, case in cases.items() if not case.on_demand]
    return turns, [(name, tuple(parts)) for name, parts in found or every]


def _positive(word: str) -> int:
    number = word.partition("=")[2]
    if not number.isdecimal() or int(number) == 0:
        raise SystemExit(f"bench: {word!r} must be turns=N with N of at least 1")
    return int(number)
