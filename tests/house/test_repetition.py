"""Tests that run alone are repeated where they fail, with all that was made for their file; others are not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_CONFTEST = """
from tests.support.repetition import Repetition

def pytest_configure(config):
    config.pluginmanager.register(Repetition())
"""
_TESTS = """
import pytest

makings = []

@pytest.fixture(scope="module")
def made():
    makings.append("made")
    yield len(makings)
    makings.append("torn down")

@pytest.mark.alone
def test_that_holds_in_the_second_making(made):
    assert made == 3, "noise"

@pytest.mark.alone
def test_after_it(made):
    assert made == 3

@pytest.mark.alone
def test_that_never_holds(made):
    assert not made

def test_beside_others(made):
    assert made != 7

@pytest.mark.alone
def test_of_the_last_making(made):
    assert made == 9

@pytest.mark.alone
def test_of_a_file_that_has_failed_too_often(made):
    assert made == 11
"""


def test_a_measurement_that_fails_is_repeated(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(_CONFTEST, encoding="utf-8")
    (tmp_path / "test_it.py").write_text(_TESTS, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:locust",
        "-o",
        "markers=alone",
        "-rA",
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    last = [line.split(" - ")[0] for line in done.stdout.splitlines() if line.startswith(("PASSED", "FAILED"))]
    of_file = "test_it.py::test_"
    assert last == [
        f"PASSED {of_file}that_holds_in_the_second_making",
        f"PASSED {of_file}after_it",
        f"PASSED {of_file}of_the_last_making",
        f"FAILED {of_file}that_never_holds",
        f"FAILED {of_file}beside_others",
        f"FAILED {of_file}of_a_file_that_has_failed_too_often",
    ]
    assert f"{of_file}that_holds_in_the_second_making: AssertionError: noise\n" in done.stdout
