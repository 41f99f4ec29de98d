"""Probes: WebSocket. In the order of the table."""

from __future__ import annotations

from loadgen.probe.probe import Probe
from loadgen.probe.websocket.websocket_close import WEBSOCKET_CLOSE
from loadgen.probe.websocket.websocket_idle_timeout import WEBSOCKET_IDLE_TIMEOUT
from loadgen.probe.websocket.websocket_kept_by_pings import WEBSOCKET_KEPT_BY_PINGS
from loadgen.probe.websocket.websocket_ping import WEBSOCKET_PING
from loadgen.probe.websocket.websocket_upgrade import WEBSOCKET_UPGRADE

PROBES: tuple[Probe, ...] = (
    WEBSOCKET_UPGRADE, WEBSOCKET_PING, WEBSOCKET_CLOSE, WEBSOCKET_IDLE_TIMEOUT, WEBSOCKET_KEPT_BY_PINGS,
)  # fmt: skip
