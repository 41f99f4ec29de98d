"""`loadgen policies`: what each part of a policy means, with a picture of connections. Sends nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import click

from loadgen.cli import EXIT_DONE, Outcome
from loadgen.cli.console import text_console
from loadgen.model.policy import HTTP1, PARTS, ConnectionPolicy, Part, parse_policy
from loadgen.show.policy_picture import LEGEND, legend, picture

_INDENT = " " * 4


def show_policies(name: str | None) -> Outcome:
    """All of them, or the part or policy `name`. Raises PlanError where there is none of that name."""
    lines = _all() if name is None else _one(name)
    width = text_console().width
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        click.echo(textwrap.fill(line, width, subsequent_indent=indent, break_on_hyphens=False) if line else "")
    return Outcome(EXIT_DONE)


def _all() -> Iterator[str]:
    yield "A policy is one of these parts, or several joined by +, such as recycle:10+gap:2s. Time goes to the right."
    for word, part in PARTS.items():
        policy = parse_policy(part.example or word)
        yield ""
        yield f"{_written(word, part)}: {part.meaning}"
        yield from _drawn(policy)
    yield ""
    yield from (f"{_INDENT}{sign} {meaning}" for sign, meaning in LEGEND.items())


def _one(name: str) -> Iterator[str]:
    part = PARTS.get(name)
    policy = parse_policy((part.example or name) if part else name)
    words = [name] if part else [one.partition(":")[0] for one in policy.name.partition("#")[0].split("+")]
    for word in words:
        yield f"{_written(word, PARTS[word])}: {PARTS[word].meaning}"
    yield ""
    if policy.name != name:
        yield f"{policy.name}:"
    lines = list(_drawn(policy))
    yield from lines
    yield ""
    yield from (f"{_INDENT}{line}" for line in legend(lines))
    yield ""
    if policy.protocol == HTTP1:
        yield f"Connection field: {_connection_field(policy)}"
    for word in words:
        yield from _not_with(word, PARTS[word], policy)


def _written(word: str, part: Part) -> str:
    if part.omitted:
        return f"{word}[:{part.parameter}]"
    return f"{word}:{part.parameter}" if part.parameter else word


def _drawn(policy: ConnectionPolicy) -> Iterator[str]:
    for number, line in enumerate(picture(policy), start=1):
        yield f"{_INDENT}connection {number}  {line}"


def _connection_field(policy: ConnectionPolicy) -> str:
    usual, last = policy.connection_option or "none", policy.last_option or "none"
    if not policy.reuses:
        return f"{last}, with each request"
    if not policy.limits_requests or usual == last:
        return f"{usual}, with each request"
    return f"{usual}, and {last} with the last request of a connection"


def _not_with(word: str, part: Part, policy: ConnectionPolicy) -> Iterator[str]:
    """What the part can't be combined with, whichever of the two says so."""
    if part.trait is None or not part.trait.holds(policy):
        return
    others = {one.trait.name: one.trait for one in PARTS.values() if one.trait is not None}
    found = dict(part.trait.excludes)
    found |= {name: one.excludes[part.trait.name] for name, one in others.items() if part.trait.name in one.excludes}
    for name, why in found.items():
        yield f"{word}: not with {name} ({why})"
