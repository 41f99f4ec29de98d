"""What the case of CPU time prints, and how it reads a process's CPU time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.bench.cpu import PARTS, Cost, Load, full, loads, print_rows
from tests.bench.machine import Server, cpu_s

LOAD = Load("persistent HTTP", "http://127.0.0.1/", "persistent", 1, "wrk", 0.8, 1.1)


def cost(cpu_us: float, generator_share: float = 0.5, server_share: float = 0.5) -> Cost:
    return Cost(cpu_us, 1000, generator_share, server_share)


def test_the_ratio_is_the_peers_by_ours_turn_by_turn(capsys: pytest.CaptureFixture[str]) -> None:
    ours = [cost(10, 1.0), cost(20, 1.0), cost(40, 1.0)]
    wrk, ab = [[cost(one.cpu_us * ratio, 0.97, 0.99) for one in ours] for ratio in (0.75, 1.5)]
    print_rows(LOAD, {"ours": ours, "wrk": wrk, "ab": ab})
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        [
            "persistent HTTP",
            "20.0 [15.0, 30.0]",
            "wrk",
            "15.0 [11.2, 22.5]",
            "0.75 × [0.75, 0.75]",
            "≥ 0.8 (1.1): below the bar",
            "generator (100%, 50%)",
            "generator and server (97%, 99%)",
        ],
        [
            "persistent HTTP",
            "20.0 [15.0, 30.0]",
            "ab",
            "30.0 [22.5, 45.0]",
            "1.50 × [1.50, 1.50]",
            "",
            "generator (100%, 50%)",
            "generator and server (97%, 99%)",
        ],
    ]


def test_without_a_peer_ours_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(LOAD, {"ours": [cost(10)]})
    assert "| 10.0 [10.0, 10.0] | none is installed |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("generator", "server", "said"),
    [
        (1.0, 0.5, "generator (100%, 50%)"),
        (0.94, 0.95, "server (94%, 95%)"),
        (0.4, 0.2, "neither (40%, 20%)"),
    ],
)
def test_who_was_full(generator: float, server: float, said: str) -> None:
    assert full([cost(1, generator, server)]) == said


def test_each_load_can_be_named() -> None:
    server = Server(Path("/nowhere"), http=1, https=2, pid=3)
    assert (*loads(server), "websocket") == PARTS


def test_cpu_time_is_that_of_the_process() -> None:
    begun, begun_s = time.process_time(), cpu_s(os.getpid())
    while time.process_time() - begun < 0.05:
        pass
    assert cpu_s(os.getpid()) - begun_s >= 0.03  # to the tick
