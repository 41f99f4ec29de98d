"""Option types of the command line: durations, and lists for a grid. Knows no option by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from loadgen.model.units import NS_PER_MS, NS_PER_S, NS_PER_US, parse_duration_ns


class Duration(click.ParamType[int]):
    """`500ms`, `2s`, `1m` as nanoseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return parse_duration_ns(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Listed(click.ParamType[tuple[Any, ...]]):
    """`1,10,100` as a tuple of what `item` makes of each."""

    def __init__(self, item: click.ParamType[Any]) -> None:
        self.item = item
        self.name = f"{item.name},..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Any, ...]:
        if isinstance(value, tuple):
            return value
        found = tuple(self.item.convert(text.strip(), param, ctx) for text in value.split(",") if text.strip())
        if not found:
            self.fail(f"{value!r} names no value; write them like 1,10,100", param, ctx)
        return found


class Gap(click.ParamType[str]):
    """A duration that stays as it is written, because a policy's name will hold it."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        DURATION.convert(value, param, ctx)
        return str(value)


class Amount(click.ParamType[str]):
    """A number of requests or `inf`, as written; the policy that it becomes a part of checks it."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value)


class Data(click.ParamType[str | bytes]):
    """A request body as written, or (from a plan file) as bytes already. It is read when the plan is made."""

    name = "data"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | bytes:
        return bytes(value) if isinstance(value, bytes) else str(value)


class Words(click.ParamType[str]):
    """A text that says something: an empty one mostly comes of a shell variable that was not set."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value == "":
            self.fail("it is empty", param, ctx)
        return str(value)


class FilePath(click.ParamType[Path]):
    """The name of a file or folder, which need not exist."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        return Path(WORDS.convert(value, param, ctx))


DURATION = Duration()
DATA = Data()
WORDS = Words()
FILE = FilePath()


def duration_text(value_ns: int) -> str:
    """Write nanoseconds so that `parse_duration_ns` reads the same again: 2s, 1500ms, 1s1ns."""
    for unit, size_ns in (("s", NS_PER_S), ("ms", NS_PER_MS), ("us", NS_PER_US)):
        if value_ns % size_ns == 0:
            return f"{value_ns // size_ns}{unit}"
    whole_s, rest_ns = divmod(value_ns, NS_PER_S)
    return f"{whole_s}s{rest_ns}ns" if whole_s else f"{rest_ns}ns"
