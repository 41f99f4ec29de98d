"""How much disk and memory a run and its report will take, said where it is much. Measures nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loadgen.model.plan import Plan
from loadgen.model.units import NS_PER_S

_LARGE_REQUESTS = 1_000_000
# Measured with `make bench BENCH=report`: bytes of a row as it is written and as it is kept, and the report's memory.
_ROW_BYTES, _KEPT_BYTES = 128, 60
_MEMORY_BYTES, _OWN_MEMORY_BYTES = 230, 100_000_000
_MB, _GB = 1e6, 1e9


def planned_requests(plan: Plan) -> int | None:
    """How many requests a plan has, as a number or as arrivals; None where users send as many as they can."""
    if plan.load.requests is not None:
        return plan.load.requests * len(plan.cells)
    rates = [cell.rate_rps for cell in plan.cells]
    return round(sum(rates) * plan.load.block_ns / NS_PER_S * plan.max_rounds) if all(rates) else None


def size_line(requests: int, plan: Plan) -> str:
    """What this number of requests takes; empty where that is little."""
    if requests < _LARGE_REQUESTS:
        return ""
    rows = min(requests, plan.max_samples)
    disk = rows * (_ROW_BYTES if rows == requests else _ROW_BYTES + _KEPT_BYTES)
    memory = _OWN_MEMORY_BYTES + rows * _MEMORY_BYTES
    kept = "" if rows == requests else f", of which rows of {rows:,} at most are kept (--max-samples)"
    about = "about" if plan.until_precision is None else "at most"
    return f"{about} {_rounded(requests):,} requests{kept}: up to {_size(disk)} of disk and {_size(memory)} of memory"


class SizeForecast:
    """What a run will take, by the requests of its first round."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._exchanges: dict[int, int] = {}
        """Requests of each worker."""
        self._is_said = plan.max_rounds < 2

    def add(self, worker: int, event: Mapping[str, Any]) -> str:
        """Take an event of a worker; the line, once, where there is one."""
        if self._is_said:
            return ""
        if "exchanges" in event:
            self._exchanges[worker] = event["exchanges"]
        elif event.get("ready") == len(self._plan.cells):
            self._is_said = True
            return size_line(sum(self._exchanges.values()) * self._plan.max_rounds, self._plan)
        return ""


def _rounded(number: int) -> int:
    """Two digits: a forecast is no better."""
    step: int = 10 ** max(0, len(str(number)) - 2)
    return round(number / step) * step


def _size(size_bytes: float) -> str:
    return f"{size_bytes / _GB:.1f} GB" if size_bytes >= _GB else f"{round(size_bytes / _MB, -1):.0f} MB"
