"""Drawing in place, as another program's terminal shows it."""

from __future__ import annotations

import io

import pytest

from loadgen.cli.screen.spans import Span
from loadgen.cli.screen.terminal import Terminal, can_draw, has_colours
from tests.support.terminals import TerminalStream


def terminal(stream: TerminalStream, *, has_colours: bool = False) -> Terminal:
    return Terminal(stream, has_colours=has_colours)


def test_lines_replace_those_before_and_leave_those_above() -> None:
    stream = TerminalStream()
    stream.write("$ loadgen compare\r\n")
    drawn = terminal(stream)
    drawn.draw(["one, which is long", "two", "three"])
    assert stream.lines[:4] == ["$ loadgen compare", "one, which is long", "two", "three"]
    drawn.draw(["1", "2"])
    assert stream.lines[:4] == ["$ loadgen compare", "1", "2", ""]
    assert stream.screen.cursor.hidden
    drawn.clear()
    assert stream.lines[:2] == ["$ loadgen compare", ""]
    assert (stream.screen.cursor.y, stream.screen.cursor.x, stream.screen.cursor.hidden) == (1, 0, False)


def test_at_the_bottom_of_the_screen_it_scrolls_once() -> None:
    stream = TerminalStream(rows=4)
    stream.write("a\r\nb\r\nc\r\n")
    drawn = terminal(stream)
    for number in range(5):
        drawn.draw([f"x{number}", f"y{number}"])
    assert stream.lines == ["b", "c", "x4", "y4"]


def test_a_terminal_that_was_made_narrower_keeps_nothing_of_the_wider_lines() -> None:
    stream = TerminalStream(columns=30)
    stream.write("above\r\n")
    drawn = terminal(stream)
    drawn.draw(["x" * 29, "y" * 29])
    stream.screen.resize(8, 12)
    drawn.draw(["x" * 11, "y" * 11])
    assert stream.lines[:4] == ["above", "x" * 11, "y" * 11, ""]


def test_a_line_that_is_too_wide_after_all_is_cut_off() -> None:
    stream = TerminalStream(columns=10)
    drawn = terminal(stream)
    drawn.draw(["abcdefghijklmnop", "q"])
    assert stream.lines[1] == "q"
    drawn.draw(["a", "q"])
    assert stream.lines[:3] == ["a", "q", ""]


def test_without_colours_nothing_is_coloured() -> None:
    line = [Span("a", "rate"), Span("b", "bold"), Span("c")]
    assert terminal(TerminalStream(), has_colours=True).encode([line], 9) == ["\x1b[36ma\x1b[0m\x1b[1mb\x1b[0mc"]
    assert terminal(TerminalStream()).encode([line], 9) == ["a\x1b[1mb\x1b[0mc"]


def test_where_the_encoding_lacks_bars_they_are_plain_and_still_fit() -> None:
    drawn = terminal(TerminalStream(encoding="ascii"))
    assert drawn.encode([[Span("±3% ━─ ▁█ 2 µs × …")]], 15) == ["+/-3% =- .# 2 u"]


def test_only_a_terminal_that_can_move_its_cursor_is_drawn_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    for name, can in (("xterm-256color", True), ("dumb", False), ("", False)):
        monkeypatch.setenv("TERM", name)
        assert can_draw(TerminalStream()) is can
        assert not can_draw(io.StringIO())
    monkeypatch.delenv("TERM")
    assert not can_draw(TerminalStream())


def test_no_color_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    assert has_colours()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not has_colours()


def test_a_stream_without_a_size_has_the_usual_one() -> None:
    assert terminal(TerminalStream()).size == (80, 24)
