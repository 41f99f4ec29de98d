"""A sink that keeps rows in lists."""

from __future__ import annotations

from loadgen.model.records import CONNECTION_FIELDS, EXCHANGE_FIELDS
from loadgen.model.sample_sink import SampleSink


class RowSink(SampleSink):
    """Keeps rows by the names of their fields."""

    def __init__(self) -> None:
        self.exchanges: list[dict[str, int]] = []
        self.connections: list[dict[str, int]] = []

    def exchange(self, *row: int) -> None:
        self.exchanges.append(dict(zip(EXCHANGE_FIELDS, row, strict=True)))

    def connection(self, *row: int) -> None:
        self.connections.append(dict(zip(CONNECTION_FIELDS, row, strict=True)))

    def column(self, name: str) -> list[int]:
        """One field of all exchanges."""
        return [row[name] for row in self.exchanges]

    @property
    def endings(self) -> list[int]:
        return [row["ending"] for row in self.connections]
