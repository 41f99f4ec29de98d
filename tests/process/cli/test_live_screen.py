"""The live screen on a real terminal: its last figures are the summary's, and it leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from loadgen.cli.screen.top import throughput_text
from loadgen.model.units import NS_PER_MS, NS_PER_US
from tests.support.targets import Target
from tests.support.terminals import lines_of, run_on_terminal

LOAD = ["--users", "4", "--warmup", "50ms", "--no-charts"]
P50 = re.compile(r"([0-9.]+) (µs|ms)")
SHOW_CURSOR = b"\x1b[?25h"


def test_its_last_figures_are_those_of_the_summary(share_target: Callable[..., Target], tmp_path: Path) -> None:
    out = tmp_path / "run"
    load = [*LOAD, "--processes", "2", "--rounds", "3", "--block", "300ms"]
    run = run_on_terminal("compare", share_target().url, *load, "--out", str(out), columns=100)
    assert run.code == 0
    summary = json.loads((out / "summary.json").read_text())
    shown = lines_of(run.screen(run.output[: run.output.rindex(b"\r\x1b[J" + SHOW_CURSOR)]))
    rows = {line.split()[0]: line for line in shown if line}
    for name, policy in summary["policies"].items():
        assert rows[name].split()[1] == throughput_text(policy["throughput_rps"])
        number, unit = P50.findall(rows[name])[0]
        p50_ns = float(number) * (NS_PER_MS if unit == "ms" else NS_PER_US)
        assert p50_ns == pytest.approx(policy["latency_ns"]["p50"], rel=0.01)  # of three digits and a bin of 0.4 %
    (comparison,) = summary["comparisons"]
    low, high = comparison["latency_mean_ratio_ci95"]
    assert f"{comparison['latency_mean_ratio']:.3g} ×" in rows["close/persistent"]
    # A busy machine may know nothing of the ratio, and then shows no bounds.
    assert f"[{low:.3g}, {high:.3g}]" in rows["close/persistent"] or "±1,000% or more" in rows["close/persistent"]
    after = run.screen()
    assert not after.cursor.hidden
    text = "\n".join(lines_of(after))
    assert "GET http://" in text
    assert "by round" not in text


def test_an_interruption_leaves_a_sane_terminal(share_target: Callable[..., Target], tmp_path: Path) -> None:
    pressed: list[bytes] = []

    def press(output: bytes, terminal: int) -> None:
        if b"round 2" in output and not pressed:
            pressed.append(b"\x03")
            os.write(terminal, pressed[0])

    load = [*LOAD, "--rounds", "50", "--block", "200ms"]
    run = run_on_terminal("compare", share_target().url, *load, "--out", str(tmp_path / "run"), on_output=press)
    assert run.code == 130
    after = run.screen()
    assert not after.cursor.hidden
    text = "\n".join(lines_of(after))
    assert "warning interrupted" in text
    assert "by round" not in text
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["policies"]["persistent"]["requests"] > 0
