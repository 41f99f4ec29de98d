"""What shows how far a run is: a screen on a terminal, lines elsewhere, nothing with `--quiet`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from loadgen.cli.commands import compare
from loadgen.cli.screen.live_screen import LiveScreen
from loadgen.cli.screen.progress_display import ProgressDisplay
from loadgen.cli.screen.terminal import Terminal
from loadgen.measure.data.latency_totals import BlockLatency
from tests.support.live_runs import LiveRun
from tests.support.plans import URL, planned
from tests.support.terminals import TerminalStream

BLOCK: dict[str, Any] = {"block": {"index": 0, "round": 0, "policy": "close"}}


@contextmanager
def terminals() -> Iterator[TerminalStream]:
    """Both output streams are terminals. No fixture: pytest replaces the streams between those and a test."""
    with pytest.MonkeyPatch.context() as patch:
        stream = TerminalStream(columns=80, rows=24)
        patch.setattr(sys, "stderr", stream)
        patch.setattr(sys, "stdout", TerminalStream())
        patch.setenv("TERM", "xterm")
        yield stream


def test_on_a_terminal_there_is_a_screen_that_leaves_nothing_behind() -> None:
    with terminals() as stderr, ProgressDisplay(planned(compare, URL), False, ()) as progress:
        assert stderr.lines[0] == "checking the target"
        progress.show(BLOCK)
        progress.say("warning: recycle:100: a [b] :smile:")
        assert stderr.lines[0] == "loadgen: warning: recycle:100: a [b] :smile:"
        assert stderr.lines[1].startswith("round 1/5  ")
        assert stderr.lines[2].startswith("now close: ")
    assert stderr.lines[:2] == ["loadgen: warning: recycle:100: a [b] :smile:", ""]
    assert not stderr.screen.cursor.hidden


@pytest.mark.parametrize("writes_lines", [False, True])
def test_lines_on_the_same_terminal_leave_no_room_for_a_screen(writes_lines: bool) -> None:
    plan = planned(compare, URL)
    with terminals() as stderr, ProgressDisplay(plan, False, (), writes_lines=writes_lines):
        assert ("checking the target" in stderr.lines) is not writes_lines


def test_quiet_shows_nothing_and_wants_no_blocks() -> None:
    with terminals() as stderr, ProgressDisplay(planned(compare, URL), True, ()) as progress:
        progress.show(BLOCK)
        progress.say("warning: something")
        assert progress.listeners == []
    assert stderr.getvalue() == ""


def test_quiet_takes_blocks_without_percentiles_where_precision_ends_the_run() -> None:
    plan = planned(compare, URL, "--until-precision", "2%")
    progress = ProgressDisplay(plan, True, ())
    (listener,) = progress.listeners
    assert not progress.has_percentiles
    assert progress.figures.half_width is None
    for index in range(4):
        listener(index, BlockLatency(index // 2, plan.cells[index % 2].name, True, 10, 1_000 + index, 10**9))
    assert progress.figures.rounds == 2
    assert progress.figures.half_width is not None


def test_a_pipe_gets_no_sequences(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with ProgressDisplay(planned(compare, URL), False, ()) as progress:
        progress.show(BLOCK)
        progress.say("warning: something")
        progress.say("")
    assert capsys.readouterr().err == "loadgen: warning: something\n"


def test_an_error_in_the_run_clears_the_screen() -> None:
    with terminals() as stderr, pytest.raises(RuntimeError), ProgressDisplay(planned(compare, URL), False, ()):
        raise RuntimeError
    assert stderr.lines[0] == ""
    assert not stderr.screen.cursor.hidden


def test_it_is_drawn_five_times_a_second_at_most() -> None:
    run = LiveRun(planned(compare, URL))
    stream = TerminalStream(columns=80, rows=24)
    screen = LiveScreen(run.progress, Terminal(stream, has_colours=True), lambda: run.now_s)
    run.begin(0)
    drawn = 0
    for _ in range(40):
        run.now_s += 0.05
        before = len(stream.getvalue())
        screen.update()
        drawn += len(stream.getvalue()) > before
    assert 8 <= drawn <= 10


def test_the_screen_is_the_picture() -> None:
    run = LiveRun(planned(compare, URL))
    stderr = TerminalStream(columns=80, rows=24)
    screen = LiveScreen(run.progress, Terminal(stderr, has_colours=True), lambda: run.now_s)
    run.run(3)
    screen.draw()
    assert any(line.startswith("persistent    250  ██ ██") for line in stderr.lines)
    run.end(3)
    run.begin(4)
    screen.draw()
    assert any(line.startswith("close/persistent  1.97 ×  [") for line in stderr.lines)
    screen.close()
    assert set(stderr.lines) == {""}


def test_the_rate_adds_up_what_all_workers_do() -> None:
    run = LiveRun(planned(compare, URL, "--processes", "2"))
    for worker in (0, 1):
        run.progress.add(BLOCK, worker)
    run.now_s += 0.5
    for worker in (0, 1):
        run.progress.add({"exchanges": 300, "errors": worker}, worker)
    assert (run.progress.rate_rps, run.progress.errors["close"]) == (1200, 1)
    run.progress.add({"block": {"index": 1, "round": 0, "policy": "persistent"}}, 0)
    run.now_s += 1
    run.progress.add({"exchanges": 400, "errors": 0}, 0)
    assert (run.progress.rate_rps, run.progress.cell) == (100, "persistent")
