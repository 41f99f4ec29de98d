"""Several targets of one run, which take turns, each under a name of its own. Resolves and opens nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from loadgen.model.exceptions import PlanError
from loadgen.model.policy import parse_policies
from loadgen.model.target import Target

MAX_TARGETS = len(ascii_uppercase)
# A name is part of a cell's name, of gates and of labels; so it needs no quotes anywhere.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", re.ASCII)
_OF_GATES = "diff"  # gates that begin with it ask what changed since a baseline
_MAX_SHOWN = 60  # characters of a name that is wrong


@dataclass(frozen=True, slots=True)
class NamedTarget:
    """One of them."""

    name: str
    target: Target


def split_name(text: str) -> tuple[str, str]:
    """The two sides of `name=URL`. Raises ValueError with one line for people."""
    name, sign, url = text.partition("=")
    if not sign or "://" in name:
        raise ValueError("it has no name; write it like new=http://127.0.0.1:8080/")
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"the name {name[:_MAX_SHOWN]!r} can't be used; write up to 40 letters, digits, `_`, `.` and `-`, of which "
            "the first is a letter or a digit"
        )
    return name, url


def lettered(urls: Sequence[str]) -> tuple[str, ...]:
    """URLs without names as `name=URL`: A, B, ... in their order. Raises PlanError where there are too many."""
    _check_number(len(urls))
    return tuple(f"{letter}={url}" for letter, url in zip(ascii_uppercase, urls, strict=False))


def check_targets(targets: Sequence[NamedTarget]) -> None:
    """Raise PlanError unless these are several targets that can be told apart."""
    if len(targets) == 1:
        raise PlanError(
            f"--target {targets[0].name}=... is one of several targets that take turns; give another, or its URL alone"
        )
    _check_number(len(targets))
    seen: set[str] = set()
    for one in targets:
        if one.name in seen:
            raise PlanError(f"two targets are called {one.name!r}; give each a name of its own, with --target NAME=URL")
        if _is_policy(one.name):
            raise PlanError(f"a target can't be called {one.name!r}, which is a connection policy")
        if one.name == _OF_GATES:
            raise PlanError(
                f"a target can't be called {one.name!r}: gates that begin so ask what changed since a baseline"
            )
        seen.add(one.name)


def _check_number(number: int) -> None:
    if number > MAX_TARGETS:
        raise PlanError(f"{number:,} targets are too many; {MAX_TARGETS} is the most")


def _is_policy(name: str) -> bool:
    try:
        parse_policies(name)
    except PlanError:
        return False
    return True
