"""Command-line options as the commands get them, the plans that they become, and the line that refuses them."""

from __future__ import annotations

from typing import Any

import click
import pytest

from loadgen.cli.machine import check_machine
from loadgen.cli.options import resolve_options
from loadgen.cli.plan_builder import build_plan
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan

URL = "http://127.0.0.1:8080/"


def options_of(command: click.Command, *arguments: str) -> dict[str, Any]:
    """The options as the command's function gets them."""
    context = command.make_context("loadgen", list(arguments))
    return resolve_options(context, context.params)


def planned(command: click.Command, *arguments: str) -> Plan:
    return build_plan(options_of(command, *arguments))


def complaint(command: click.Command, *arguments: str) -> str:
    with pytest.raises((PlanError, click.UsageError)) as caught:
        check_machine(planned(command, *arguments))
    error = caught.value
    text = error.format_message() if isinstance(error, click.UsageError) else str(error)
    assert "\n" not in text
    return text
