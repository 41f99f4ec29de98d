"""The tables of light load."""

from __future__ import annotations

import pytest

from tests.bench.light_tables import errors, kernel, own, phases

OURS = {
    "connect close": 80.0,
    "packets' connect close": 10.0,
    "send + wait persistent": 90.0,
    "packets' send + wait persistent": 50.0,
    "connect error close": 70.0,
    "error persistent": 40.0,
    "error close": 100.0,
    "bias": 60.0,
    "own close": 12.0,
}
CLIENT = {
    "connect close": 40.0,
    "packets' connect close": 8.0,
    "connect error close": 32.0,
    "connect leaves close": 15.0,
    "send + wait persistent": 84.0,
    "packets' send + wait persistent": 54.0,
    "send + wait error persistent": 30.0,
    "send + wait leaves persistent": 10.0,
    "send + wait error close": 28.0,
    "send + wait leaves close": 8.0,
    "error persistent": 30.0,
    "error close": 55.0,
    "bias": 25.0,
}
FOUND = {"ours": [OURS, OURS], "client": [CLIENT, CLIENT]}


def rows(text: str) -> dict[str, list[str]]:
    """The first cell of each row -> the other cells, without quartiles."""
    cells = [[cell.strip().partition(" [")[0] for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return {first: others for first, *others in cells if first}


def test_phases_are_compared_as_they_are_and_beyond_their_packets(capsys: pytest.CaptureFixture[str]) -> None:
    phases(FOUND)
    found = rows(capsys.readouterr().out)
    assert found["connect close"] == ["80.0", "40.0", "10.0", "8.0", "40.0", "38.0", "≤ 30 (10): above the bar"]
    assert found["send + wait persistent"] == [
        "90.0",
        "84.0",
        "50.0",
        "54.0",
        "6.0",
        "10.0",
        "≤ 30 (10): stretch reached",
    ]
    assert found["receive close"] == ["–"] * 6 + [""]


def test_the_bias_is_held_to_its_bar(capsys: pytest.CaptureFixture[str]) -> None:
    errors(FOUND)
    found = rows(capsys.readouterr().out)
    assert found["connect + send + wait, close"] == ["100.0", "55.0", "45.0", ""]
    assert found["the same, close less persistent"] == ["60.0", "25.0", "35.0", "≤ 10 (3): above the bar"]


def test_a_bias_below_zero_is_a_bias(capsys: pytest.CaptureFixture[str]) -> None:
    errors({"ours": [{**OURS, "bias": -12.0}]})
    assert "≤ 10 (3): above the bar" in capsys.readouterr().out


def test_the_clients_error_divides_at_the_segment(capsys: pytest.CaptureFixture[str]) -> None:
    kernel(FOUND)
    found = rows(capsys.readouterr().out)
    assert found["connect, close"] == ["15.0", "17.0"]
    assert found["send + wait, persistent"] == ["10.0", "20.0"]


def test_without_client_and_packets_our_own_figures_remain(capsys: pytest.CaptureFixture[str]) -> None:
    found = {"ours": [{"connect close": 80.0, "own close": 12.0}]}
    for table in (phases, errors, kernel, own):
        table(found)
    shown = rows(capsys.readouterr().out)
    assert shown["connect close"] == ["80.0", "–", "–", "–", "–", "–", ""]
    assert shown["own"] == ["–", "12.0"]
    assert "bias" not in shown
