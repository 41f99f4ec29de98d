"""The model's value types on the command line: what they read, how they complain, what the help page shows."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from loadgen.cli.option_types import OptionType
from loadgen.model.value_types import Choice, Duration, Words


def test_a_text_is_read_and_a_value_is_left_alone() -> None:
    duration = OptionType(Duration())
    assert duration.convert("250ms", None, None) == 250_000_000
    assert duration.convert(250_000_000, None, None) == 250_000_000  # a default
    path = Path("x")
    assert OptionType(Words()).convert(path, None, None) is path


def test_what_can_t_be_read_is_bad_usage_of_that_option() -> None:
    option = click.Option(["--block"], type=OptionType(Duration()))
    with pytest.raises(click.BadParameter, match="250") as caught:
        option.type.convert("250", option, None)
    assert "--block" in caught.value.format_message()
    assert caught.value.exit_code == 2


def test_the_help_page_shows_the_words_of_a_choice() -> None:
    option = click.Option(["--order"])
    with click.Context(click.Command("x")) as context:
        assert OptionType(Choice("lifo", "fifo")).get_metavar(option, context) == "[lifo|fifo]"
        assert OptionType(Duration()).get_metavar(option, context) is None
    assert OptionType(Duration()).name == Duration.name
