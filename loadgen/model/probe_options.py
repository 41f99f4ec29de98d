"""The options that `loadgen probe` alone has, one row each, as in `options.py`."""

from __future__ import annotations

from loadgen.model.option import PROBE, Option, OptionGroup
from loadgen.model.plan_value_types import Url
from loadgen.model.units import NS_PER_MS
from loadgen.model.value_types import Duration, Flag, ListOf, Whole, Words

PROBE_OPTIONS: tuple[Option, ...] = (
    Option(
        name="idle_max", group=OptionGroup.CONNECTIONS, type=Duration(100 * NS_PER_MS), is_implicit=True,
        commands=(PROBE,), metavar="T", help="How long idle connections are watched; 80s if unset, 8s without URL.",
    ),
    Option(
        name="max_requests", group=OptionGroup.CONNECTIONS, type=Whole(2, 1_000_000), default=1_050, commands=(PROBE,),
        metavar="N", help="Most requests that are tried on one connection.",
    ),
    Option(
        name="only", group=OptionGroup.CONNECTIONS, type=ListOf(Words()), is_implicit=True, commands=(PROBE,),
        metavar="NAME,...", help="Checks, or groups of them, to run, and those that they need; --list names all.",
    ),
    Option(
        name="skip", group=OptionGroup.CONNECTIONS, type=ListOf(Words()), is_implicit=True, commands=(PROBE,),
        metavar="NAME,...", help="Checks, or groups of them, not to run, unless others need them.",
    ),
    Option(
        name="list", group=OptionGroup.CONNECTIONS, type=Flag(), default=False, commands=(PROBE,),
        help="List the checks; ask nothing.",
    ),
    Option(
        name="origin", group=OptionGroup.TARGET, type=Url(), is_implicit=True, commands=(PROBE,), metavar="URL",
        help="The server behind the target, reached by itself: the chain is measured and tried.",
    ),
    Option(
        name="chain_gap", group=OptionGroup.CONNECTIONS, type=Duration(NS_PER_MS), is_implicit=True, commands=(PROBE,),
        metavar="T",
        help="Mean gap between requests for which losses in the chain are predicted and counted; "
        "the origin's idle timeout if unset.",
    ),
    Option(
        name="strict", type=Flag(), default=False, commands=(PROBE,), help="Exit with 1 where a violation is found.",
    ),
)  # fmt: skip
