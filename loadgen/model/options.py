"""Every option of loadgen, one row each. The commands, plan files, recorded runs and Locust's arguments follow from it.

A new option is a row here, and the field of Plan (or the code) that it is for. Knows no library of the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from loadgen.model.address_options import ADDRESS_OPTIONS
from loadgen.model.arrivals import ARRIVALS, CONSTANT
from loadgen.model.body_options import BODY_OPTIONS
from loadgen.model.exceptions import PlanError
from loadgen.model.export_options import EXPORT_OPTIONS
from loadgen.model.file_value_types import FileName, FilePath
from loadgen.model.gate_options import GATE_OPTIONS
from loadgen.model.length_options import LENGTH_OPTIONS
from loadgen.model.option import (
    COMPARE,
    LOCUSTS_OWN,
    PROBE,
    SWEEP,
    TO_TARGET,
    LocustArgument,
    Option,
    OptionGroup,
)
from loadgen.model.output_options import OUTPUT_OPTIONS
from loadgen.model.plan_value_types import (
    Address,
    Body,
    Certificates,
    Credentials,
    Header,
    Method,
    Policies,
)
from loadgen.model.probe_options import PROBE_OPTIONS
from loadgen.model.proxy_options import PROXY_OPTIONS
from loadgen.model.target_options import TARGET_OPTIONS
from loadgen.model.template_options import TEMPLATE_OPTIONS
from loadgen.model.tls_options import TLS_OPTIONS
from loadgen.model.units import NS_PER_MS
from loadgen.model.value_types import (
    Amount,
    Choice,
    Duration,
    Flag,
    Gap,
    OptionalWhole,
    Percent,
    Rate,
    ValueType,
    Whole,
)

MAX_SIZE_BYTES = 1 << 30
"""The longest response that the embedded target is asked for."""
_USERS = "Locust starts users, who wait for their responses"
_SOME_POLICIES = "persistent, close, recycle:K, lifetime:T, gap:T, pool:N, h2 ... (all: `loadgen policies`)"


OPTIONS: tuple[Option, ...] = (
    *TARGET_OPTIONS,
    Option(
        name="policies", group=OptionGroup.CONNECTIONS, type=Policies(), plan_field="policies", is_needed=True,
        default="persistent,close", help=f"Connection policies, separated by commas: {_SOME_POLICIES}.",
        differs={SWEEP: {
            "is_implicit": True,
            "help": f"Connection policies, separated by commas: {_SOME_POLICIES}; persistent,close unless --recycle "
            "or --gap make them.",
        }},
        locust=LocustArgument(help="Connection policies that users alternate between"),
    ),
    Option(
        name="path", group=OptionGroup.TARGET, type=ValueType(), default="/", commands=(),
        help="Path of the request that SwarmUsers send", locust=LocustArgument(),
    ),
    Option(
        name="users", group=OptionGroup.LOAD, short="-c", type=Whole(1, 1_000_000), plan_field="load.users",
        is_axis=True, default=50, is_implicit=True,
        help="Closed-loop clients at the same time. Without --users, --rate and --think a short pilot chooses users "
        "and think time; 50 where --think alone is given.", not_in_locust=LOCUSTS_OWN,
        differs={SWEEP: {"default": "10", "is_implicit": False, "metavar": "N,...", "help": "Numbers of users."}},
    ),
    Option(
        name="rate", group=OptionGroup.LOAD, short="-R", type=Rate(), plan_field="load.rate_rps", is_axis=True,
        default=0.0, is_implicit=True, metavar="R", needed_for="arrivals at a fixed rate",
        help="Open loop: R arrivals per second instead of users.", not_in_locust=_USERS,
        differs={SWEEP: {"metavar": "R,...", "help": "Open loop: arrivals per second."}},
    ),
    Option(
        name="processes", group=OptionGroup.LOAD, type=Whole(1, 256), plan_field="processes", default=1,
        commands=(COMPARE,), help="Worker processes that share the load.", not_in_locust=LOCUSTS_OWN,
    ),
    Option(
        name="recycle", group=OptionGroup.CONNECTIONS, type=Amount(), is_axis=True, is_implicit=True, commands=(SWEEP,),
        metavar="K,...", help="Requests per connection; inf for all.",
    ),
    Option(
        name="gap", group=OptionGroup.CONNECTIONS, type=Gap(), is_axis=True, is_implicit=True, commands=(SWEEP,),
        metavar="T,...", renamed="idle", help="Gaps before a connection is used again.",
    ),
    Option(
        name="size", group=OptionGroup.TARGET, type=Whole(0, MAX_SIZE_BYTES), is_axis=True, is_implicit=True,
        commands=(SWEEP,), metavar="BYTES,...", help="Response sizes, put in place of {size} in the URL.",
    ),
    *LENGTH_OPTIONS,
    Option(
        name="arrivals", group=OptionGroup.LOAD, type=Choice(*ARRIVALS), plan_field="load.arrivals", default=CONSTANT,
        is_implicit=True, needs="rate", help="With --rate: how arrivals are spaced; constant if unset.",
        not_in_locust=_USERS,
    ),
    Option(
        name="max_connections", group=OptionGroup.LOAD, type=Whole(1, 1_000_000), plan_field="load.max_connections",
        default=1_000, is_implicit=True, needs="rate", metavar="N",
        help="With --rate: most connections at the same time; 1000 if unset.", not_in_locust=_USERS,
    ),
    Option(
        name="think", group=OptionGroup.LOAD, type=Duration(), plan_field="load.think_ns", default="0s",
        is_implicit=True, help="Pause of a user between requests; none where --users alone is given.",
        differs={SWEEP: {"is_implicit": False, "help": "Pause of a user between requests."}},
        locust=LocustArgument(help="Pause of a user between requests", default="0s"),
    ),
    Option(
        name="method", group=OptionGroup.TARGET, type=Method(), plan_field="method", is_needed=True, default="GET",
        is_implicit=True, short="-X", help="Request method, any token; GET, or POST where --data is given.",
        locust=LocustArgument(
            help="Method of the request that SwarmUsers send; GET, or POST where there is a body", default=""
        ),
    ),
    Option(
        name="header", group=OptionGroup.TARGET, type=Header(), plan_field="headers", is_needed=True, default=(),
        short="-H", metavar="'K: V'",
        plural="headers", help="Header field to send; may be repeated.", locust=LocustArgument(),
        commands=TO_TARGET,
    ),
    Option(
        name="user", group=OptionGroup.TARGET, type=Credentials(), is_implicit=True, short="-u",
        metavar="USER:PASSWORD", commands=TO_TARGET, help="Basic credentials: the Authorization field made of them.",
        not_in_locust="there --user is short for --users; write --header 'Authorization: ...'",
    ),
    Option(
        name="data", group=OptionGroup.TARGET, type=Body(), plan_field="body", recorded="body_base64", is_needed=True,
        default=b"", is_implicit=True,
        metavar="TEXT|@FILE", help="Request body, or the WebSocket message, or the file that holds it.",
        locust=LocustArgument(help="Body of that request, or @FILE with it", default=""),
    ),
    *BODY_OPTIONS,
    *TEMPLATE_OPTIONS,
    Option(
        name="timeout", group=OptionGroup.TARGET, type=Duration(NS_PER_MS), plan_field="load.timeout_ns", default="10s",
        help="Deadline of each request, from when it has a connection.", locust=LocustArgument(), commands=TO_TARGET,
        differs={PROBE: {"default": "5s"}},
    ),
    Option(
        name="max_body", group=OptionGroup.TARGET, type=Whole(0, 1 << 40), plan_field="max_body_bytes", is_needed=True,
        default=64 << 20, help="Longest response body, or WebSocket message, in bytes.",
        locust=LocustArgument(),
    ),
    Option(
        name="retry_stale", group=OptionGroup.CONNECTIONS, type=Flag(), plan_field="retry_stale", default=False,
        help="Repeat a request once: an idempotent one that met a stale connection, an unprocessed stream of HTTP/2.",
        locust=LocustArgument(),
    ),
    Option(
        name="trailers", group=OptionGroup.CONNECTIONS, type=Flag(), plan_field="trailers", default=False,
        help="Ask for trailer sections: TE: trailers, named in Connection.", locust=LocustArgument(),
    ),
    Option(
        name="cookies", group=OptionGroup.CONNECTIONS, type=Flag(), plan_field="cookies", default=True,
        help="Each user keeps its cookies.", locust=LocustArgument(),
    ),
    Option(
        name="cacert", group=OptionGroup.TLS, type=Certificates("--cacert"), plan_field="cacert", is_needed=True,
        is_implicit=True, metavar="FILE",
        url_only="the embedded target has an authority of its own, trusted automatically",
        help="Trust only the authorities in this PEM file.", locust=LocustArgument(default=""), commands=TO_TARGET,
    ),
    Option(
        name="insecure", group=OptionGroup.TLS, type=Flag(), plan_field="insecure", is_needed=True, default=False,
        help="Do not verify certificates.", locust=LocustArgument(), commands=TO_TARGET,
    ),
    *TLS_OPTIONS,
    *PROXY_OPTIONS,
    Option(
        name="tls", group=OptionGroup.TARGET, type=Flag(), default=False,
        help="Without URL: the embedded target speaks https.",
        locust=LocustArgument(help="Without a host: the embedded target speaks https"), commands=TO_TARGET,
    ),
    Option(
        name="source_ip", group=OptionGroup.CONNECTIONS, type=Address(), plan_field="source_ips", default=(),
        metavar="ADDR", plural="source-ips", help="Connect from this address; repeat to take turns.",
        locust=LocustArgument(),
        commands=TO_TARGET,
    ),
    *ADDRESS_OPTIONS,
    Option(
        name="server_pid", group=OptionGroup.TARGET, type=OptionalWhole(), plan_field="server_pid", is_implicit=True,
        metavar="PID", url_only="the embedded target's own process is watched automatically",
        help="Server's process here: its CPU, memory and sockets.", locust=LocustArgument(),
    ),
    Option(
        name="equivalent", group=OptionGroup.STATISTICS, type=Percent(0.0001, 1.0), plan_field="equivalent",
        is_implicit=True, metavar="PERCENT",
        help="Say where mean latencies are shown to differ by less than this, like 2%.",
        locust=LocustArgument(default=""),
    ),
    *GATE_OPTIONS,
    Option(
        name="plan", group=OptionGroup.LOAD, type=FileName(), is_implicit=True, metavar="FILE|RUN", in_plan_file=False,
        help="Options from a TOML file or an earlier run; those given here win.",
        not_in_locust="write --config FILE, or set LOCUST_... variables",
    ),
    Option(
        name="save_plan", group=OptionGroup.LOAD, type=FilePath(), is_implicit=True, metavar="FILE", in_plan_file=False,
        help="Write the plan as TOML.", not_in_locust="the folder of each run holds its plan",
    ),
    Option(
        name="dry_run", group=OptionGroup.LOAD, type=Flag(), default=False, in_plan_file=False,
        help="Print the blocks and how long they take; run nothing.",
        not_in_locust="users may come and go, so there is no schedule to print",
    ),
    Option(
        name="seed", group=OptionGroup.LOAD, type=Whole(0), plan_field="seed", is_needed=True, default=0,
        is_implicit=True, help="Seed of the order of blocks; drawn and recorded if unset.",
        locust=LocustArgument(help="Seed of the order of blocks; drawn and recorded if unset"),
    ),
    Option(
        name="yes", group=OptionGroup.TARGET, type=Flag(), default=False, commands=TO_TARGET,
        help="Do not ask before loading a host that is not this machine.",
        differs={PROBE: {"help": "Do not ask before probing a host that is not this machine."}},
        not_in_locust="Locust does not ask",
    ),
    Option(
        name="probe", group=OptionGroup.CONNECTIONS, type=Flag(), default=False,
        help="Audit the target before the load, for up to 20 s: the findings explain warnings (see `loadgen probe`).",
        locust=LocustArgument(
            help="Audit the target before the load, for up to 20 s, which a web UI's run time includes: the findings "
            "explain warnings"
        ),
    ),
    Option(
        name="resume", group=OptionGroup.LOAD, type=FilePath(), is_implicit=True, commands=(SWEEP,), metavar="RUN",
        in_plan_file=False, help="Go on with an interrupted sweep.",
    ),
    *PROBE_OPTIONS,
    *OUTPUT_OPTIONS,
    *EXPORT_OPTIONS,
    Option(
        name="max_samples", group=OptionGroup.STATISTICS, type=Whole(1), plan_field="max_samples", default=3_000_000,
        metavar="N", renamed="most-samples",
        help="Requests whose rows are kept; of more a random share, with exact counts of all.",
        locust=LocustArgument(
            help="Samples that each worker sends and the run keeps; of more, a random share"
        ),
    ),
)  # fmt: skip


def option_named(name: str) -> Option:
    """The row. Raises KeyError."""
    for option in OPTIONS:
        if option.name == name:
            return option
    raise KeyError(name)


def check_needed(option: Option, values: Mapping[str, Any]) -> None:
    """Raise PlanError where the option was given without the one that it is for.

    values: of all options, None where one was not given. A plan file, and Locust, may have its default all the same.
    """
    if not option.needs or values.get(option.name) is None:
        return
    found = values.get(option.needs)
    if found is None or (found is False and values[option.name] != option.default_value()):
        needed = option_named(option.needs)
        raise PlanError(f"--{option.key} is for {needed.needed_for}; give --{needed.key} too")


def check_ranges(values: Any, part: str = "") -> None:
    """Raise PlanError, with one line that names the option, where a number is outside its option's range.

    values: a plan with all its parts, or with `part` what the plan calls so: its load.
    """
    owner = part and f"{part}."
    for option in OPTIONS:
        if option.plan_field and option.plan_field.startswith(owner):
            option.check_range(attrgetter(option.plan_field.removeprefix(owner))(values))


def default(name: str) -> Any:
    """What a plan has where nothing is said of an option."""
    return option_named(name).plan_default()


def default_warmup_ns(command: str, block_ns: int) -> int:
    """The command's own warm-up (ns), but at most half of a block: `--block 200ms` alone must work."""
    own_ns: int = option_named("warmup").of(command).plan_default()
    return min(own_ns, block_ns // 2)


def options_of(command: str) -> list[Option]:
    """The rows of a command, as it has them."""
    return [option.of(command) for option in OPTIONS if command in option.commands]
