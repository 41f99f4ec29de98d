"""A test that fails is repeated, with all that was made for its file; what fails again has failed.

Nearly all tests use real sockets, processes and clocks, and some measure time. Another program may have had the
processor meanwhile, or the machine's host another guest: a bound that allows for any such stall would find no fault of
ours. So the bounds stay tight, and one of a few tries has to hold. The summary names what was repeated, and why: a
fault that shows now and then looks the same, and is to be looked for. Where much fails, the program is at fault, and
nothing more is repeated.
"""

from __future__ import annotations

import time
from collections import Counter

import pytest
from _pytest.runner import runtestprotocol

_TRIES = 3
PAUSE_S = 0.5
"""Before a repetition: a stall of the machine passes."""
_REPETITIONS_PER_FILE = 4
"""A whole file that fails does so soon."""
_REPETITIONS = 16
"""Of each of pytest's processes."""
_LINES = 10
_PROPERTY = "repeated because"
"""The reports' property that brings the reason from pytest's processes to the one that writes the summary."""


class Repetition:
    """The plugin: what a pytest session repeats, and what its summary says of that."""

    def __init__(self) -> None:
        self._of_file: Counter[str] = Counter()
        self._summary: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._reports(item, nextitem):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":  # each report has the properties; there is one of this kind
            reasons = [reason for name, reason in report.user_properties if name == _PROPERTY]
            self._summary += [f"{report.nodeid}: {reason}" for reason in reasons]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._summary:
            terminalreporter.section("repeated")
            for line in self._summary:
                terminalreporter.write_line(line)

    def _reports(self, item: pytest.Item, nextitem: pytest.Item | None) -> list[pytest.TestReport]:
        """Of the first try that holds, or of the last one."""
        path = str(item.path)
        for left in reversed(range(_TRIES)):
            reports = runtestprotocol(item, log=False, nextitem=nextitem)
            failed = [report for report in reports if report.failed]
            if not failed or not left or self._has_failed_often(path):
                break
            self._of_file[path] += 1
            item.user_properties.append((_PROPERTY, _reason(failed[0])))
            # What was made for the file, or its folder, is made anew; what is for the whole session stays.
            item.session._setupstate.teardown_exact(item.session)
            time.sleep(PAUSE_S)
        return reports

    def _has_failed_often(self, path: str) -> bool:
        return self._of_file[path] >= _REPETITIONS_PER_FILE or self._of_file.total() >= _REPETITIONS


def _reason(report: pytest.TestReport) -> str:
    """What was wrong; of much, the beginning and the end."""
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = (crash.message if crash else report.longreprtext).splitlines()
    return "\n    ".join(lines if len(lines) <= 2 * _LINES else [*lines[:_LINES], "...", *lines[-_LINES:]])
