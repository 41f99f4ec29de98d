"""Sends the files of samples to the coordinating process, piece by piece. Knows no run's life."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gevent.event import Event

import loadgen.swarm.messages as messages

# The coordinating process is gone if it is silent for this long.
MAX_SILENCE_S = 30.0

SendToCoordinator = Callable[[str, dict[str, Any]], None]


class SampleSender:
    """One piece at a time is on its way: a slow network holds no more than that in memory."""

    def __init__(self, send: SendToCoordinator, max_silence_s: float = MAX_SILENCE_S) -> None:
        self._send = send
        self._max_silence_s = max_silence_s
        self._received = Event()

    def send_file(self, run: str, number: int, path: Path) -> None:
        """Send this worker's file of that number, each piece when the one before has arrived. Raises OSError."""
        with path.open("rb") as file:
            while True:
                piece = file.read(messages.PIECE_BYTES)
                self._received.clear()
                self._send(messages.SAMPLE_PIECE, {"run": run, "file": number, "piece": piece})
                if not self._received.wait(self._max_silence_s):
                    raise OSError("the master does not take them")
                if not piece:
                    return

    def piece_received(self) -> None:
        """The last piece has arrived."""
        self._received.set()
