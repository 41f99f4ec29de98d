"""A run's metrics as an OTLP request in JSON (opentelemetry-proto, `ExportMetricsServiceRequest`). Sends nothing.

Latencies are an exponential histogram, `http.client.request.duration` of the semantic conventions, which is as fine
for microseconds as for seconds. The other metrics are those of metric_families, named `loadgen.NAME` without its unit.
Whole numbers of 64 bits are texts, as OTLP's JSON has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.measure.data.rows import Samples
from loadgen.model.plan_record import PlanRecord
from loadgen.model.records import ABSENT
from loadgen.model.summary import Summary
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_S
from loadgen.show.export.exporter import RunData
from loadgen.show.export.metric_families import Family, MetricKind, Point, families
from loadgen.show.formatting import url_of

SCALE = 5
"""Buckets are 2 % wide: each is 2^(1/32) times the one before."""
_CUMULATIVE = 2
_UNITS = {"seconds": "s", "ratio": "1", "bytes": "By", "": "1"}
OtlpJson = dict[str, Any]


def request_of(run: RunData) -> OtlpJson:
    """The whole request. Its time is that at which the load had lasted as long as its measured windows."""
    summary = run.summary
    version = summary["environment"]["loadgen"]
    resource = {"service.name": "loadgen", "service.version": version, "service.instance.id": summary["run"]}
    begun_ns = int(datetime.fromisoformat(summary["environment"]["started"]).timestamp()) * NS_PER_S
    lasted_ns = round(sum(block["seconds"] for block in summary["blocks"]) * NS_PER_S)
    times = {"startTimeUnixNano": str(begun_ns), "timeUnixNano": str(begun_ns + lasted_ns)}
    metrics = [_metric(family, times) for family in families(summary)]
    if run.samples is not None:
        metrics.append(_durations(run.samples, summary, times))
    scope = {"name": "loadgen", "version": version}
    return {
        "resourceMetrics": [
            {
                "resource": {"attributes": _attributes(resource)},
                "scopeMetrics": [{"scope": scope, "metrics": metrics}],
            }
        ]
    }


def _metric(family: Family, times: OtlpJson) -> OtlpJson:
    name = family.name.removesuffix(f"_{family.unit}") if family.unit else family.name
    about = {"name": f"loadgen.{name}", "description": family.help, "unit": _UNITS[family.unit]}
    if family.kind is MetricKind.SUMMARY:
        return {**about, "summary": {"dataPoints": list(_summaries(family, times))}}
    points = [{**times, "attributes": _labels(one.labels), "asDouble": one.value} for one in family.points]
    if family.kind is MetricKind.COUNTER:
        return {**about, "sum": {"aggregationTemporality": _CUMULATIVE, "isMonotonic": True, "dataPoints": points}}
    return {**about, "gauge": {"dataPoints": points}}


def _summaries(family: Family, times: OtlpJson) -> Iterator[OtlpJson]:
    """A data point for all points that differ in their quantile alone."""
    groups: dict[tuple[tuple[str, str], ...], list[Point]] = {}
    for point in family.points:
        key = tuple((name, value) for name, value in point.labels.items() if name != "quantile")
        groups.setdefault(key, []).append(point)
    for key, points in groups.items():
        values = {one.suffix: one.value for one in points}
        quantiles = [
            {"quantile": float(one.labels["quantile"]), "value": one.value} for one in points if not one.suffix
        ]
        yield {
            **times,
            "attributes": _labels(dict(key)),
            "count": str(int(values["_count"])),
            "sum": values["_sum"],
            "quantileValues": quantiles,
        }


def _durations(samples: Samples, summary: Summary, times: OtlpJson) -> OtlpJson:
    """Latencies of complete requests, by policy and status code; of several requests each by its method and server."""
    plan = summary["plan"]
    complete = samples.of(samples.columns["error"] == ABSENT)
    latency_s, request_of = complete.latency_ns() / NS_PER_S, complete.columns["request"]
    points = []
    for number, policy in enumerate(samples.policies):
        of_policy = complete.columns["policy"] == number
        one = summary["policies"][policy]
        named = {"loadgen.policy": policy} | ({"loadgen.target": one["target"]} if "target" in one else {})
        for sent, places in _sent(plan, url_of(plan, one)).items():
            of_sent = of_policy & np.isin(request_of, places)
            for status in np.unique(complete.columns["status"][of_sent]).tolist():
                chosen = latency_s[of_sent & (complete.columns["status"] == status)]
                labels = {**dict(sent), "http.response.status_code": status, **named}
                points.append({**times, "attributes": _attributes(labels), **_histogram(chosen)})
    return {
        "name": "http.client.request.duration",
        "description": "Latency of complete requests.",
        "unit": "s",
        "exponentialHistogram": {"aggregationTemporality": _CUMULATIVE, "dataPoints": points},
    }


def _sent(plan: PlanRecord, url: str) -> dict[tuple[tuple[str, str | int], ...], list[int]]:
    """Method and server of requests, with the places in the plan of those that have them; -1 where there is one."""
    of_all = (plan["method"], url, ABSENT)
    each = [(one["method"] or plan["method"], one["origin"], at) for at, one in enumerate(plan.get("urls", ()))]
    found: dict[tuple[tuple[str, str | int], ...], list[int]] = {}
    for method, origin, place in (*each, of_all):
        target = parse_target(f"{origin}/" if origin and place != ABSENT else url)
        key = ("http.request.method", method), ("server.address", target.host), ("server.port", target.port)
        found.setdefault(key, []).append(place)
    return found


def _histogram(values: NDArray[np.float64]) -> OtlpJson:
    """Bucket i holds values above base^i up to base^(i + 1); base is 2^(2^-SCALE)."""
    positive = values[values > 0]
    found: OtlpJson = {"count": str(len(values)), "sum": float(values.sum()), "scale": SCALE}
    found["zeroCount"] = str(len(values) - len(positive))
    if len(positive):
        index = np.ceil(np.log2(positive) * (1 << SCALE)).astype(np.int64) - 1
        first = int(np.min(index))
        counts = [str(one) for one in np.bincount(index - first).tolist()]
        found |= {"positive": {"offset": first, "bucketCounts": counts}}
        found |= {"min": float(np.min(values)), "max": float(np.max(values))}
    return found


def _labels(labels: dict[str, str]) -> list[OtlpJson]:
    return _attributes({f"loadgen.{name}": value for name, value in labels.items()})


def _attributes(values: dict[str, Any]) -> list[OtlpJson]:
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in values.items()
    ]
