"""Runs the files `locust_…checks.py` in a child process: Locust would patch the standard library of all other tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_what_needs_locust() -> None:
    folder = Path(__file__).parent
    checks = map(str, sorted(folder.glob("locust_*checks.py")))
    done = subprocess.run(
        # Locust is imported first: it must patch ssl before anything of pytest's imports it.
        [
            *(sys.executable, "-c", "import locust, pytest, sys; sys.exit(pytest.main(sys.argv[1:]))", *checks),
            *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder.parents[2],
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_the_rest_needs_no_locust() -> None:
    code = """
import importlib, pkgutil, sys
import loadgen.swarm
needs = {"locust_events", "locust_patches", "locust_stats", "swarm_user", "reuse_user", "client", "response"}
for module in pkgutil.iter_modules(loadgen.swarm.__path__):
    if module.name not in needs:
        importlib.import_module(f"loadgen.swarm.{module.name}")
import gevent.monkey
assert "locust" not in sys.modules
assert not gevent.monkey.saved
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)
