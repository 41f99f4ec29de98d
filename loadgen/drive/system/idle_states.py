"""Keeps the processors from sleeping deeply during a load: to wake one takes as long as a short request.

Where the load leaves a processor idle between two requests, it sleeps, and the next event waits until it is awake, in a
virtual machine for 50 µs and more. All clients pay that, and it is no property of the target. Linux keeps processors
awake for as long as a process has this file open with a 0 in it (Documentation/power/pm_qos_interface.rst), as
cyclictest does too. It takes root; for others everything stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FILE = Path("/dev/cpu_dma_latency")
_NO_LATENCY = bytes(4)
"""The latency (µs) that a wake-up may have."""


@contextmanager
def processors_awake(path: Path = _FILE) -> Iterator[bool]:
    """Within it processors wake at once; gives False where that may not be asked for."""
    try:
        file = path.open("r+b", buffering=0)
    except OSError:
        yield False
        return
    with file:
        try:
            file.write(_NO_LATENCY)
        except OSError:
            yield False
        else:
            yield True
