"""The verdict of runs whose names say too little: declined upgrades, several baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.model.plan import Plan
from tests.support.synthetic import MS, OPEN, US, Exchange, Link, RunWriter, plan_json, sweep_plan
from tests.support.synthetic_upgrades import DECLINED, UPGRADED, upgraded_links

ROUNDS = 2
WAIT_US = {"persistent": 100, "websocket": 60, "h2-prior": 160, "h2c-upgrade": 170, "close": 200}


def swept(directory: Path, policies: str, flags: dict[str, int] | None = None, **axes: Any) -> dict[str, Any]:
    """A sweep of these policies; a user more is 1 µs more. flags: of a policy's connections, where not UPGRADED."""
    writer = RunWriter(directory / "run", sweep_plan(policies, ROUNDS, **axes))
    for number in range(ROUNDS):
        for cell in Plan.from_json(writer.plan).cells:
            base = cell.policy.name.partition("+")[0]
            flag = OPEN if base in ("persistent", "close") else (flags or {}).get(base, UPGRADED)
            exchanges = [Exchange(at * MS, wait=(WAIT_US[base] + cell.users) * US) for at in range(20)]
            size = min(cell.policy.requests, 20)
            links = [Link(exchanges[at : at + size], connect=30 * US, flags=flag) for at in range(0, 20, size)]
            writer.block(cell.name, number, links)
    return writer.summary()


# Several baselines


def test_in_a_sweep_each_difference_names_its_own_baseline(tmp_path: Path) -> None:
    summary = swept(tmp_path, "persistent,websocket,h2-prior", users=(1, 10))
    said = summary["verdict"]
    assert said.startswith("on average: websocket · 1 user against persistent · 1 user -40.0 µs [")
    for one in summary["comparisons"]:
        assert f"{one['candidate']} against {one['baseline']} " in said
    assert said.count(" against ") == len(summary["comparisons"]) == 4


def test_the_ends_name_their_baselines_too(tmp_path: Path) -> None:
    said = swept(tmp_path, "persistent,websocket,h2-prior", users=(1, 5, 10))["verdict"]
    assert said.startswith("on average (the extremes of 6): websocket · 1 user against persistent · 1 user -40.0 µs [")
    assert ", h2-prior · 1 user against persistent · 1 user +60.0 µs [" in said
    assert said.count(" against ") == 2


def test_of_one_load_the_baseline_is_named_once(tmp_path: Path) -> None:
    said = swept(tmp_path, "persistent,websocket,h2-prior,h2c-upgrade,close", users=(3,))["verdict"]
    assert "; against persistent · 3 users on average: websocket · 3 users -40.0 µs [" in said
    assert said.count("against") == 1


# Declined upgrades


@pytest.mark.parametrize(("flags", "said"), [(DECLINED, "h2c-upgrade (declined: HTTP/1.1)"), (UPGRADED, "h2c-upgrade")])
def test_one_policy_that_was_declined(tmp_path: Path, flags: int, said: str) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("h2c-upgrade", 1))
    writer.block("h2c-upgrade", 0, upgraded_links("h2c-upgrade", 0, flags))
    assert writer.summary()["verdict"] == f"{said} answered 100 requests; there is nothing to compare it with"


def test_cells_that_were_declined_and_don_t_compare(tmp_path: Path) -> None:
    said = swept(tmp_path, "h2c-upgrade", {"h2c-upgrade": DECLINED}, users=(1, 10))["verdict"]
    assert "µs (h2c-upgrade · 1 user, declined: HTTP/1.1) to " in said
    assert said.endswith(" req/s (h2c-upgrade · 1 user, declined: HTTP/1.1)")
    assert "declined" not in swept(tmp_path / "taken", "h2c-upgrade", users=(1, 10))["verdict"]


@pytest.mark.parametrize(
    ("policies", "flags", "said"),
    [
        ("h2c-upgrade", DECLINED, "; the server declined h2c-upgrade, so these figures are those of HTTP/1.1"),
        ("h2c-upgrade,h2-prior", DECLINED, "; the server declined h2c-upgrade, so these figures are partly those of"),
        ("h2c-upgrade,h2-prior", UPGRADED, ""),
    ],
)
def test_a_curve_of_what_was_declined(tmp_path: Path, policies: str, flags: int, said: str) -> None:
    verdict = swept(tmp_path, policies, {"h2c-upgrade": flags}, recycle=("1", "2", "10"))["verdict"]
    assert ("declined" in verdict) is bool(said)
    assert said in verdict
