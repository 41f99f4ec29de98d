"""OTLP, read back by OpenTelemetry's own messages; sent to a collector on this machine."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import numpy as np
import pytest

from loadgen.model.planned_request import PlannedRequest
from loadgen.show.export import EXPORTERS, RunData, export_text
from loadgen.show.export.otlp_metrics import SCALE, request_of
from tests.support.synthetic import full_run, summary_of


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunData:
    writer = full_run(tmp_path_factory.mktemp("run") / "run", rounds=2)
    samples = writer.settle()
    return RunData(summary_of(writer.store, samples), samples)  # type: ignore[arg-type] # of any keys


def parsed(text: str | bytes) -> Any:
    """The request as OpenTelemetry's message, which refuses a field that it does not know."""
    json_format = pytest.importorskip("google.protobuf.json_format")
    service = pytest.importorskip("opentelemetry.proto.collector.metrics.v1.metrics_service_pb2")
    return json_format.Parse(text, service.ExportMetricsServiceRequest())


def attributes(point: Any) -> dict[str, Any]:
    return {one.key: one.value.string_value or one.value.int_value for one in point.attributes}


def test_metrics_are_those_of_the_summary(run: RunData) -> None:
    (resource,) = parsed(export_text(EXPORTERS["otlp"], run)).resource_metrics
    assert attributes(resource.resource)["service.name"] == "loadgen"
    metrics = {metric.name: metric for metric in resource.scope_metrics[0].metrics}
    requests = {attributes(one)["loadgen.policy"]: one.as_double for one in metrics["loadgen.requests"].sum.data_points}
    assert requests == {name: one["requests"] for name, one in run.summary["policies"].items()}
    assert metrics["loadgen.requests"].sum.is_monotonic
    assert metrics["loadgen.measured"].unit == "s"
    (latency, _) = metrics["loadgen.request_latency"].summary.data_points
    assert latency.count == run.summary["policies"]["persistent"]["requests"]
    assert [one.quantile for one in latency.quantile_values] == [0.5, 0.9, 0.99, 0.999]
    assert 0 < latency.start_time_unix_nano < latency.time_unix_nano


def test_the_histogram_s_buckets_hold_the_latencies(run: RunData) -> None:
    assert run.samples is not None
    metrics = parsed(json.dumps(request_of(run))).resource_metrics[0].scope_metrics[0].metrics
    (durations,) = (one for one in metrics if one.name == "http.client.request.duration")
    latency_s = run.samples.latency_ns() / 1e9
    base = 2 ** (2**-SCALE)
    for point in durations.exponential_histogram.data_points:
        found = attributes(point)
        assert found["http.response.status_code"] == 200
        number = run.samples.policies.index(found["loadgen.policy"])
        mine = latency_s[run.samples.columns["policy"] == number]
        assert (point.count, point.scale, point.zero_count) == (len(mine), SCALE, 0)
        assert point.sum == pytest.approx(mine.sum())
        for place, number in enumerate(point.positive.bucket_counts):
            low, high = (math.pow(base, point.positive.offset + place + one) for one in (0, 1))
            assert number == np.count_nonzero((mine > low) & (mine <= high))


def test_each_of_several_requests_has_its_own_method_and_server(run: RunData) -> None:
    assert run.samples is not None
    requests = [PlannedRequest("a", "/a"), PlannedRequest("b", "/b", method="PUT", origin="http://other.test")]
    plan = run.summary["plan"] | {"urls": [one.record(secrets=False) for one in requests]}
    columns = run.samples.columns | {"request": np.arange(len(run.samples)) % 2}
    several = RunData(run.summary | {"plan": plan}, replace(run.samples, columns=columns))  # type: ignore[arg-type, typeddict-item] # a plan of any keys
    metrics = parsed(json.dumps(request_of(several))).resource_metrics[0].scope_metrics[0].metrics
    (durations,) = (one for one in metrics if one.name == "http.client.request.duration")
    counts: dict[tuple[Any, ...], int] = {}
    for point in durations.exponential_histogram.data_points:
        found = attributes(point)
        key = tuple(found[name] for name in ("http.request.method", "server.address", "server.port"))
        counts[key] = counts.get(key, 0) + point.count
    half = len(run.samples) // 2
    assert counts == {("GET", "127.0.0.1", 8080): half, ("PUT", "other.test", 80): half}


@contextmanager
def collector(status: int) -> Iterator[tuple[str, list[Any]]]:
    """A collector's URL, and the requests that it got."""
    got: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_collector_gets_them(run: RunData, monkeypatch: pytest.MonkeyPatch) -> None:
    send = EXPORTERS["otlp"].send
    assert send is not None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%3Db, x-other=c")
    with collector(200) as (url, got):
        send(run, url)
        send(run, f"{url}/own/path")
    assert [path for path, _, _ in got] == ["/v1/metrics", "/own/path"]
    _, fields, body = got[0]
    assert (fields["Content-Type"], fields["x-key"], fields["x-other"]) == ("application/json", "a=b", "c")
    assert parsed(body) == parsed(export_text(EXPORTERS["otlp"], run))
    with collector(503) as (url, _), pytest.raises(OSError, match="answered with 503"):
        send(run, url)
    with pytest.raises(OSError, match="refused"):
        send(run, url)  # nobody listens there any more
