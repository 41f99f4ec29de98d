"""`--metrics-port`: the run's counts so far for Prometheus, on this machine's loopback address alone.

It answers in a thread of the command's own process, which makes no load. Names are those of `--export prometheus`.
Latency is added when a block ends; exchanges, which the warm-up has too, as the workers report them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from loadgen.measure.data.latency_totals import BlockLatency
from loadgen.model.exceptions import PlanError
from loadgen.model.extras import check_package
from loadgen.model.units import NS_PER_S

ADDRESS = "127.0.0.1"


class LiveCounts:
    """What is known of the run so far, as a collector of prometheus-client."""

    def __init__(self, targets: Mapping[str, str] = MappingProxyType({})) -> None:
        """targets: the name of each policy's target, where several take turns."""
        self._targets = targets
        self._labels = ["policy", "target"] if targets else ["policy"]
        self._policy = ""
        """The policy of the block that runs."""
        self._seen: dict[int, tuple[int, int]] = {}
        """Exchanges and errors that each worker has reported."""
        self._counts: dict[str, Counter[str]] = {
            name: Counter() for name in ("exchanges", "exchange_errors", "requests", "blocks", "latency_ns")
        }

    def add(self, worker: int, event: Mapping[str, Any]) -> None:
        """Take one event of a worker."""
        if "block" in event:
            self._policy = event["block"]["policy"]
        elif "exchanges" in event:
            exchanges, errors = self._seen.get(worker, (0, 0))
            self._counts["exchanges"][self._policy] += event["exchanges"] - exchanges
            self._counts["exchange_errors"][self._policy] += event["errors"] - errors
            self._seen[worker] = event["exchanges"], event["errors"]

    def add_block(self, block: BlockLatency) -> None:
        """Take a block that has ended."""
        self._counts["requests"][block.policy] += block.requests
        self._counts["latency_ns"][block.policy] += block.latency_ns
        self._counts["blocks"][block.policy] += 1

    def collect(self) -> Iterator[Any]:
        """The metrics; called in the server's thread, so it reads copies."""
        from prometheus_client.core import CounterMetricFamily, SummaryMetricFamily

        counts = {name: Counter(found) for name, found in self._counts.items()}
        for name, text in (
            ("exchanges", "Exchanges so far, warm-up included."),
            ("exchange_errors", "Exchanges that failed so far, warm-up included."),
            ("requests", "Completed requests of measured windows that have ended."),
            ("blocks", "Blocks that have ended."),
        ):
            counter = CounterMetricFamily(f"loadgen_{name}", text, labels=self._labels)
            for policy, number in counts[name].items():
                counter.add_metric(self._values(policy), number)
            yield counter
        latency = SummaryMetricFamily(
            "loadgen_request_latency_seconds", "Latency of the same requests.", labels=self._labels
        )
        for policy, number in counts["requests"].items():
            latency.add_metric(self._values(policy), number, counts["latency_ns"][policy] / NS_PER_S)
        yield latency

    def _values(self, policy: str) -> list[str]:
        """Those of the labels."""
        return [policy, self._targets[policy]] if self._targets else [policy]


class MetricsServer:
    """Serves them until it is closed. Raises PlanError where prometheus-client is missing, or the port can't be had."""

    def __init__(self, port: int, targets: Mapping[str, str] = MappingProxyType({})) -> None:
        """targets: as of LiveCounts."""
        check_package("--metrics-port", "prometheus-client", "metrics")
        from prometheus_client import CollectorRegistry, start_http_server

        self._counts = LiveCounts(targets)
        registry = CollectorRegistry()
        registry.register(self._counts)
        try:
            self._server, self._thread = start_http_server(port, ADDRESS, registry)
        except OSError as error:
            raise PlanError(f"--metrics-port {port}: {error.strerror}; choose another port") from None
        self.port: int = self._server.server_port

    def add(self, worker: int, event: Mapping[str, Any]) -> None:
        """Take one event of a worker."""
        self._counts.add(worker, event)

    def add_block(self, _index: int, block: BlockLatency) -> None:
        """Take a block that has ended."""
        self._counts.add_block(block)

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
