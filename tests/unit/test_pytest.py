"""The plug-in for pytest, run by a pytest of its own: its defaults, and what a test that fails shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.cli import api
from loadgen.cli.report import FinishedRun
from tests.support.synthetic import full_run

pytest_plugins = ("pytester",)

TESTS = """
import pytest

def test_reuse(loadgen):
    run = loadgen.compare("http://127.0.0.1:8080/")
    assert run.policies["persistent"].reuse_ratio > 0.5
    assert run.policies["close"].requests > 0
    loadgen.compare("http://127.0.0.1:8080/", block="2s", no_charts=False, out="there")
    assert loadgen.runs[0] is run

def test_that_fails(loadgen):
    run = loadgen.compare(policies="persistent,close")
    assert run.policies["persistent"].error_ratio == 0
    assert run.policies["close"].reuse_ratio > 0.9

def test_without_it():
    pass
"""


def test_a_test_compares_policies(pytester: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, Any]] = []
    writer = full_run(tmp_path / "run")
    finished = FinishedRun(writer.store, writer.summary(), "done", draws=False, failure="")

    def run(options: dict[str, Any]) -> FinishedRun:
        given.append(options)
        return finished

    monkeypatch.setattr(api, "run_comparison", run)
    pytester.makepyfile(TESTS)
    done = pytester.runpytest_inprocess(
        "-p", "loadgen.pytest", "-p", "no:locust", "-p", "no:cacheprovider", "--fixtures-per-test"
    )
    done.stdout.fnmatch_lines(["loadgen -- *pytest.py*", "*Compare connection policies*"])
    done = pytester.runpytest_inprocess("-p", "loadgen.pytest", "-p", "no:locust", "-p", "no:cacheprovider")
    done.assert_outcomes(passed=2, failed=1)
    first, second, third = given
    assert (first["block"], first["no_charts"], first["out"].name) == (500_000_000, True, "loadgen-1")
    assert (second["block"], second["no_charts"], second["out"]) == (2_000_000_000, False, Path("there"))
    assert (third["url"], third["out"].parent.name[:9]) == (None, "test_that")
    done.stdout.fnmatch_lines(
        [f"*- loadgen: {tmp_path / 'run'} -*", finished.summary["verdict"], "<close: * requests, *"]
    )
