"""The metrics of a run, whatever format they leave in: one table. Base units and names by Prometheus' convention.

A counter's samples end in `_total`, a unit ends the name, and what differs is a label. Knows no format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from loadgen.model.policy_summary import PolicySummary
from loadgen.model.summary import ComparisonSummary, Summary
from loadgen.model.units import NS_PER_S
from loadgen.show.formatting import target_text

Labels = dict[str, str]
_BOUNDS = ("low", "high")


class MetricKind(Enum):
    """What a family is."""

    COUNTER = "counter"
    GAUGE = "gauge"
    SUMMARY = "summary"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Point:
    """One value."""

    labels: Labels
    value: float
    suffix: str = ""
    """Of a summary: `_sum` or `_count`, empty for a quantile."""


@dataclass(frozen=True, slots=True)
class Family:
    """All values of one name."""

    name: str
    """Without `loadgen_`, and without the `_total` of a counter and the `_info` of an info."""
    kind: MetricKind
    unit: str
    """`seconds`, `ratio`, `bytes`; empty for a plain number. It ends the name."""
    help: str
    points: list[Point] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _OfPolicy:
    """A row of the table: a family, and its values of one policy."""

    name: str
    kind: MetricKind
    unit: str
    help: str
    points: Callable[[PolicySummary], Iterator[Point]]


def _one(value: float | None, **labels: str) -> Iterator[Point]:
    """A value, if it is known."""
    if value is not None:
        yield Point(labels, value)


def _each(label: str, values: dict[str, int]) -> Iterator[Point]:
    for key, value in values.items():
        yield Point({label: key}, value)


def _bounds(intervals: Mapping[str, Sequence[float] | None], unit: int = 1) -> Iterator[Point]:
    """Both ends of each interval that is known, by statistic."""
    for statistic, interval in intervals.items():
        for bound, value in zip(_BOUNDS, interval or (), strict=False):
            yield Point({"statistic": statistic, "bound": bound}, value / unit)


def _latency(policy: PolicySummary) -> Iterator[Point]:
    """As a summary; the sum is the mean times the number of requests."""
    latency, requests = policy["latency_ns"], policy["requests"]
    if latency["mean"] is None:
        return
    known = {"0.5": latency["p50"], "0.9": latency["p90"], "0.99": latency["p99"], "0.999": latency["p99_9"]}
    for quantile, value in known.items():
        if value is not None:
            yield Point({"quantile": quantile}, value / NS_PER_S)
    yield Point({}, latency["mean"] * requests / NS_PER_S, "_sum")
    yield Point({}, requests, "_count")


def _latency_bounds(policy: PolicySummary) -> Iterator[Point]:
    latency = policy["latency_ns"]
    intervals = {"mean": latency["mean_ci95"], "p50": latency["p50_ci95"], "p99": latency["p99_ci95"]}
    return _bounds(intervals, NS_PER_S)


def _phases(policy: PolicySummary) -> Iterator[Point]:
    for name, phase in policy["phases_ns"].items():
        if phase["mean"] is None:
            continue
        for quantile, value in (("0.5", phase["p50"]), ("0.99", phase["p99"])):
            if value is not None:
                yield Point({"phase": name, "quantile": quantile}, value / NS_PER_S)
        yield Point({"phase": name}, phase["mean"] * phase["count"] / NS_PER_S, "_sum")
        yield Point({"phase": name}, phase["count"], "_count")


def _handshakes(policy: PolicySummary) -> Iterator[Point]:
    connections = policy["connections"]
    yield Point({"kind": "full"}, connections["tls_full"])
    yield Point({"kind": "resumed"}, connections["tls_resumed"])


def _closed(policy: PolicySummary) -> Iterator[Point]:
    closed_by = policy["connections"]["closed_by"]
    yield Point({"by": "client"}, closed_by["client"])
    yield Point({"by": "server"}, closed_by["server"])


_COUNTER, _GAUGE, _SUMMARY = MetricKind.COUNTER, MetricKind.GAUGE, MetricKind.SUMMARY
_OF_POLICY = (
    _OfPolicy("requests", _COUNTER, "", "Completed requests of measured windows.", lambda one: _one(one["requests"])),
    _OfPolicy("errors", _COUNTER, "", "Failed requests, by kind.", lambda one: _each("kind", one["errors"])),
    _OfPolicy("responses", _COUNTER, "", "Responses, by status code.", lambda one: _each("code", one["statuses"])),
    _OfPolicy("request_latency_seconds", _SUMMARY, "seconds", "Latency: the sum of the phases.", _latency),
    _OfPolicy("request_latency_ci95_seconds", _GAUGE, "seconds", "95 % interval of the latency.", _latency_bounds),
    _OfPolicy("phase_duration_seconds", _SUMMARY, "seconds", "Phases of requests in which they happened.", _phases),
    _OfPolicy(
        "throughput_requests_per_second", _GAUGE, "", "Answers per second.", lambda one: _one(one["throughput_rps"])
    ),
    _OfPolicy("measured_seconds", _GAUGE, "seconds", "Length of measured windows.", lambda one: _one(one["seconds"])),
    _OfPolicy(
        "connections_opened", _COUNTER, "", "Connections opened, warm-up included.",
        lambda one: _one(one["connections"]["opened"]),
    ),
    _OfPolicy("connections_closed", _COUNTER, "", "Connections, by the side that ended them first.", _closed),
    _OfPolicy("tls_handshakes", _COUNTER, "", "TLS handshakes: full and resumed.", _handshakes),
    _OfPolicy(
        "connection_reuse_ratio", _GAUGE, "ratio", "Share of requests that were not the first on their connection.",
        lambda one: _one(one["connections"]["reuse_ratio"]),
    ),
    _OfPolicy(
        "generator_cpu_ratio", _GAUGE, "ratio", "CPU time of the generator per time; 1 is a core.",
        lambda one: _one(one["generator"]["cpu_share"]),
    ),
    _OfPolicy(
        "generator_resident_memory_bytes", _GAUGE, "bytes", "Memory of the workers.",
        lambda one: _one(one["generator"]["rss_bytes"]),
    ),
)  # fmt: skip


def families(summary: Summary) -> list[Family]:
    """All metrics of a run but empty ones.

    They are labelled by `policy`, of several targets by `target` too, or by `baseline` and `candidate`.
    """
    found = [Family("run", MetricKind.INFO, "", "The run; always 1.", [Point(_about(summary), 1)])]
    for row in _OF_POLICY:
        points = [
            Point({**_of_policy(name, policy), **point.labels}, point.value, point.suffix)
            for name, policy in summary["policies"].items()
            for point in row.points(policy)
        ]
        found.append(Family(row.name, row.kind, row.unit, row.help, points))
    pairs = summary["comparisons"]
    ratios, bounds = [*_of_pairs(pairs, _ratios)], [*_of_pairs(pairs, _ratio_bounds)]
    found += [
        Family("latency_ratio", _GAUGE, "ratio", "Latency, candidate / baseline.", ratios),
        Family("latency_ci95_ratio", _GAUGE, "ratio", "95 % interval of that ratio.", bounds),
        Family("gate_passed", _GAUGE, "", "Gates: 1 if passed, else 0.", _gates(summary)),
        Family("warnings", _GAUGE, "", "Warnings of the run.", [Point({}, len(summary["warnings"]))]),
    ]  # fmt: skip
    return [family for family in found if family.points]


def _gates(summary: Summary) -> list[Point]:
    return [Point({"gate": one["expression"]}, int(one["passed"])) for one in summary.get("gates", ())]


def _about(summary: Summary) -> Labels:
    """What tells a run from others; a plan's URL holds no credentials."""
    version = summary["environment"]["loadgen"]
    return {"run": summary["run"], "url": target_text(summary["plan"]), "version": version}


def _of_policy(name: str, policy: PolicySummary) -> Labels:
    """Its name as the summary has it, and that of its target where several took turns."""
    return {"policy": name} | ({"target": policy["target"]} if "target" in policy else {})


def _of_pairs(
    pairs: list[ComparisonSummary], points: Callable[[ComparisonSummary], Iterator[Point]]
) -> Iterator[Point]:
    for pair in pairs:
        for point in points(pair):
            yield Point({"baseline": pair["baseline"], "candidate": pair["candidate"], **point.labels}, point.value)


def _ratios(pair: ComparisonSummary) -> Iterator[Point]:
    yield Point({"statistic": "mean"}, pair["latency_mean_ratio"])
    yield Point({"statistic": "p50"}, pair["latency_p50_ratio"])
    yield Point({"statistic": "p99"}, pair["latency_p99_ratio"])


def _ratio_bounds(pair: ComparisonSummary) -> Iterator[Point]:
    return _bounds(
        {
            "mean": pair["latency_mean_ratio_ci95"],
            "p50": pair["latency_p50_ratio_ci95"],
            "p99": pair["latency_p99_ratio_ci95"],
        }
    )
