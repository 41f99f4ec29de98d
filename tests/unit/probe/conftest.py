"""Shorter pauses for the probes: what they wait for between their own steps is no part of what these tests look at."""

from __future__ import annotations

import pytest

from loadgen.model.units import NS_PER_MS
from loadgen.probe import audit, hop_by_hop
from loadgen.probe.http2 import http2_idle_timeout
from loadgen.probe.idle import held_up, idle_timeout, partial_request
from loadgen.probe.websocket import websocket_idle_timeout


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_GRACE_NS", 200 * NS_PER_MS)
    monkeypatch.setattr(hop_by_hop, "_PAUSES_S", (0.01, 0.02, 0.05))
    monkeypatch.setattr(idle_timeout, "_STAGGER_S", 0.02)
    monkeypatch.setattr(http2_idle_timeout, "APART_S", 0.02)
    monkeypatch.setattr(websocket_idle_timeout, "APART_S", 0.02)
    monkeypatch.setattr(partial_request, "_STAGGER_S", 0.02)
    monkeypatch.setattr(held_up, "_MIN_WAIT_NS", 300 * NS_PER_MS)
