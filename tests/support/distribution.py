"""How tests are shared out between pytest's processes."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

_TESTS = Path(__file__).parents[1]


class ByModuleFixtures(LoadScopeScheduling):
    """Each test goes where there is room, but those of a file with a fixture for all of it stay together.

    Else each process would make what the fixture makes, a server or a run. Files that are marked with one xdist_group
    stay together too. (pytest 9 no longer has what pytest-xdist 3.8 needs to see such marks by itself.)
    """

    def _split_scope(self, nodeid: str) -> str:
        return _group_of(nodeid.split("::")[0]) or nodeid


@cache
def _group_of(path: str) -> str:
    """What the tests of a file stay together with; empty where each goes by itself, as most unit tests do."""
    text = (_TESTS.parent / path).read_text(encoding="utf-8")
    marked = re.search(r'^pytestmark = .*xdist_group\("(\w+)"\)', text, re.MULTILINE)
    if marked:
        return marked[1]
    return path if 'scope="module"' in text and not path.startswith("tests/unit/") else ""
