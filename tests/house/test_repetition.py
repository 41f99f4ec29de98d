"""Tests that fail are repeated, with all that was made for their file, and the summary says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_CONFTEST = """
from tests.support import repetition

def pytest_configure(config):
    repetition.PAUSE_S = 0
    config.pluginmanager.register(repetition.Repetition())
"""
_TESTS = """
import pytest

makings = []

@pytest.fixture(scope="module")
def made():
    makings.append("made")
    yield len(makings)
    makings.append("torn down")

def test_that_holds_in_the_second_making(made):
    assert made == 3, "noise"

def test_after_it(made):
    assert made == 3

def test_that_never_holds(made):
    assert not made

def test_of_the_last_making(made):
    assert made == 7

def test_that_holds_in_the_third_try(made):
    assert made == 9

def test_of_a_file_that_has_failed_too_often(made):
    assert made == 11
"""
_ALWAYS_FAILS = """
def test_that_fails():
    assert False
"""


def test_what_fails_is_repeated(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(_TESTS, encoding="utf-8")
    output = pytest_output(tmp_path, "-rA")
    last = [line.split(" - ")[0] for line in output.splitlines() if line.startswith(("PASSED", "FAILED"))]
    of_file = "test_it.py::test_"
    assert last == [
        f"PASSED {of_file}that_holds_in_the_second_making",
        f"PASSED {of_file}after_it",
        f"PASSED {of_file}of_the_last_making",
        f"PASSED {of_file}that_holds_in_the_third_try",
        f"FAILED {of_file}that_never_holds",
        f"FAILED {of_file}of_a_file_that_has_failed_too_often",
    ]
    assert f"{of_file}that_holds_in_the_second_making: AssertionError: noise\n" in output
    assert output.count(f"{of_file}that_never_holds: ") == 2


def test_where_much_fails_little_is_repeated(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"test_{number}.py").write_text(_ALWAYS_FAILS, encoding="utf-8")
    output = pytest_output(tmp_path, "-n", "1")
    assert "12 failed" in output
    assert output.count("that_fails: ") == 16


def pytest_output(folder: Path, *options: str) -> str:
    """What pytest prints of a folder's tests, with the plugin."""
    (folder / "conftest.py").write_text(_CONFTEST, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:locust", *options]
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    ).stdout
