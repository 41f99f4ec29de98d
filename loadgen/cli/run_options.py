"""The options of `compare` and `sweep`, written once: what is the same, and what a grid makes different."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from loadgen.cli.option_types import DATA, DURATION, FILE, WORDS, Amount, Gap, Listed
from loadgen.cli.plan_reader import merge_headers, read_plan
from loadgen.model.arrivals import ARRIVALS

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Any], Any]

_TARGET: list[Decorator] = [click.argument("url", required=False, type=WORDS)]

_COMPARED: list[Decorator] = [
    click.option(
        "--policies", default="persistent,close", show_default=True, help="Connection policies, comma-separated."
    ),
    click.option("--users", type=int, default=50, show_default=True, help="Closed-loop clients at the same time."),
    click.option("--rate", type=float, metavar="R", help="Open loop: R arrivals per second instead of users."),
    click.option("--processes", type=int, default=1, show_default=True, help="Worker processes that share the load."),
]

_SWEPT: list[Decorator] = [
    click.option(
        "--policies",
        help="Connection policies, comma-separated; persistent,close unless --recycle or --gap make them.",
    ),
    click.option(
        "--users", type=Listed(click.INT), default="10", show_default=True, metavar="N,...", help="Numbers of users."
    ),
    click.option("--rate", type=Listed(click.FLOAT), metavar="R,...", help="Open loop: arrivals per second."),
    click.option("--recycle", type=Listed(Amount()), metavar="K,...", help="Requests per connection; inf for all."),
    click.option("--gap", type=Listed(Gap()), metavar="T,...", help="Gaps before a connection is used again."),
    click.option(
        "--size", type=Listed(click.INT), metavar="BYTES,...", help="Response sizes, put in place of {size} in the URL."
    ),
]


def _pace(rounds: int, block: str, warmup: str) -> list[Decorator]:
    return [
        click.option(
            "--rounds", type=int, default=rounds, show_default=True, help="Rounds; each runs every policy once."
        ),
        click.option("--block", type=DURATION, default=block, show_default=True, help="Length of one policy's turn."),
        click.option(
            "--warmup", type=DURATION, default=warmup, show_default=True, help="Uncounted first part of a block."
        ),
    ]


_REQUEST: list[Decorator] = [
    click.option("--arrivals", type=click.Choice(ARRIVALS), help="With --rate: how they come; constant if unset."),
    click.option("--max-connections", type=int, metavar="N", help="With --rate: most at the same time; 1000 if unset."),
    click.option(
        "--think", type=DURATION, default="0s", show_default=True, help="Pause of a user between requests."
    ),
    click.option("-X", "--method", type=WORDS, help="Request method; GET, or POST where --data is given."),
    click.option(
        "-H", "--header", multiple=True, metavar="'K: V'", callback=merge_headers,
        help="Header field to send; may be repeated.",
    ),
    click.option(
        "--data", type=DATA, metavar="TEXT|@FILE",
        help="Request body, or the WebSocket message, or the file that holds it.",
    ),
    click.option(
        "--timeout", type=DURATION, default="10s", show_default=True,
        help="Deadline of each request, from when it has a connection.",
    ),
    click.option(
        "--max-body", type=int, default=64 << 20, show_default=True,
        help="Longest response body, or WebSocket message, in bytes.",
    ),
    click.option("--retry-stale", is_flag=True, help="Repeat an idempotent request once that met a stale connection."),
    click.option("--trailers", is_flag=True, help="Ask for trailer sections: TE: trailers, named in Connection."),
    click.option("--cookies/--no-cookies", default=True, show_default=True, help="Each user keeps its cookies."),
    click.option("--cacert", type=WORDS, metavar="FILE", help="Trust only the authorities in this PEM file."),
    click.option("--insecure", is_flag=True, help="Do not verify certificates."),
    click.option(
        "--proxy", type=WORDS, metavar="URL", help="Go through this proxy: http://[user:password@]host[:port]."
    ),
    click.option("--tls", is_flag=True, help="Without URL: the embedded target speaks https."),
    click.option("--source-ip", multiple=True, metavar="ADDR", help="Connect from this address; repeat to take turns."),
    click.option("--server-pid", type=int, metavar="PID", help="Server's process here: its CPU, memory and sockets."),
]  # fmt: skip

_RUN: list[Decorator] = [
    click.option(
        "--plan", type=WORDS, metavar="FILE|RUN", is_eager=True, callback=read_plan,
        help="Options from a TOML file or an earlier run; those given here win.",
    ),
    click.option("--save-plan", type=FILE, metavar="FILE", help="Write the plan as TOML."),
    click.option("--dry-run", is_flag=True, help="Print the blocks and how long they take; run nothing."),
    click.option(
        "--out", type=FILE, metavar="DIR", help="Folder of this run; results/NAME if unset."
    ),
    click.option("--name", type=WORDS, help="Name of this run; the time of its start if unset."),
    click.option("--seed", type=int, help="Seed of the order of blocks; drawn and recorded if unset."),
    click.option(
        "--json", "as_json", is_flag=True, help="Print summary.json on standard output and nothing else there."
    ),
    click.option("--quiet", is_flag=True, help="Print nothing but errors."),
    click.option("--no-charts", is_flag=True, help="Draw nothing now; `loadgen report RUN` can do it later."),
    click.option("--yes", is_flag=True, help="Do not ask before loading a host that is not this machine."),
]  # fmt: skip

_RESUME: list[Decorator] = [click.option("--resume", type=FILE, metavar="RUN", help="Go on with an interrupted sweep.")]


def compare_options(command: Command) -> Command:
    """Give a command the options of a comparison."""
    return _decorate(command, _TARGET + _COMPARED + _pace(5, "2s", "500ms") + _REQUEST + _RUN)


def sweep_options(command: Command) -> Command:
    """Give a command the options of a sweep: the same, with lists where they make the grid."""
    return _decorate(command, _TARGET + _SWEPT + _pace(5, "1s", "200ms") + _REQUEST + _RUN + _RESUME)


def _decorate(command: Command, decorators: list[Decorator]) -> Command:
    for decorator in reversed(decorators):
        command = decorator(command)
    return command
