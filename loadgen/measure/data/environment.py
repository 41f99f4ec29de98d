"""What a number can't be read without: versions, machine, limits. Names no user and no host."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import loadgen
from loadgen import core
from loadgen.model.run_record import EnvironmentRecord

_PACKAGES = ("gevent", "httptools", "h2", "hpack", "websockets", "numpy", "pyopenssl", "cryptography")


def environment() -> EnvironmentRecord:
    """The environment of a run that starts now."""
    return {
        "loadgen": loadgen.__version__,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": {name: version(name) for name in _PACKAGES},
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": _cpu_model(),
        "cpus_allowed": sorted(os.sched_getaffinity(0)),
        "cpu_count": os.cpu_count(),
        "clock": "CLOCK_MONOTONIC",
        "optimised": sys.flags.optimize,
        "core": core.running(),
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
