"""The options that say what is shown and saved of a run, and where, one row each, as in `options.py`."""

from __future__ import annotations

from loadgen.model.file_value_types import FilePath, Folders
from loadgen.model.option import COMPARE, DIFF, HISTORY, LOCUSTS_OWN, PROBE, REPORT, SWEEP, LocustArgument, Option
from loadgen.model.value_types import Flag, ValueType, Words

_RUN_NAME = "--run-name NAME"
_WHEN_OVER = "write loadgen report RUN --baseline DIR when the run is over"

OUTPUT_OPTIONS: tuple[Option, ...] = (
    Option(
        name="out", type=FilePath(), is_implicit=True, metavar="DIR", commands=(COMPARE, SWEEP, DIFF, HISTORY),
        help="Folder of this run; results/NAME if unset.", not_in_locust=f"write --results DIR and {_RUN_NAME}",
        differs={
            DIFF: {"help": "Write diff.json, diff.md, diff.html and the chart into this folder; nowhere if unset."},
            HISTORY: {"help": "Draw history.html and the chart into this folder; that of the runs if unset."},
        },
    ),
    Option(
        name="name", type=Words(), is_implicit=True, help="Name of this run; the time of its start if unset.",
        not_in_locust=f"write {_RUN_NAME}",
    ),
    Option(
        name="json", type=Flag(), default=False, commands=(COMPARE, SWEEP, REPORT, PROBE, DIFF, HISTORY),
        help="Print summary.json on standard output and nothing else there.", not_in_locust=LOCUSTS_OWN,
        differs={
            PROBE: {"help": "Print the audit as JSON on standard output and nothing else there."},
            DIFF: {"help": "Print diff.json on standard output and nothing else there."},
            HISTORY: {"help": "Print the history as JSON on standard output and nothing else there."},
        },
    ),
    Option(
        name="quiet", type=Flag(), default=False, commands=(COMPARE, SWEEP, REPORT, PROBE, DIFF, HISTORY),
        help="Print nothing but errors.", not_in_locust="write --only-summary or --loglevel ERROR",
    ),
    Option(
        name="no_charts", type=Flag(), default=False, commands=(COMPARE, SWEEP, DIFF, HISTORY),
        help="Draw nothing now; `loadgen report RUN` can do it later.",
        not_in_locust="a run in Locust has its charts drawn beside it, in a process of their own",
        differs={DIFF: {"help": "With --out: draw nothing."}, HISTORY: {"help": "Draw nothing."}},
    ),
    Option(
        name="markdown", type=Flag(), default=False, commands=(PROBE, DIFF, HISTORY),
        help="Print the audit as Markdown, for an issue.",
        differs={
            DIFF: {"help": "Print the diff as Markdown, for a pull request."},
            HISTORY: {"help": "Print the history as Markdown."},
        },
    ),
    Option(
        name="html", type=FilePath(), is_implicit=True, commands=(PROBE, DIFF), metavar="FILE",
        help="Write the audit as a page, with a picture of its connections.",
        differs={DIFF: {"help": "Write the diff as a page with charts, which needs no other file."}},
    ),
    Option(
        name="baseline", type=Folders(), default=(), commands=(COMPARE, SWEEP, REPORT), metavar="DIR",
        help="Say what changed since this earlier run, as `loadgen diff` does; repeat for several.",
        not_in_locust=_WHEN_OVER,
    ),
    Option(
        name="force", type=Flag(), default=False, commands=(COMPARE, SWEEP, REPORT, DIFF),
        help="With --baseline: compare with unlike runs all the same.", not_in_locust=_WHEN_OVER,
        differs={DIFF: {
            "help": "Compare runs with unlike plans or environments all the same; what differs is said."
        }},
    ),
    Option(
        name="results", type=ValueType(), default="results", commands=(), help="Folder in which each run gets a folder",
        locust=LocustArgument(in_form=False),
    ),
    Option(
        name="run_name", type=ValueType(), default="", commands=(),
        help="Name of the run's folder; the time of its start", locust=LocustArgument(),
    ),
)  # fmt: skip
