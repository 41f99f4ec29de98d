"""An option's value as a text of Locust's: read like that of our own command line, several of them line by line."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.options import option_named
from loadgen.swarm.option_texts import argument_of, lines, value_of


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("header", "", None),
        ("header", " A: 1, 2 \n\nB: 3\r\n", ("A: 1, 2", "B: 3")),
        ("fail_if", "errors > 1%\nclose.p99 > 5", ("errors > 1%", "close.p99 > 5")),
        ("proxy", "", None),
        ("data", "", None),
        ("data", "a\nb", "a\nb"),
        ("seed", "", None),
        ("seed", "7", 7),
        ("seed", 7, 7),
        ("trailers", True, True),
        ("block", "300ms", 300_000_000),
        ("max_errors", "1%", 0.01),
    ],
)
def test_a_text_is_the_option_s_value(name: str, text: Any, value: Any) -> None:
    assert value_of(option_named(name), text) == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("max_samples", "", "--max-samples: '' is not a valid integer"),
        ("block", "", "--block: "),
        ("connect_to", "a:1\n:", "--connect-to: "),
    ],
)
def test_a_wrong_one_is_refused_with_the_option_s_name(name: str, text: str, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        value_of(option_named(name), text)
    assert message in str(caught.value)


def test_several_on_a_command_line_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser()
    for name in ("header", "seed", "tickets", "addresses", "think"):
        parser.add_argument(f"--{name}", **argument_of(option_named(name)))
    assert vars(parser.parse_args([])) == {
        "header": "", "seed": None, "tickets": True, "addresses": "first", "think": "0s",
    }  # fmt: skip
    found = parser.parse_args(["--header", "A: 1, 2", "--header=B: 3", "--no-tickets", "--seed", "4"])
    assert (lines(found.header), found.tickets, found.seed) == (["A: 1, 2", "B: 3"], False, 4)
    with pytest.raises(SystemExit):
        parser.parse_args(["--seed", "x"])
    assert "'x' is not a valid integer" in capsys.readouterr().err
