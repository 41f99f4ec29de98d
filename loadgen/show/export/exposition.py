"""Metrics as text that Prometheus scrapes: its own format, and OpenMetrics 1.0, which differ in a few lines."""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.model.summary import Summary
from loadgen.show.export.metric_families import Family, MetricKind, Point, families

_ENDINGS = {MetricKind.COUNTER: "_total", MetricKind.INFO: "_info"}
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def exposition(summary: Summary, *, is_open_metrics: bool) -> Iterator[str]:
    """The lines, each with its end."""
    for family in families(summary):
        yield from _family(family, is_open_metrics)
    if is_open_metrics:
        yield "# EOF\n"


def _family(family: Family, is_open_metrics: bool) -> Iterator[str]:
    name = f"loadgen_{family.name}"
    sample = name + _ENDINGS.get(family.kind, "")
    # OpenMetrics names the family without that ending, and Prometheus knows no info.
    of_family = name if is_open_metrics else sample
    kind = MetricKind.GAUGE if family.kind is MetricKind.INFO and not is_open_metrics else family.kind
    yield f"# HELP {of_family} {_escaped(family.help)}\n"
    yield f"# TYPE {of_family} {kind.value}\n"
    if is_open_metrics and family.unit:
        yield f"# UNIT {of_family} {family.unit}\n"
    for point in family.points:
        # Whole numbers as they are; others so that reading gives the same.
        yield f"{sample}{point.suffix}{_labels(point)} {point.value!r}\n"


def _labels(point: Point) -> str:
    if not point.labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in point.labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)
