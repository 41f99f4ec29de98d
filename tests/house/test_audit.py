"""What .ci/audit.py makes of pip-audit's answers: a finding fails, and a service that can't be reached is one line."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

Outcome = Callable[[int, str], tuple[int, str]]


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    found: Outcome = runpy.run_path(str(Path(__file__).parents[2] / ".ci" / "audit.py"))["outcome"]
    return found


def test_nothing_known(outcome: Outcome) -> None:
    assert outcome(0, "No known vulnerabilities found\n") == (0, "pip-audit: no known vulnerabilities")


def test_a_finding_fails_and_is_shown(outcome: Outcome) -> None:
    found = "Found 2 known vulnerabilities in 1 package\nName   Version ID\njinja2 2.11.2  PYSEC-2021-66\n"
    assert outcome(1, found) == (1, found.strip())
    assert outcome(1, found.replace("2 known vulnerabilities", "1 known vulnerability"))[0] == 1


def test_a_service_that_knows_no_package_has_audited_nothing(outcome: Outcome) -> None:
    said = "No known vulnerabilities found\njinja2 Dependency not found on PyPI and could not be audited\n"
    assert outcome(0, said) == (
        0,
        "pip-audit could not run: the advisory service that it reached does not know 1 packages",
    )


@pytest.mark.parametrize("said", ["ERROR: no matching distribution\n", "Traceback ...\nConnectionError: refused\n", ""])
def test_without_the_service_one_line_says_so(outcome: Outcome, said: str) -> None:
    code, text = outcome(1, said)
    assert code == 0
    assert text.startswith("pip-audit could not run: ")
    assert text.count("\n") == 0
