"""The plug-in for pytest: the fixture `loadgen`, which compares connection policies in a test. Knows no test.

    def test_reuse(loadgen):
        run = loadgen.compare("http://127.0.0.1:8080/")
        assert run.policies["persistent"].reuse_ratio > 0.99

An installed loadgen brings it along; `-p no:loadgen.pytest` leaves it out. Importing it needs no library but pytest.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import loadgen as package

if TYPE_CHECKING:
    from typing import Unpack

    from loadgen.cli.api import CompareOptions, Run, Urls

_BLOCK = "500ms"
_LENGTHS = frozenset({"block", "duration", "plan", "rounds"})


class Loadgen:
    """What the fixture gives: `compare`, with defaults for a test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.runs: list[Run] = []
        """The runs of this test, in their order."""

    def compare(self, url: Urls | None = None, **options: Unpack[CompareOptions]) -> Run:
        """As `loadgen.compare`, with its options and errors, but no charts, and a folder of the test's own.

        Where nothing says how long the run is, it has five rounds of blocks of 500 ms: with the pilot, two
        policies take about 8 s.
        """
        if _LENGTHS.isdisjoint(options):
            options["block"] = _BLOCK
        options.setdefault("no_charts", True)
        options.setdefault("out", self._folder / f"loadgen-{len(self.runs) + 1}")
        run = package.compare(url, **options)
        self.runs.append(run)
        return run


@pytest.fixture
def loadgen(request: pytest.FixtureRequest, tmp_path: Path) -> Loadgen:
    """Compare connection policies: loadgen.compare(url, ...).policies["persistent"].reuse_ratio and so on."""
    found = Loadgen(tmp_path)
    request.node.stash[_RUNS] = found
    return found


_RUNS = pytest.StashKey[Loadgen]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed shows what its runs found out."""
    report = yield
    found = item.stash.get(_RUNS, None)
    if found is not None and call.when == "call" and report.failed:
        for run in found.runs:
            lines = [run.verdict, *map(repr, run.policies.values()), *(one["message"] for one in run.warnings)]
            report.sections.append((f"loadgen: {run.directory}", "\n".join(lines)))
    return report
