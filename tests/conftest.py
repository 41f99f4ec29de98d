"""Fixtures that several folders share; what they start ends with the test."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.processes import Nginx, Target, free_port, running_nginx


def pytest_configure() -> None:
    """Tests with many connections need descriptors; the hard limit is all we may have.

    Locust's masters listen on a port of this process's own: two tests may run at the same time.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.environ["LOCUST_MASTER_NODE_PORT"] = os.environ["LOCUST_MASTER_BIND_PORT"] = str(free_port())


@pytest.fixture
def start_target(tmp_path: Path) -> Iterator[Callable[..., Target]]:
    """Starts embedded targets; each ends with the test."""
    processes = []

    def start(*arguments: str) -> Target:
        ca_file = tmp_path / "ca.pem" if "--tls" in arguments else None
        more = ["--ca-file", str(ca_file)] if ca_file else []
        process = subprocess.Popen(
            [sys.executable, "-m", "loadgen", "target", "--port", "0", "--until-eof", *arguments, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        return Target(process.stdout.readline().strip(), ca_file)

    try:
        yield start
    finally:
        for process in processes:
            process.communicate(timeout=20)  # closes its standard input, which ends it


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    """nginx on free loopback ports; skipped where it is not installed."""
    with running_nginx(tmp_path / "nginx") as server:
        yield server
