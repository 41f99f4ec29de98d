"""Options of `compare` and `sweep` become a plan, or one line that says what was wrong with them."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import click
import pytest

from loadgen.cli.commands import compare, sweep
from loadgen.cli.dry_run import estimate_line
from loadgen.cli.machine import check_machine
from loadgen.model.cell import Axes
from loadgen.model.units import duration_text, parse_duration_ns
from tests.support.plans import URL, complaint, planned


def test_defaults() -> None:
    plan = planned(compare, URL)
    assert [policy.name for policy in plan.policies] == ["persistent", "close"]
    assert (plan.load.users, plan.load.rounds, plan.load.rate_rps) == (50, 5, 0.0)
    assert (plan.cookies, plan.retry_stale, plan.source_ips, plan.server_pid) == (True, False, (), None)
    assert plan.axes == Axes()


def test_every_new_option_reaches_the_plan() -> None:
    arguments = ["--rate", "250.5", "--arrivals", "poisson", "--max-connections", "70", "--retry-stale", "--no-cookies"]
    plan = planned(
        compare, URL, *arguments, "--source-ip", "127.0.0.2", "--source-ip", "127.0.0.3", "--server-pid", "7"
    )
    assert (plan.load.rate_rps, plan.load.arrivals, plan.load.max_connections) == (250.5, "poisson", 70)
    assert (plan.retry_stale, plan.cookies, plan.server_pid) == (True, False, 7)
    assert plan.source_ips == ("127.0.0.2", "127.0.0.3")


@pytest.mark.parametrize("command", [compare, sweep])
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--rate", "0"], "--rate is 0 per second"),
        (["--rate", "nan"], "--rate is nan"),
        (["--arrivals", "poisson"], "give --rate too"),
        (["--max-connections", "5"], "give --rate too"),
        (["--rate", "9", "--max-connections", "0"], "at least 1 is needed"),
        (["--rate", "9", "--max-connections", "10000000"], "between 1 and 1,000,000"),
        (["--rate", "9", "--users", "50"], "--users is for a closed loop"),
        (["--rate", "9", "--think", "1s"], "--think is for users"),
        (["--rate", "9", "--arrivals", "weekly"], "is not one of"),
        (["--retry-stale", "-X", "POST"], "not idempotent"),
        (["--source-ip", "here"], "not an IP address"),
        (["--source-ip", ""], "not an IP address"),
        (["--source-ip", "[::1]"], "not an IP address"),
        (["--source-ip", "127.1"], "not an IP address"),
        (["--source-ip", "127.0.0.1:80"], "not an IP address"),
        (["--source-ip", "fe80::1%lo"], "names a zone"),
        (["--source-ip", "192.0.2.1"], "--source-ip 192.0.2.1: not an address of this machine"),
        (["--source-ip", "::1"], "IPv6"),
        (["--source-ip", "0.0.0.0"], "not an address that a connection can come from"),
        (["--source-ip", "224.0.0.1"], "not an address that a connection can come from"),
        (["--source-ip", "255.255.255.255"], "not an address that a connection can come from"),
        (["--source-ip", "127.255.255.255"], "not an address that a connection can come from"),
        (["--name", ""], "'--name': it is empty"),
        (["--plan", ""], "'--plan': it is empty"),
        (["--save-plan", ""], "'--save-plan': it is empty"),
        (["--out", ""], "'--out': it is empty"),
        (["--cacert", ""], "'--cacert': it is empty"),
        (["--server-pid", "0"], "no such process"),
        (["--server-pid", str(1 << 40)], "no such process"),
        (["--tls"], "embedded target"),
    ],
)
def test_what_makes_no_sense(command: click.Command, arguments: list[str], text: str) -> None:
    grid = ["--recycle", "1,2"] if command is sweep else []
    assert text in complaint(command, URL, *grid, *arguments)


def test_the_embedded_target_has_its_own_process() -> None:
    assert "watched automatically" in complaint(compare, "--server-pid", str(os.getpid()))
    check_machine(planned(compare, URL, "--server-pid", str(os.getpid())))


def test_the_embedded_target_has_a_name_where_a_policy_looks_one_up() -> None:
    assert planned(compare, "--policies", "persistent,resolve").target.host == "localhost"
    assert planned(compare).target.host == "127.0.0.1"
    assert "an address already" in complaint(compare, URL, "--policies", "resolve")


def test_descriptors_follow_the_connections_that_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (256, 1000))
    monkeypatch.setattr(resource, "setrlimit", lambda _which, limits: asked.append(limits))
    check_machine(planned(compare, URL, "--users", "400"))
    assert asked == [(400 + 24 + 512, 1000)]
    check_machine(planned(compare, URL, "--rate", "9", "--max-connections", "300"))
    assert asked[1:] == [(300 + 24 + 512, 1000)]
    check_machine(planned(compare, URL, "--users", "960"))
    assert asked[2:] == [(1000, 1000)]
    assert "961 connections at a time: that takes 1001 file descriptors" in complaint(sweep, URL, "--users", "1,961")
    assert "1,000 connections at a time: that takes 1040 file" in complaint(compare, URL, "--rate", "9")
    # A pool has fewer connections than users, and each process only its share.
    check_machine(planned(compare, URL, "--users", "5000", "--policies", "pool:9"))
    check_machine(planned(compare, URL, "--users", "1900", "--processes", "2"))
    assert "1 connection at a time in each of 250 processes: that takes 1024 file" in complaint(
        compare, URL, "--users", "250", "--processes", "250"
    )


def test_a_grid() -> None:
    plan = planned(sweep, URL, "--users", "1,10", "--recycle", "1, 2,inf")
    assert plan.axes == Axes(users=(1, 10), recycle=("1", "2", "inf"))
    assert plan.policies == ()
    assert len(plan.cells) == 6
    assert (plan.load.rounds, plan.load.block_ns, plan.load.warmup_ns) == (5, 1_000_000_000, 200_000_000)
    assert estimate_line(plan) == "6 cells × 5 rounds = 30 blocks of 1s: about 31 s and a few seconds for the report"
    assert estimate_line(plan, 29) == "29 of 30 blocks are done, 1 to go: about 1 s and a few seconds for the report"


@pytest.mark.parametrize(
    ("command", "arguments", "warmup_ms"),
    [
        (compare, [], 500),
        (compare, ["--block", "1s"], 500),
        (compare, ["--block", "200ms"], 100),
        (compare, ["--block", "200ms", "--warmup", "150ms"], 150),
        (sweep, ["--gap", "1ms,2ms", "--block", "600ms"], 200),
        (sweep, ["--gap", "1ms,2ms", "--block", "100ms"], 50),
    ],
)
def test_the_default_warmup_fits_into_a_short_block(
    command: click.Command, arguments: list[str], warmup_ms: int
) -> None:
    assert planned(command, URL, *arguments).load.warmup_ns == warmup_ms * 1_000_000


def test_what_lies_between_blocks_counts() -> None:
    plan = planned(compare, URL, "--block", "10ms", "--warmup", "0", "--rounds", "1000")
    assert ": about 80 s and" in estimate_line(plan)


def test_single_numbers_are_the_load() -> None:
    plan = planned(sweep, URL, "--users", "7", "--gap", "10ms,1s")
    assert (plan.load.users, plan.axes) == (7, Axes(gap=("10ms", "1s")))
    plan = planned(sweep, URL, "--rate", "100", "--recycle", "1,2")
    assert (plan.load.rate_rps, plan.axes.rate) == (100.0, ())
    assert {cell.rate_rps for cell in plan.cells} == {100.0}


def test_policies_of_a_sweep() -> None:
    assert [policy.name for policy in planned(sweep, URL, "--rate", "1,2").policies] == ["persistent", "close"]
    combined = planned(sweep, URL, "--policies", "abandon", "--recycle", "2,3")
    assert [cell.policy.name for cell in combined.cells] == ["abandon+recycle:2", "abandon+recycle:3"]


def test_sizes_stand_in_the_url() -> None:
    assert [cell.path for cell in planned(sweep, "--size", "5,1000", "--policies", "close").cells] == [
        "/?size=5",
        "/?size=1000",
    ]
    assert "{size}" in complaint(sweep, URL, "--size", "5")
    cells = planned(sweep, f"{URL}blob/{{size}}", "--size", "5", "--policies", "close,persistent").cells
    assert [cell.path for cell in cells] == ["/blob/5", "/blob/5"]
    for command in (compare, sweep):
        assert "loadgen sweep --size" in complaint(
            command, f"{URL}{{size}}", *(["--users", "1,2"] * (command is sweep))
        )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "nothing is varied"),
        (["--users", "10"], "nothing is varied"),
        (["--recycle", "10"], "nothing is varied"),
        (["--size", "5", "--policies", "close"], "nothing is varied"),
        (["--users", "1,2", "--rate", "5"], "--users is for a closed loop"),
        (["--users", "1,x"], "not a valid int"),
        (["--users", ","], "names no value"),
        (["--users", "0,1"], "at least 1"),
        (["--rate", "1,0"], "--rate is 0"),
        (["--size", "-1"], "can't be negative"),
        (["--gap", "10"], "not a duration"),
        (["--recycle", "1,many"], "not a whole number"),
        (["--recycle", "2,2"], "twice"),
        (["--recycle", "2", "--policies", "close"], "exclude each other"),
        (["--recycle", ",".join(map(str, range(1, 502)))], "500 is the most"),
    ],
)
def test_grids_that_make_no_sense(arguments: list[str], text: str) -> None:
    assert text in complaint(sweep, f"{URL}{{size}}" if "--size" in arguments else URL, *arguments)


@pytest.mark.parametrize("value_ns", [0, 1, 999, 1_500, 2_000_000_000, 1_500_000_000, 90_000_000_001, 60_000_000_000])
def test_durations_are_written_exactly(value_ns: int) -> None:
    assert parse_duration_ns(duration_text(value_ns)) == value_ns


def test_a_body_is_read_when_the_plan_is_made(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"\x00\xff")
    plan = planned(compare, URL, "--data", f"@{tmp_path / 'body'}")
    assert (plan.body, plan.method) == (b"\x00\xff", "POST")
    assert planned(compare, URL, "--data", "", "-X", "put").method == "PUT"


@pytest.mark.parametrize("option", ["data", "max_body"])
def test_the_help_says_what_an_option_is_for_a_websocket(option: str) -> None:
    for command in (compare, sweep):
        (found,) = (one for one in command.params if one.name == option)
        assert isinstance(found, click.Option)
        assert ", or the WebSocket message" in f"{found.help}" or ", or WebSocket message" in f"{found.help}"
