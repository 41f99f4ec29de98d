"""The options that say how long a run is: rounds, blocks, requests, precision. Knows no plan."""

from __future__ import annotations

from loadgen.model.option import COMPARE, PROBE, SWEEP, LocustArgument, Option, OptionGroup
from loadgen.model.units import NS_PER_MS
from loadgen.model.value_types import Duration, OptionalWhole, Percent, Whole

MAX_ROUNDS = 10_000
MAX_REQUESTS = 1_000_000_000_000
_BY_TIME = "a run in Locust ends by time, so write -t 60s"

LENGTH_OPTIONS = (
    Option(
        name="rounds", group=OptionGroup.LOAD, type=Whole(1, MAX_ROUNDS), plan_field="load.rounds", default=5,
        is_implicit=True, help="Rounds, each of which runs every policy once; 5 if unset.", not_in_locust=_BY_TIME,
    ),
    Option(
        name="block", group=OptionGroup.LOAD, type=Duration(10 * NS_PER_MS), plan_field="load.block_ns", default="2s",
        is_implicit=True, help="Length of one policy's turn, with --requests its longest time; 2s if unset.",
        differs={SWEEP: {
            "default": "1s", "help": "Length of one policy's turn, with --requests its longest time; 1s if unset.",
        }},
        locust=LocustArgument(help="Length of one policy's turn"),
    ),
    Option(
        name="duration", group=OptionGroup.LOAD, short="-z", type=Duration(10 * NS_PER_MS), is_implicit=True,
        metavar="T",
        help="Length of the whole load: as many rounds of --block as fit, or the length of a block of --rounds.",
        not_in_locust=_BY_TIME,
    ),
    Option(
        name="requests", group=OptionGroup.LOAD, short="-n", type=OptionalWhole(1, MAX_REQUESTS),
        plan_field="load.requests", is_implicit=True, metavar="N",
        help="Measure exactly N requests of each policy, spread over the rounds; those of the warm-up are not counted.",
        not_in_locust=_BY_TIME,
    ),
    Option(
        name="until_precision", group=OptionGroup.STATISTICS, type=Percent(0.0001, 1.0), plan_field="until_precision",
        is_implicit=True, commands=(COMPARE,), metavar="PERCENT", needed_for="a run that ends once it is precise",
        help="Go on after --rounds until the ratio of each comparison is known within this, like 2%.",
        not_in_locust=_BY_TIME,
    ),
    Option(
        name="max_time", group=OptionGroup.LOAD, type=Duration(10 * NS_PER_MS), plan_field="max_time_ns", default="5m",
        is_implicit=True, commands=(COMPARE, PROBE), needs="until_precision", metavar="T",
        help="With --until-precision: longest time of the whole load; 5m if unset.", not_in_locust=_BY_TIME,
        differs={PROBE: {"needs": "", "default": "120s", "is_implicit": False, "help": "The audit ends by then."}},
    ),
    Option(
        name="warmup", group=OptionGroup.LOAD, type=Duration(None), plan_field="load.warmup_ns", default="500ms",
        is_implicit=True, help="Uncounted first part of a block; 500ms if unset, but at most half of the block.",
        differs={SWEEP: {
            "default": "200ms",
            "help": "Uncounted first part of a block; 200ms if unset, but at most half of the block.",
        }},
        locust=LocustArgument(
            help="Uncounted first part of a block; empty: 500ms, but at most half of the block", default=""
        ),
    ),
)  # fmt: skip
