"""How tests are shared out between pytest's processes, and in which order."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

_TESTS = Path(__file__).parents[1]


class ByModuleFixtures(LoadScopeScheduling):
    """Each test goes where there is room, but those of a file with a fixture for all of it stay together.

    Else each process would make what the fixture makes, a server or a run. Files that are marked with one xdist_group
    stay together too. (pytest 9 no longer has what pytest-xdist 3.8 needs to see such marks by itself.)

    Unit tests are quick and many: they go file by file, as the scheduler looks through all that it gave away each time.
    """

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # `in_turns` has put them in order

    def _split_scope(self, nodeid: str) -> str:
        return _group_of(nodeid.split("::")[0]) or nodeid


def in_turns(items: list[pytest.Item]) -> None:
    """Sort the tests: those that wait for processes and those that compute by turns, so that both go on at any time.

    Large groups come first, for no process to have one left at the end.
    """
    waiting: dict[str, list[pytest.Item]] = defaultdict(list)
    computing: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        path = item.nodeid.split("::")[0]
        (computing if _is_quick(path) else waiting)[_group_of(path) or item.nodeid].append(item)
    placed = [
        (at / len(kind), group)
        for kind in (waiting, computing)
        for at, group in enumerate(sorted(kind.values(), key=len, reverse=True))
    ]
    items[:] = [item for _, group in sorted(placed, key=lambda one: one[0]) for item in group]


def _is_quick(path: str) -> bool:
    return path.startswith(("tests/unit/", "tests/house/"))


@cache
def _group_of(path: str) -> str:
    """What the tests of a file stay together with; empty where each goes by itself."""
    text = (_TESTS.parent / path).read_text(encoding="utf-8")
    marked = re.search(r'^pytestmark = .*xdist_group\("(\w+)"\)', text, re.MULTILINE)
    if marked:
        return marked[1]
    return path if _is_quick(path) or 'scope="module"' in text else ""
