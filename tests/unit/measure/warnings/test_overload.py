"""Too high a rate, and a target that dies: what was answered, when, and what the summary says where nothing was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.measure.warnings.unanswered import why_nothing_answered
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT
from tests.support.synthetic import (
    BLOCK_CPU_NS,
    MS,
    WINDOW_NS,
    Exchange,
    Link,
    RunWriter,
    close_links,
    persistent_links,
    plan_json,
    sweep_plan,
    sweep_run,
)

SECONDS = WINDOW_NS / 1e9
REFUSED = Link([Exchange(send=ABSENT, wait=ABSENT, receive=ABSENT, outcome=-ErrorKind.CONNECT_REFUSED)], flags=0)


def waited(count: int, at_ms: int, queue_ms: int, **more: Any) -> Link:
    return Link([Exchange(at_ms * MS + at, queue=queue_ms * MS, **more) for at in range(count)])


def open_loop(directory: Path, *links: Link, policy: str = "persistent", rounds: int = 3, **facts: Any) -> Any:
    writer = RunWriter(directory / "run", plan_json(policy, rounds, rate_rps=1_000.0))
    for number in range(rounds):
        for one in policy.split(","):
            writer.block(one, number, links, **{"due": 30, **facts})
    return writer


# Throughput of an open loop


def test_answers_count_when_they_come(tmp_path: Path) -> None:
    """20 of the warm-up answered in the window, 5 in time, 7 due in the window and answered after it."""
    links = waited(20, -100, 150), waited(5, 10, 20), waited(7, 790, 50), waited(3, -150, 10)
    made = open_loop(tmp_path, *links).summary()
    one = made["policies"]["persistent"]
    assert (one["requests"], one["answered"]) == (3 * 12, 3 * 25)
    assert one["throughput_rps"] == pytest.approx(25 / SECONDS)
    assert one["throughput_rps_ci95"] == pytest.approx([25 / SECONDS] * 2)
    assert [block["throughput_rps"] for block in made["blocks"]] == pytest.approx([25 / SECONDS] * 3)
    assert one["generator"]["cpu_ns_per_request"] == round(BLOCK_CPU_NS / 25)


def test_the_bounds_of_a_window(tmp_path: Path) -> None:
    """Its end does not belong to it, its beginning does; the handshake is a part of the request's time."""
    took = 115_000

    def ends_at(at_ns: int) -> Link:
        return Link([Exchange(at_ns - took - 5 * MS)], connect=5 * MS)

    one = open_loop(tmp_path, ends_at(-1), ends_at(0), ends_at(WINDOW_NS - 1), ends_at(WINDOW_NS), rounds=1).summary()
    assert one["policies"]["persistent"]["answered"] == 2


def test_a_failed_arrival_is_no_answer(tmp_path: Path) -> None:
    failed = waited(9, 5, 5, outcome=-ErrorKind.RESPONSE_TIMEOUT)
    assert open_loop(tmp_path, waited(4, 5, 5), failed).summary()["policies"]["persistent"]["answered"] == 3 * 4


def test_a_closed_loop_counts_what_began_in_the_window(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("persistent", 1))
    writer.block("persistent", 0, [waited(20, -100, 150), waited(5, 10, 20), waited(7, 790, 50)])
    one = writer.summary()["policies"]["persistent"]
    assert one["answered"] == one["requests"] == 12


def test_the_ratio_is_that_of_the_answers(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("persistent,close", 3, rate_rps=9.0))
    for number in range(3):
        writer.block("persistent", number, [waited(40, 10, 5)], due=40)
        writer.block("close", number, [waited(20, -100, 150), waited(1, 10, 5)], due=40)
    (one,) = writer.summary()["comparisons"]
    assert one["throughput_ratio"] == pytest.approx(21 / 40)
    assert one["throughput_ratio_ci95"] == pytest.approx([21 / 40] * 2)


def test_a_baseline_that_answers_after_its_windows_has_no_ratio(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("persistent,close", 3, rate_rps=9.0))
    for number in range(3):
        writer.block("persistent", number, [waited(4, 790, 50)], due=4)
        writer.block("close", number, [waited(4, 10, 5)], due=4)
    (one,) = writer.summary()["comparisons"]
    assert one["throughput_ratio"] is one["throughput_ratio_ci95"] is None


# Nothing to show


def said_of_nothing(summary: dict[str, Any]) -> list[str]:
    return [one["message"] for one in summary["warnings"] if one["code"] == "no_samples"]


def test_arrivals_that_waited_need_no_longer_block(tmp_path: Path) -> None:
    made = open_loop(tmp_path, waited(20, -100, 150), unstarted=30).summary()
    (message,) = said_of_nothing(made)
    assert "60 responses belonged to requests that had waited" in message
    assert "lower --rate or more --max-connections" in message
    assert why_nothing_answered(made["policies"]) == made["verdict"] == message.removeprefix("persistent: ")
    assert made["policies"]["persistent"]["throughput_rps"] == pytest.approx(20 / SECONDS)


def test_requests_that_all_failed_say_how(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("persistent,close", 1))
    writer.block("persistent", 0, [REFUSED, REFUSED])
    writer.block("close", 0, [REFUSED])
    made = writer.summary()
    assert [message[-17:] for message in said_of_nothing(made)] == ["2 connect_refused", "1 connect_refused"]
    assert why_nothing_answered(made["policies"]).endswith("failed: 3 connect_refused")


def test_a_window_shorter_than_a_request_needs_a_longer_block(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("close", 1))
    writer.block("close", 0, [Link([Exchange(-100 * MS, wait=2_000 * MS)])])
    made = writer.summary()
    assert "use a longer --block" in said_of_nothing(made)[0]
    assert "use a longer --block" in why_nothing_answered(made["policies"])


def test_a_policy_that_had_no_turn_before_an_interruption_needs_no_longer_block(tmp_path: Path) -> None:
    note = {"code": "interrupted", "message": "the run was interrupted"}
    writer = RunWriter(tmp_path / "run", plan_json("persistent,close", 1), notes=[note])
    writer.block("persistent", 0, [Link([Exchange(0)])])
    (message,) = said_of_nothing(writer.summary())
    assert message.startswith("close: ")
    assert message.endswith("answered: the run ended before this policy was measured")


def test_a_target_that_failed_the_first_request_is_the_answer(tmp_path: Path) -> None:
    """A run may end before a window has begun; then a longer block would show nothing either."""
    message = "http://h/: connect refused: no one listens at this address and port"
    made = []
    for name, notes in (("noted", [{"code": "target_failed", "message": message}]), ("unknown", [])):
        writer = RunWriter(tmp_path / name, plan_json("close", 1), notes=notes)
        writer.block("close", 0, [Link([Exchange(-MS, receive=ABSENT, outcome=-ErrorKind.CONNECT_REFUSED)])])
        made.append(writer.summary())
    assert made[0]["verdict"] == message
    assert said_of_nothing(made[0])[0].endswith("answered: the target failed the first request")
    assert made[1]["verdict"] == said_of_nothing(made[1])[0].removeprefix("close: ")
    assert made[1]["verdict"].endswith("answered; 1 request outside the windows failed")


# A target that dies


def dying(directory: Path, alive: int, dead: int) -> dict[str, Any]:
    writer = RunWriter(directory / "run", plan_json("persistent,close", (alive + dead + 1) // 2))
    for index in range(alive + dead):
        policy = ("persistent", "close")[index % 2]
        links = (persistent_links, close_links)[index % 2](index // 2)
        writer.block(policy, index // 2, links if index < alive else [REFUSED] * 3)
    return writer.summary()


def outage(summary: dict[str, Any]) -> list[str]:
    return [one["message"] for one in summary["warnings"] if one["code"] == "blocks_without_answer"]


def test_a_target_that_dies_is_told_of_in_warning_and_verdict(tmp_path: Path) -> None:
    made = dying(tmp_path, 5, 5)
    message = "no request was answered in 5 of 10 blocks, from block 6 on: 15 connect_refused"
    assert outage(made) == [message]
    assert made["verdict"].endswith(f"; {message}")
    assert [block["throughput_rps"] > 0 for block in made["blocks"]] == [True] * 5 + [False] * 5


@pytest.mark.parametrize(("alive", "said"), [(9, "in 1 of 10 blocks, block 10: 3 connect_refused"), (10, "")])
def test_one_block_or_none(tmp_path: Path, alive: int, said: str) -> None:
    assert [message.endswith(said) for message in outage(dying(tmp_path, alive, 10 - alive))] == (
        [True] if said else []
    )


def test_blocks_here_and_there_are_named(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("close", 9))
    for number in range(9):
        writer.block("close", number, [REFUSED] if number % 2 and number < 7 else [Link()])
    assert "in 3 of 9 blocks, blocks 2, 4, 6: 3 connect_refused" in outage(writer.summary())[0]


def test_a_block_that_asked_for_nothing_is_no_outage(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("persistent", 2))
    writer.block("persistent", 0, [Link([Exchange(0), Exchange(1)])])
    writer.block("persistent", 1, [Link([Exchange(-100 * MS)])])
    assert outage(writer.summary()) == []


def test_a_comparison_of_one_round_says_that_it_has_no_interval(tmp_path: Path) -> None:
    made = dying(tmp_path, 2, 0)
    assert "more per request on average (one round, no interval) than persistent" in made["verdict"]


# What a connection carried


LOST = (ErrorKind.STALE_CONNECTION, ErrorKind.CLOSED_WITHOUT_RESPONSE, ErrorKind.SEND_FAILED)


@pytest.mark.parametrize("kind", LOST)
def test_what_no_server_answered_was_carried_by_no_connection(tmp_path: Path, kind: ErrorKind) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("persistent", 1))
    writer.block("persistent", 0, [Link([Exchange(-1), Exchange(0), Exchange(1), Exchange(2, outcome=-kind)])] * 2)
    made = writer.summary()
    connections = made["policies"]["persistent"]["connections"]
    assert (connections["exchanges_with_warmup"], connections["requests_per_connection"]) == (6, 3.0)
    assert made["blocks"][0]["exchanges"] == 8


def test_what_broke_off_in_its_response_was_carried(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("close", 1))
    writer.block("close", 0, [Link([Exchange(outcome=-ErrorKind.TRUNCATED, bytes_received=10)])])
    assert writer.summary()["policies"]["close"]["connections"]["requests_per_connection"] == 1.0


# Verdicts of a grid that ends early, and of several groups


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        (("1", "2", "3"), "90% of what K = 3 saves over K = 1 is reached"),
        (("1", "2", "100"), "90% of what K = 100 saves over K = 1 is reached"),
        (("1", "2", "101"), "90% of what reuse saves is reached"),
        (("1", "2", "inf"), "90% of what reuse saves is reached"),
    ],
)
def test_ninety_percent_of_what(tmp_path: Path, grid: tuple[str, ...], said: str) -> None:
    assert said in sweep_run(tmp_path / "run", sweep_plan(recycle=grid), 202).summary()["verdict"]


def test_several_groups_are_told_with_names_and_intervals(tmp_path: Path) -> None:
    plan = sweep_plan(recycle=("1", "2", "inf"), users=(1, 10))
    writer = RunWriter(tmp_path / "run", plan)
    for number in range(3):
        for users, connect in ((1, 300), (10, 700)):
            for limit, name in ((1, "recycle:1"), (2, "recycle:2"), (20, "recycle:inf")):
                exchanges = [Exchange(at * MS) for at in range(limit)]
                links = [Link(exchanges, slot=0, connect=connect * 1_000) for _ in range(20 // limit)]
                writer.block(f"{name} · {users} user{'s' if users > 1 else ''}", number, links)
    verdict = writer.summary()["verdict"]
    assert "300 µs [300, 300] (1 user) to 700 µs [700, 700] (10 users) in the 2 groups" in verdict


def test_a_grid_of_one_round_says_that_it_has_no_interval(tmp_path: Path) -> None:
    plan = sweep_plan(recycle=("1", "2", "inf"), rounds=1)
    assert sweep_run(tmp_path / "run", plan).summary()["verdict"].endswith("(one round, no interval)")
