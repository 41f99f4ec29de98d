"""Calibrations made of known numbers, and the folder in which commands look for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.measure.data.calibration_cache import save_calibration
from loadgen.measure.data.environment import environment
from loadgen.measure.data.machine_facts import identity_of
from loadgen.model.calibration import CALIBRATION_SCHEMA

US = 1_000


def spread(median_ns: int, count: int = 100) -> Any:
    return {
        "count": count, "min": median_ns // 2, "q1": median_ns - 1, "p50": median_ns, "q3": median_ns + 1,
        "p99": 2 * median_ns,
    }  # fmt: skip


def calibration(connect_ns: int = 30 * US, tls_ns: int = 90 * US, send_wait_ns: int = 20 * US, **changes: Any) -> Any:
    """A CalibrationRecord of this machine: what its stamps are off by, and changes to its keys."""
    phases = {"connect": 40 * US, "tls_full": 600 * US, "tls_resumed": 300 * US, "send": 6 * US, "wait": 12 * US}
    floor = {"requests": 900, "cpu_ns_per_request": 9_000, "latency_p50_ns": 20 * US}
    found: dict[str, Any] = {
        "schema": CALIBRATION_SCHEMA,
        "measured": "2026-01-02T03:04:05+00:00",
        "seconds": 17.5,
        "machine": identity_of(environment()),
        "state": {"governor": None, "frequency_mhz": 2500.0, "hypervisor": "yes"},
        "clock": {"resolution_ns": 1, "step_ns": 40, "read_ns": 50},
        "wake_up_ns": {"timer": spread(30 * US), "ping": spread(40 * US)},
        "phases_ns": {name: spread(value) for name, value in phases.items()} | {"receive": spread(US)},
        "policies": {
            "http persistent": {**floor, "max_rate_rps": 38_000.0, "rates_tried_rps": [20_000.0, 38_000.0]},
            "http close": {**floor, "max_rate_rps": None, "rates_tried_rps": [5_000.0]},
            "https close-resume": {**floor, "max_rate_rps": None, "rates_tried_rps": []},
        },
        "stamp_delay_ns": {"connect": spread(connect_ns), "wait": spread(send_wait_ns)},
        "packets": None,
        "packets_skipped": "tcpdump is not installed",
        "error_ns": {"source": "stamps", "connect": connect_ns, "tls": tls_ns, "send_wait": send_wait_ns},
    }
    return found | changes


def use_cache(monkeypatch: pytest.MonkeyPatch, folder: Path, record: Any = None) -> Path:
    """Commands look for calibrations in `folder`, where `record` is, if it is given."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    if record is not None:
        save_calibration(record)
    return folder / "loadgen"
