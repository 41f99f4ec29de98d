"""Where rows go: the base of every sink. Says what a row holds and keeps nothing.

Plain classes instead of protocols: compiled code calls their methods without looking them up. So callers pass
everything by position, in the order of EXCHANGE_FIELDS and CONNECTION_FIELDS (model/records.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SampleSink:
    """Takes a row for each exchange and for each connection. Its methods may raise OSError where the disk is full."""

    __slots__ = ()

    def exchange(
        self, connection: int, user: int, request_index: int, scheduled: int, queue: int, late: int, send: int,
        wait: int, receive: int, own: int, lag: int, wait_delay: int, outcome: int, bytes_sent: int,
        bytes_received: int, continue_wait: int,
    ) -> None:  # fmt: skip
        """An exchange has ended."""
        raise NotImplementedError

    def connection(
        self, connection: int, slot: int, opened: int, dns: int, connect: int, tunnel: int, tls: int, upgrade: int,
        connect_delay: int, flags: int, ending: int,
    ) -> None:  # fmt: skip
        """A connection has ended."""
        raise NotImplementedError


class RunSink(SampleSink):
    """A sink that also notes blocks and knows how many exchanges it holds."""

    __slots__ = ()

    @property
    def exchanges(self) -> int:
        """Number of exchanges so far."""
        raise NotImplementedError

    def block(self, facts: Mapping[str, Any]) -> None:
        """What is known of a block."""
        raise NotImplementedError
