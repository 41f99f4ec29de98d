"""Calibrations in the user's cache folder, one file for each machine that shares it. Measures nothing.

The folder follows the XDG Base Directory Specification: `$XDG_CACHE_HOME/loadgen`, else `~/.cache/loadgen`.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import cast

from loadgen.model.calibration import CALIBRATION_SCHEMA, CalibrationRecord, MachineIdentity
from loadgen.model.files import open_own, write_whole
from loadgen.model.typed_json import misfit

_MAX_BYTES = 1 << 20
_AGAIN = "run loadgen calibrate again"


def calibration_path(machine: MachineIdentity) -> Path:
    """Where the calibration of this machine is, or would be."""
    text = json.dumps(machine, sort_keys=True)
    return _folder() / f"calibration-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"


def save_calibration(record: CalibrationRecord) -> Path:
    """Save it under its machine's name, whole or not at all. Raises OSError."""
    path = calibration_path(record["machine"])
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1) + "\n"
    write_whole(path, lambda file: file.write(text.encode()))
    return path


def load_calibration(machine: MachineIdentity) -> tuple[CalibrationRecord | None, str]:
    """The calibration of this machine, or None; and one line for people where its file can't be used, else empty."""
    path = calibration_path(machine)
    try:
        with open(path, "rb", opener=open_own) as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"the calibration {path} is not used: {error.strerror}"
    try:
        found = json.loads(data) if len(data) <= _MAX_BYTES else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("schema") != CALIBRATION_SCHEMA:
        return None, f"the calibration {path} is not used: it is of another version, or damaged; {_AGAIN}"
    if complaint := misfit(found, CalibrationRecord):
        return None, f"the calibration {path} is not used: {complaint}; {_AGAIN}"
    if found["machine"] != machine:
        return None, f"the calibration {path} is not used: it is of another machine; {_AGAIN}"
    return cast(CalibrationRecord, found), ""


def _folder() -> Path:
    given = os.environ.get("XDG_CACHE_HOME", "")
    # A relative path is invalid there, and to be ignored.
    base = Path(given) if given and os.path.isabs(given) else Path(os.path.expanduser("~")) / ".cache"  # noqa: PTH111, PTH117 # Path.home() raises where there is no home
    return base / "loadgen"
