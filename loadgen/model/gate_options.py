"""The options that say when a run fails, one row each, as in `options.py`."""

from __future__ import annotations

from loadgen.model.option import COMPARE, DIFF, PROBE, REPORT, SWEEP, LocustArgument, Option
from loadgen.model.plan_value_types import Gates
from loadgen.model.value_types import Percent

GATE_OPTIONS: tuple[Option, ...] = (
    Option(
        name="fail_if", type=Gates(), plan_field="fail_if", default=(), metavar="'EXPR'",
        commands=(COMPARE, SWEEP, REPORT, PROBE, DIFF),
        help="Exit with 1 where this holds, like 'close.latency_ms.p99 > 50'; may be repeated (docs/gates.md).",
        differs={
            PROBE: {
                "help": "Exit with 1 where this holds, like 'idle_timeout.timeout < 60s'; may be repeated "
                "(docs/gates.md)."
            },
            DIFF: {
                "help": "Exit with 1 where this holds, like 'latency.mean.ratio.ci95.low > 1.05'; may be repeated "
                "(docs/gates.md)."
            },
        },
        locust=LocustArgument(),
    ),
    Option(
        name="max_errors", type=Percent(0.0, 1.0), plan_field="max_errors", is_implicit=True, metavar="PERCENT",
        commands=(COMPARE, SWEEP, REPORT),
        help="Exit with 1 where more of a policy's requests than this fail, like 1%.",
        locust=LocustArgument(default=""),
    ),
)  # fmt: skip
