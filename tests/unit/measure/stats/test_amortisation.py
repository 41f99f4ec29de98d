"""The amortisation curve: what is fitted to known costs, what share of requests pays, and where 90 % is reached."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest

from loadgen.model.plan import Plan
from loadgen.model.records import Ending
from tests.support.synthetic import MS, US, WARMUP_NS, Exchange, Link, RunWriter, cell_links, sweep_plan, sweep_run

GRID = ("1", "2", "5", "10", "100", "inf")
# What cell_links writes for two users: 115 + 4 µs and the round's own microsecond; a first request pays 320 µs more.
EXCHANGE_NS, FIRST_NS = 119 * US, 320 * US


def curve_of(directory: Path, requests: int = 100, **axes: Any) -> dict[str, Any]:
    (one,) = sweep_run(directory / "run", sweep_plan(**axes), requests).summary()["sweep"]["amortisation"]
    found: dict[str, Any] = one
    return found


T2 = 4.3026527  # Student's t with two degrees of freedom, 97.5 %


@pytest.fixture(scope="module")
def curve(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return curve_of(tmp_path_factory.mktemp("curve"), recycle=GRID)


def test_the_fit_finds_the_costs_that_were_put_in(curve: dict[str, Any]) -> None:
    assert curve["exchange_ns"] == EXCHANGE_NS + US  # the middle of three rounds
    assert curve["handshake_ns"] == FIRST_NS
    assert curve["r2"] == pytest.approx(1)
    margin = T2 * US / math.sqrt(3)  # three rounds, which differ by 1 µs each
    assert curve["exchange_ci95"] == pytest.approx([EXCHANGE_NS + US - margin, EXCHANGE_NS + US + margin], abs=1)
    assert curve["handshake_ci95"] == pytest.approx([FIRST_NS] * 2, abs=1)  # the same in every round


def test_each_cell_is_its_mean(curve: dict[str, Any]) -> None:
    assert [cell["requests"] for cell in curve["cells"]] == [1, 2, 5, 10, 100, None]
    for cell in curve["cells"]:
        share = 1 / cell["requests"] if cell["requests"] else 0
        assert cell["mean_ns"] == pytest.approx(EXCHANGE_NS + US + share * FIRST_NS, abs=1)
        assert cell["requests_per_connection"] == cell["requests"]
        low, high = cell["ci95"]
        assert low < cell["mean_ns"] < high
    assert curve["saving_ns"] == FIRST_NS


def test_ninety_percent_is_read_off_the_cells(curve: dict[str, Any]) -> None:
    assert curve["k90"] == pytest.approx(10)
    assert curve["k90_ci95"] == pytest.approx([10, 10])
    assert curve["k90_model"] == pytest.approx(10)


@pytest.mark.parametrize(
    ("grid", "k90"), [(("1", "2", "4"), 1 / 0.325), (("2", "4", "inf"), 20), (("1", "5", "100"), 1 / 0.109)]
)
def test_the_model_s_ninety_percent_follows_from_the_ends(tmp_path: Path, grid: tuple[str, ...], k90: float) -> None:
    found = curve_of(tmp_path, recycle=grid)
    assert found["k90_model"] == pytest.approx(k90)
    assert found["k90"] == pytest.approx(k90, rel=0.001)  # these costs are the model's


def test_ninety_percent_as_measured_is_not_the_model_s(tmp_path: Path) -> None:
    """A target whose cost falls to its floor at K = 2: by the model 10 were needed, the cells say a little under 2."""
    plan = sweep_plan(recycle=("1", "2", "5", "inf"))
    writer = RunWriter(tmp_path / "run", plan)
    for number in range(3):
        for cell in Plan.from_json(plan).cells:
            wait = 500 * US if cell.policy.requests == 1 else 100 * US
            limit = min(cell.policy.requests, 20)
            writer.block(
                cell.name, number, [Link([Exchange(at, wait=wait) for at in range(limit)]) for _ in range(20 // limit)]
            )
    (found,) = writer.summary()["sweep"]["amortisation"]
    assert found["k90_model"] == pytest.approx(10)
    assert found["k90"] == pytest.approx(1 / (1 - 0.9 * 0.5))
    assert found["r2"] < 0.9


def test_a_window_that_caught_too_many_handshakes_does_not_bend_the_curve(tmp_path: Path) -> None:
    """One and a half cycles: two firsts among 15 requests instead of one in ten."""
    plan = sweep_plan(recycle=("1", "2", "10"))
    writer = RunWriter(tmp_path / "run", plan)
    for number in range(3):
        for cell in Plan.from_json(plan).cells:
            writer.block(cell.name, number, cell_links(cell, number, 15))
    (found,) = writer.summary()["sweep"]["amortisation"]
    assert found["cells"][2]["mean_ns"] == pytest.approx(EXCHANGE_NS + US + FIRST_NS / 10, abs=1)
    assert found["handshake_ns"] == FIRST_NS


def test_handshakes_of_the_warm_up_alone_leave_the_reused_requests(tmp_path: Path) -> None:
    plan = sweep_plan(recycle=("1", "2", "inf"))
    writer = RunWriter(tmp_path / "run", plan)
    for number in range(3):
        for cell in Plan.from_json(plan).cells:
            found = cell_links(cell, number, 20)
            if cell.recycle == "inf":
                found[0].exchanges[0].at_ns = -WARMUP_NS // 2
            writer.block(cell.name, number, found)
    (curve,) = writer.summary()["sweep"]["amortisation"]
    assert curve["cells"][-1]["mean_ns"] == EXCHANGE_NS + US
    assert curve["handshake_ns"] == FIRST_NS


def test_where_the_server_closes_early_the_share_is_what_happened(tmp_path: Path) -> None:
    """Asked for 10 and for any number, the server allows 5: the curve ends at 5, and promises nothing beyond."""
    plan = sweep_plan(recycle=("1", "2", "10", "inf"))
    writer = RunWriter(tmp_path / "run", plan)
    for number in range(3):
        for cell in Plan.from_json(plan).cells:
            limit = min(cell.policy.requests, 5)
            ending = Ending.SERVER_ANNOUNCED if cell.policy.requests > 5 else Ending.CLIENT_ANNOUNCED
            writer.block(
                cell.name, number,
                [
                    Link([Exchange(at * MS) for at in range(limit)], connect=300 * US, ending=ending)
                    for _ in range(20 // limit)
                ],
            )  # fmt: skip
    made = writer.summary()
    (found,) = made["sweep"]["amortisation"]
    assert [cell["requests_per_connection"] for cell in found["cells"]] == pytest.approx([1, 2, 5, 5])
    assert found["handshake_ns"] == 300 * US
    assert [one["code"] for one in made["warnings"]].count("closed_early") == 1


@pytest.mark.parametrize(("requests", "carried"), [("100", 42 / 9), ("inf", 42 / 9), ("4", 4)])
def test_connections_that_grow_too_old_have_their_real_length(tmp_path: Path, requests: str, carried: float) -> None:
    """A lifetime ends them at 5 requests, whatever K says; below that K decides, though the block cuts one short."""
    plan = sweep_plan("lifetime:10ms", recycle=("2", "3", requests))
    writer = RunWriter(tmp_path / "run", plan)
    for number in range(3):
        for cell in Plan.from_json(plan).cells:
            limit = min(cell.policy.requests, 5)
            sizes = [limit] * (42 // limit) + ([42 % limit] if 42 % limit else [])
            writer.block(cell.name, number, [Link([Exchange(at * MS) for at in range(size)]) for size in sizes])
    (found,) = writer.summary()["sweep"]["amortisation"]
    assert found["cells"][-1]["requests_per_connection"] == pytest.approx(carried)


def test_no_saving_has_no_ninety_percent(tmp_path: Path) -> None:
    plan = sweep_plan(recycle=("1", "2", "5"))
    writer = RunWriter(tmp_path / "run", plan)
    for number in range(3):
        for cell in Plan.from_json(plan).cells:
            wait = 100 * US + min(cell.policy.requests, 5) * US
            writer.block(cell.name, number, [Link([Exchange(at, wait=wait) for at in range(cell.policy.requests)])])
    (found,) = writer.summary()["sweep"]["amortisation"]
    assert found["saving_ns"] < 0
    assert found["k90"] is found["k90_ci95"] is None


@pytest.mark.parametrize("grid", [("5",), ("1", "inf")])
def test_two_points_make_no_curve(tmp_path: Path, grid: tuple[str, ...]) -> None:
    assert sweep_run(tmp_path / "run", sweep_plan(recycle=grid)).summary()["sweep"]["amortisation"] == []


def test_one_round_has_no_intervals(tmp_path: Path) -> None:
    found = curve_of(tmp_path, recycle=GRID, rounds=1)
    assert [found[key] for key in found if key.endswith("ci95")] == [None] * 4
    assert found["exchange_ns"] == EXCHANGE_NS


def test_groups_differ_in_everything_but_k(tmp_path: Path) -> None:
    made = sweep_run(tmp_path / "run", sweep_plan(recycle=("1", "2", "inf"), users=(1, 10))).summary()
    found = made["sweep"]["amortisation"]
    assert [(one["users"], one["exchange_ns"]) for one in found] == [(1, 118 * US), (10, 136 * US)]
    assert "in the 2 groups" in made["verdict"]


def test_a_cell_cut_off_leaves_the_rounds_that_all_have(tmp_path: Path) -> None:
    plan = sweep_plan(recycle=("1", "2", "inf"))
    writer = RunWriter(tmp_path / "run", plan)
    cells = Plan.from_json(plan).cells
    for number in range(3):
        for cell in cells if number < 2 else cells[:1]:
            writer.block(cell.name, number, cell_links(cell, number))
    (found,) = writer.summary()["sweep"]["amortisation"]
    assert found["exchange_ns"] == EXCHANGE_NS + US / 2


def test_intervals_hold_what_was_put_in(tmp_path: Path) -> None:
    """Noise of 30 µs on average on every request, whole rounds shifted by up to 10 µs."""
    noise = random.Random(5)
    hits = 0
    for number in range(20):
        run = sweep_run(
            tmp_path / str(number), sweep_plan(recycle=("1", "2", "10", "inf"), rounds=5), 60,
            lambda: int(noise.expovariate(1 / 30e3)),
        )  # fmt: skip
        (found,) = run.summary()["sweep"]["amortisation"]
        low, high = found["handshake_ci95"]
        hits += low <= FIRST_NS + 30 * US <= high  # the handshake has the noise once more
    assert hits >= 16


def test_the_curve_goes_from_the_smallest_k_to_the_unlimited(curve: dict[str, Any]) -> None:
    points = curve["curve"]
    assert points[0] == {"requests": 1.0, "mean_ns": EXCHANGE_NS + US + FIRST_NS, "ci95": points[0]["ci95"]}
    assert points[-1]["requests"] is None
    assert points[-1]["mean_ns"] == curve["exchange_ns"]
    limits = [point["requests"] for point in points[:-1]]
    assert limits == sorted(limits)
    assert all(low <= point["mean_ns"] <= high for point in points for low, high in [point["ci95"]])


def test_a_curve_of_limits_alone_ends_at_the_largest(tmp_path: Path) -> None:
    assert curve_of(tmp_path, recycle=("1", "2", "20"))["curve"][-1]["requests"] == pytest.approx(20)
