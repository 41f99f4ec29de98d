"""Fixtures that several folders share; what they start ends with the test."""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from loadgen.startup import ENDING_SIGNALS
from tests.support.distribution import ByModuleFixtures, in_turns
from tests.support.processes import Nginx, free_port, running_nginx
from tests.support.repetition import Repetition
from tests.support.targets import Target, Targets


def pytest_configure(config: pytest.Config) -> None:
    """Tests with many connections need descriptors; the hard limit is all we may have.

    A shell ignores SIGINT for what it starts in the background, nohup ignores SIGHUP, and our children would inherit
    that. Locust's masters listen on a port of this process's own: two tests may run at the same time.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in set(ENDING_SIGNALS) - {signal.SIGINT}:
        signal.signal(number, signal.SIG_DFL)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    hide_calibrations()
    config.pluginmanager.register(Repetition())
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # of each of a thousand processes, as the command sets it itself
    os.environ["LOCUST_MASTER_NODE_PORT"] = os.environ["LOCUST_MASTER_BIND_PORT"] = str(free_port())


def hide_calibrations() -> None:
    """Runs of the tests are to find no calibration of the machine that someone has made; matplotlib keeps its cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    if (cache / "loadgen").exists():
        os.environ.setdefault("MPLCONFIGDIR", str(cache / "matplotlib"))
        os.environ["XDG_CACHE_HOME"] = str(cache / "loadgen")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return ByModuleFixtures(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """While tests are collected hardly anything becomes garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """What all tests are made of stays to the end: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        in_turns(items)


@pytest.fixture(scope="session", autouse=True)
def _no_collection_before_blocks() -> Iterator[None]:
    """The engine collects garbage before each block, which takes 0.2 s where a process holds all tests."""
    with mock.patch("loadgen.drive.engine.gc"):
        yield


@pytest.fixture
def start_target(tmp_path: Path) -> Iterator[Callable[..., Target]]:
    """Starts embedded targets for this test alone."""
    targets = Targets(tmp_path)
    try:
        yield targets.start
    finally:
        targets.close()


@pytest.fixture(scope="session")
def share_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Target]]:
    """Gives embedded targets that serve other tests too; a test sees its own counts."""
    targets = Targets(tmp_path_factory.mktemp("targets"))
    try:
        yield targets.share
    finally:
        targets.close()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A loopback port at which nothing listens: it is held meanwhile, so that no server of another test gets it."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.fixture
def no_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts of commands that run here are empty pictures: drawing them takes most of the time."""
    monkeypatch.setattr("loadgen.show.charts.draw", lambda *_: {"png": b"", "svg": b"<svg></svg>"})


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    """nginx on free loopback ports; skipped where it is not installed."""
    with running_nginx(tmp_path / "nginx") as server:
        yield server
