"""Calibrations on disk: found again by the same machine, and ignored with a line where they can't be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loadgen.measure.data.calibration_cache import calibration_path, load_calibration, save_calibration
from tests.support.calibrations import calibration, use_cache


def test_what_was_saved_is_found_by_the_same_machine_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    record = calibration()
    folder = use_cache(monkeypatch, tmp_path / "new" / "cache")
    assert load_calibration(record["machine"]) == (None, "")
    path = save_calibration(record)
    assert path.parent == folder
    assert [one.name for one in folder.iterdir()] == [path.name], "nothing half written is left"
    assert load_calibration(record["machine"]) == (record, "")
    for key, other in {"cpu": "another", "cpu_count": 64, "system": "Linux 99", "core": "pure?"}.items():
        assert load_calibration({**record["machine"], key: other}) == (None, "")  # type: ignore[typeddict-item] # one key replaced


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "another version, or damaged"),
        ("[" * 100_000, "another version, or damaged"),
        ("[]", "another version, or damaged"),
        (" " * (1 << 20) + "{}", "another version, or damaged"),
        (json.dumps(calibration(schema=0)), "another version, or damaged"),
        (json.dumps(calibration(seconds="long")), "seconds is not a number"),
        (json.dumps(calibration(clock={})), "clock has no"),
        (json.dumps({**calibration(), "machine": {**calibration()["machine"], "cpu": "another"}}), "another machine"),
    ],
    ids=["cut off", "deep", "list", "long", "older", "type", "missing", "foreign"],
)
def test_a_file_that_can_t_be_used_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str, why: str
) -> None:
    use_cache(monkeypatch, tmp_path)
    machine = calibration()["machine"]
    path = calibration_path(machine)
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")
    found, said = load_calibration(machine)
    assert found is None
    assert said.startswith(f"the calibration {path} is not used: ")
    assert why in said
    assert "\n" not in said


def test_a_link_in_its_place_is_not_followed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_cache(monkeypatch, tmp_path, calibration())
    path = calibration_path(calibration()["machine"])
    other = path.rename(tmp_path / "other.json")
    path.symlink_to(other)
    assert "not used" in load_calibration(calibration()["machine"])[1]


@pytest.mark.parametrize(
    ("given", "folder"),
    [("/x/cache", "/x/cache/loadgen"), ("cache", "/home/me/.cache/loadgen"), ("", "/home/me/.cache/loadgen")],
)
def test_the_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch, given: str, folder: str) -> None:
    machine: Any = calibration()["machine"]
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("XDG_CACHE_HOME", given)
    assert str(calibration_path(machine).parent) == folder
