"""The notes below the page's tables say what a run calls for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loadgen.show.export.html_notes import curve_note, differences_note, sockets_note, upgrades_note
from tests.support.synthetic import full_run
from tests.support.synthetic_upgrades import upgraded_run


def test_between_protocols_the_residual_has_another_cause(tmp_path: Path) -> None:
    assert "Between two protocols" not in differences_note(full_run(tmp_path / "one").summary())
    assert "Between two protocols" in differences_note(upgraded_run(tmp_path / "several").summary())


def test_the_embedded_target_is_not_taken_for_other_servers(tmp_path: Path) -> None:
    summary = upgraded_run(tmp_path / "run").summary()
    assert "embedded target" not in upgrades_note(summary)
    summary["environment"]["embedded_target"] = None
    assert "embedded target" in upgrades_note(summary)


def test_notes_that_hold_for_every_run(tmp_path: Path) -> None:
    summary = full_run(tmp_path / "run", rounds=1).summary()
    assert "exchange + handshake / K" in curve_note(summary)
    assert "sockets of other programs are included" in sockets_note(summary)
    assert "origin" not in sockets_note(summary)


def test_of_several_origins_it_is_said_whose_sockets_these_are(tmp_path: Path) -> None:
    summary: Any = full_run(tmp_path / "run", rounds=1).summary()
    next(iter(summary["policies"].values()))["by_origin"] = [{"origin": "http://a"}, {"origin": "http://b"}]
    assert "those of the first origin, http://a, alone" in sockets_note(summary)
