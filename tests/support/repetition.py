"""A test that runs alone and fails is repeated, with all that was made for its file.

Such a test measures time, or counts what the whole machine does. Another program may have had the processor meanwhile,
or the machine's host another guest: a bound that allows for that would find no fault of ours. So the bounds stay
tight, and one of a few measurements has to hold. The summary names what was repeated, and why: a fault that shows now
and then looks the same.
"""

from __future__ import annotations

from collections import Counter

import pytest
from _pytest.runner import runtestprotocol

_TRIES = 3
_REPETITIONS_PER_FILE = 4
"""A whole file that fails does so soon."""
_LINES = 10


class Repetition:
    """The plugin: a pytest session's tests that run alone."""

    def __init__(self) -> None:
        self._of_file: Counter[str] = Counter()
        self._failures: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        if item.get_closest_marker("alone") is None:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._reports(item, nextitem):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._failures:
            terminalreporter.section("repeated")
            for line in self._failures:
                terminalreporter.write_line(line)

    def _reports(self, item: pytest.Item, nextitem: pytest.Item | None) -> list[pytest.TestReport]:
        """Of the first try that holds, or of the last one."""
        path = str(item.path)
        for left in reversed(range(_TRIES)):
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
            failed = [report for report in reports if report.failed]
            if not failed or not left or self._of_file[path] >= _REPETITIONS_PER_FILE:
                break
            self._of_file[path] += 1
            self._failures.append(f"{item.nodeid}: {_reason(failed[0])}")
            # What was made for the file, or its folder, is made anew; what is for the whole session stays.
            item.session._setupstate.teardown_exact(item.session)
        return reports


def _reason(report: pytest.TestReport) -> str:
    """What was wrong; of much, the beginning and the end."""
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = (crash.message if crash else report.longreprtext).splitlines()
    return "\n    ".join(lines if len(lines) <= 2 * _LINES else [*lines[:_LINES], "...", *lines[-_LINES:]])
