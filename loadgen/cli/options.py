"""Option types of the command line and how options become a Plan. Opens no connection."""

from __future__ import annotations

import os
import resource
import secrets
from pathlib import Path
from typing import Any

import click

from loadgen.model.errors import PlanError
from loadgen.model.plan import Load, Plan, parse_header
from loadgen.model.policy import parse_policies
from loadgen.model.target import Target
from loadgen.model.units import parse_duration_ns

# Besides one for each user: standard streams, the loop, row files, libraries, and connections that linger.
_DESCRIPTORS_OF_OUR_OWN = 64 + 256
_LONGEST_DATA_BYTES = 64 << 20


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


DURATION = Duration()


def build_plan(target: Target, options: dict[str, Any]) -> Plan:
    """The plan that `compare`'s options describe. Raises PlanError."""
    body = _read_data(options["data"])
    cacert = options["cacert"]
    if cacert is not None:
        _readable(Path(cacert), "--cacert")
        cacert = str(Path(cacert).resolve())
    return Plan(
        target=target,
        policies=parse_policies(options["policies"]),
        load=Load(
            users=options["users"],
            rounds=options["rounds"],
            block_ns=options["block"],
            warmup_ns=options["warmup"],
            think_ns=options["think"],
            timeout_ns=options["timeout"],
        ),
        method=(options["method"] or ("POST" if options["data"] is not None else "GET")).upper(),
        headers=tuple(parse_header(line) for line in options["header"]),
        body=body,
        cacert=cacert,
        insecure=options["insecure"],
        max_body_bytes=options["max_body"],
        seed=secrets.randbelow(1 << 31) if options["seed"] is None else options["seed"],
    )


def raise_descriptor_limit(users: int) -> None:
    """Raise the soft limit of file descriptors as far as `users` connections need. Raises PlanError."""
    needed = users + _DESCRIPTORS_OF_OUR_OWN
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise PlanError(
            f"--users {users} needs {needed} file descriptors, the hard limit is {hard}; raise it with ulimit -Hn"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _read_data(data: str | None) -> bytes:
    if data is None:
        return b""
    if not data.startswith("@"):
        return os.fsencode(data)
    path = Path(data[1:])
    _readable(path, "--data")
    with path.open("rb") as file:
        body = file.read(_LONGEST_DATA_BYTES + 1)
    if len(body) > _LONGEST_DATA_BYTES:
        raise PlanError(f"--data {path} is longer than {_LONGEST_DATA_BYTES >> 20} MiB")
    return body


def _readable(path: Path, option: str) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise PlanError(f"{option} {path}: {error.strerror}") from None
