"""What a signal does to a command: it is raised once, and given back to whom it belonged."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest

from loadgen.cli.signals import Interruption, handled, kept, noted, raised
from loadgen.startup import ENDING_SIGNALS, end_at_once


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in ENDING_SIGNALS]


@pytest.mark.parametrize("number", ENDING_SIGNALS)
def test_the_first_signal_is_raised_and_the_next_would_end_the_process(number: signal.Signals) -> None:
    before = handlers()
    after = []

    def interrupt() -> None:
        try:
            signal.raise_signal(number)
        finally:
            after.extend(handlers())

    with pytest.raises(Interruption) as caught, raised():
        interrupt()
    assert set(after) == {end_at_once}
    assert (caught.value.number, caught.value.code) == (number, 130)
    assert handlers() == before


@pytest.mark.parametrize("number", ENDING_SIGNALS)
def test_the_first_signal_is_noted_and_the_next_would_end_the_process(number: signal.Signals) -> None:
    before, calls = handlers(), []
    with noted(lambda: calls.append("interrupted")) as numbers:
        assert numbers == []
        signal.raise_signal(number)
        assert set(handlers()) == {end_at_once}
    assert (numbers, calls) == ([number], ["interrupted"])
    assert handlers() == before


@pytest.mark.parametrize(
    ("number", "saved", "text"),
    [
        (signal.SIGINT, None, "interrupted"),
        (signal.SIGHUP, None, "ended by SIGHUP"),
        (signal.SIGTERM, Path("r"), "ended by SIGTERM; loadgen report r shows what had been measured"),
    ],
)
def test_it_says_which_and_where_the_results_are(number: int, saved: Path | None, text: str) -> None:
    assert str(Interruption(number, saved)) == text


@pytest.mark.parametrize("stays_ignored", [False, True])
def test_a_handler_has_the_signals_for_a_while(stays_ignored: bool) -> None:
    got: list[int] = []
    before = handlers()
    with kept():
        with handled(lambda number, _frame: got.append(number), lambda: stays_ignored):
            for number in ENDING_SIGNALS:
                signal.raise_signal(number)
        assert handlers() == ([signal.SIG_IGN] * len(ENDING_SIGNALS) if stays_ignored else before)
    assert got == list(ENDING_SIGNALS)
    assert handlers() == before


def test_nohup_holds() -> None:
    with kept():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with raised():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


def test_another_thread_leaves_them_alone() -> None:
    before, seen = handlers(), []

    def run() -> None:
        with raised(), handled(lambda *_: None, lambda: True):
            seen.append(handlers())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before]
