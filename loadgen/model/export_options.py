"""The options for other programs that read a run, one row each, as in `options.py`."""

from __future__ import annotations

from loadgen.model.option import COMPARE, REPORT, SWEEP, LocustArgument, Option, OptionGroup
from loadgen.model.value_types import RepeatedWords, Whole

EXPORT_OPTIONS: tuple[Option, ...] = (
    Option(
        name="export", group=OptionGroup.OUTPUT, type=RepeatedWords(), default=(), metavar="FORMAT[=PATH]",
        commands=(COMPARE, SWEEP, REPORT), locust=LocustArgument(),
        help="Write the run in a format too, to its file in the run's folder, to PATH or to - (standard output): json, "
        "html, markdown, csv, parquet, ndjson, hdr, prometheus, openmetrics, otlp, junit, github; may "
        "be repeated (docs/exports.md).",
    ),
    Option(
        name="metrics_port", group=OptionGroup.OUTPUT, type=Whole(1, 65_535), is_implicit=True, metavar="PORT",
        help="Serve the run's counts so far to Prometheus, on this port of 127.0.0.1.",
        not_in_locust="the web UI serves loadgen/exports/prometheus",
    ),
)  # fmt: skip
