"""What `loadgen calibrate` saves and shows, with known figures in place of measured ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadgen.cli import calibrate
from loadgen.measure.data.calibration_cache import calibration_path
from tests.support.calibrations import calibration, use_cache
from tests.support.runner import run_cli


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(calibrate._Calibration, "measure", lambda _: calibration())
    return use_cache(monkeypatch, tmp_path / "cache")


def test_it_shows_a_table_and_where_the_file_is(cache: Path) -> None:
    code, out, errors = run_cli("calibrate")
    path = calibration_path(calibration()["machine"])
    assert (code, errors) == (0, "")
    assert "Phases against a target that answers at once" in out
    assert out.splitlines()[-1] == str(path)
    assert json.loads(path.read_text(encoding="utf-8")) == calibration()
    assert path.parent == cache


def test_json_is_all_of_it_and_quiet_is_nothing(cache: Path) -> None:
    assert json.loads(run_cli("calibrate", "--json").stdout) == calibration()
    assert run_cli("calibrate", "--quiet") == (0, "", "")
    assert len(list(cache.iterdir())) == 1


def test_a_folder_that_can_t_be_written_costs_no_figure(cache: Path) -> None:
    cache.parent.write_text("no folder", encoding="ascii")
    code, out, errors = run_cli("calibrate")
    assert code == 4  # later runs will not find it
    assert "Phases against a target that answers at once" in out
    assert errors == (
        f"loadgen: the calibration can't be saved as {calibration_path(calibration()['machine'])}: Not a directory\n"
    )
