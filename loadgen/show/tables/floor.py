"""The rows and the note of the floor of this machine, where a run recorded one. Computes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from loadgen.model.calibration import CalibrationRecord
from loadgen.model.records import Phase
from loadgen.model.summary import Summary
from loadgen.model.units import format_duration
from loadgen.show.formatting import ABSENT
from loadgen.show.tables.table import Row

_NOTE = (
    "Floor of this machine: median of each phase against a target that answers at once, from loadgen calibrate of {}; "
    "for TLS a full handshake. Error of a stamp: by how much a phase is typically too long, {}; that of send and wait "
    "together stands at wait."
)
_SOURCES = {"packets": "against the times of packets", "stamps": "by the kernel's own stamps"}
_CALIBRATED = {Phase.CONNECT: "connect", Phase.TLS: "tls_full"} | {
    phase: phase.value for phase in (Phase.SEND, Phase.WAIT, Phase.RECEIVE)
}


def floor_rows(summary: Summary, phases: Sequence[str]) -> list[Row]:
    """Two rows for the table of phases, with a cell for each of these; none where the run has no calibration."""
    calibration = summary["environment"].get("calibration")
    if calibration is None:
        return []
    error = calibration["error_ns"]
    errors = {Phase.CONNECT: error["connect"], Phase.TLS: error["tls"], Phase.WAIT: error["send_wait"]}
    lowest = [_median_ns(calibration, Phase(name)) for name in phases]
    off = [errors.get(Phase(name)) for name in phases]
    return [
        ("floor of this machine", *(ABSENT if one is None else format_duration(one) for one in lowest)),
        ("error of a stamp", *(ABSENT if one is None else f"± {format_duration(one)}" for one in off)),
    ]


def floor_note(summary: Summary) -> str:
    """What these rows mean; empty where there are none."""
    calibration = summary["environment"].get("calibration")
    if calibration is None:
        return ""
    return _NOTE.format(calibration["measured"], _SOURCES[calibration["error_ns"]["source"]])


def _median_ns(calibration: CalibrationRecord, phase: Phase) -> int | None:
    found = calibration["phases_ns"].get(_CALIBRATED.get(phase, ""))
    return None if found is None else found["p50"]
