"""A run's phases against a capture of its own packets, request by request. Needs root and tcpdump.

Kernel and OpenSSL work inside the system calls, too: a SYN leaves some 10 µs after connect(2) was called, a waiting
process wakes some 15 µs after a packet came, and a ClientHello takes 50 µs to make. Every client pays that, so a
minimal one runs against the same server in the same capture, and what it exceeds its own packets by is taken off.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import loadgen
from loadgen.cli.packet_capture import PacketCapture, why_not
from loadgen.measure.data.packet_errors import CONNECT, SEND_WAIT, TLS, PacketErrors, packet_errors
from loadgen.measure.data.packet_times import packet_times
from loadgen.measure.data.pcap import read_pcap
from loadgen.measure.data.store import RunStore
from loadgen.wire.tls_context import client_context
from tests.support.laboratory.urgency import CLIENT, hurry
from tests.support.minimal_client import MinimalClient
from tests.support.runs import Start

pytestmark = [
    pytest.mark.alone,  # it measures time
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]
POLICIES = ("persistent", "close")
MAX_MEDIAN_NS, MAX_P99_NS = 30_000, 200_000


class Measured(NamedTuple):
    persistent: PacketErrors
    close: PacketErrors
    minimal: dict[str, list[int]]


@contextmanager
def urgent() -> Iterator[None]:
    """This process, and what it starts, comes before others that use the processors."""
    before, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    hurry(0, CLIENT)
    try:
        yield
    finally:
        os.sched_setscheduler(0, before, parameters)


def measure(start_target: Start, folder: Path, *, tls: bool) -> Measured:
    with urgent():
        target = start_target(*(("--tls",) if tls else ()))
        context = client_context("127.0.0.1", str(target.ca_file), False) if tls else None
        minimal = MinimalClient(target.port, context)
        with PacketCapture(target.port, folder / "run.pcap") as capture:
            run = loadgen.compare(
                target.url, policies=POLICIES, users=1, rounds=2, block="200ms", warmup="0s", out=folder / "run",
                no_charts=True, **({"cacert": target.ca_file} if tls else {}),
            )  # fmt: skip
            minimal.run(connections=100, requests=400)
    seen = packet_times(read_pcap((folder / "run.pcap").read_bytes()), target.port)
    samples = RunStore.open(run.directory).load_samples(POLICIES)
    own = [samples.of(samples.columns["policy"] == index) for index in range(len(POLICIES))]
    persistent, close = (packet_errors(one, seen, capture.offset_ns) for one in own)
    assert persistent.matched > 500
    assert close.matched > 50
    assert persistent.unmatched == close.unmatched == 0
    return Measured(persistent, close, minimal.errors(seen))


def check(measured: Measured, which: str, phase: str) -> None:
    """A phase includes its packets, and exceeds them by little more than a minimal client's does."""
    errors = getattr(measured, which).by_phase[phase]
    least = float(np.median(measured.minimal[phase]))
    median, p99 = (float(one) for one in np.percentile(errors, (50, 99)))
    logging.info(
        "%s, %s: %d requests, error p50 %.1f µs, p99 %.1f µs; minimal client p50 %.1f µs",
        which, phase, len(errors), median / 1000, p99 / 1000, least / 1000,
    )  # fmt: skip
    assert errors.min() > 0
    assert median - least <= MAX_MEDIAN_NS
    assert p99 - least <= MAX_P99_NS


def test_phases_in_clear(start_target: Start, tmp_path: Path) -> None:
    measured = measure(start_target, tmp_path, tls=False)
    check(measured, "persistent", SEND_WAIT)
    check(measured, "close", SEND_WAIT)
    check(measured, "close", CONNECT)


def test_phases_over_tls(start_target: Start, tmp_path: Path) -> None:
    measured = measure(start_target, tmp_path, tls=True)
    check(measured, "persistent", SEND_WAIT)
    check(measured, "close", CONNECT)
    check(measured, "close", TLS)
