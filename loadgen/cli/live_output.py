"""What others can read of a run while it goes on: lines on standard output, and metrics on a port of this machine."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from loadgen.cli.live_blocks import BlockListener
from loadgen.cli.metrics_server import MetricsServer
from loadgen.measure.data.latency_totals import BlockLatency
from loadgen.show.export.ndjson import NDJSON, block_ended
from loadgen.show.export.requested import STDOUT, exports_of


class LiveOutput:
    """What the options ask for. Raises PlanError where the port for metrics can't be opened.

    targets: the name of each policy's target, where several take turns.
    """

    def __init__(self, options: Mapping[str, Any], targets: Mapping[str, str] = MappingProxyType({})) -> None:
        self.listeners: list[BlockListener] = []
        """They get each block as it ends."""
        self._metrics: MetricsServer | None = None
        if options.get("metrics_port") is not None:
            self._metrics = MetricsServer(options["metrics_port"], targets)
            self.listeners.append(self._metrics.add_block)
        self.writes_lines = any(one.exporter is NDJSON and one.destination == STDOUT for one in exports_of(options))
        """Standard output gets a line for each block."""
        # Last: a reader of the line finds the block in the metrics.
        if self.writes_lines:
            self.listeners.append(_write_line)

    def add(self, worker: int, event: Mapping[str, Any]) -> None:
        """Take one event of a worker."""
        if self._metrics is not None:
            self._metrics.add(worker, event)

    def close(self) -> None:
        """The run is over: close what others read it from."""
        if self._metrics is not None:
            self._metrics.close()


def _write_line(index: int, block: BlockLatency) -> None:
    sys.stdout.write(block_ended(block, index))
    sys.stdout.flush()
