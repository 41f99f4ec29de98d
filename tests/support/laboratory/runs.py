"""The laboratory: the real command in the client's namespace, and what it measured there."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadgen.model.records import ABSENT, COLUMNS, Phase
from loadgen.model.units import NS_PER_MS
from tests.support.laboratory.network import Network, network
from tests.support.laboratory.servers import TLS, Servers, servers
from tests.support.laboratory.urgency import CLIENT, hurry

PHASES = tuple(phase.value for phase in Phase)
_EXCHANGE = ("send", "wait", "receive")
_LIMIT_S = 60


class Measured:
    """What a run measured. Times in ns; ABSENT is a phase that did not happen."""

    def __init__(self, summary: dict[str, Any], folder: Path) -> None:
        self.policies: dict[str, dict[str, Any]] = summary["policies"]
        self.warnings: set[str] = {warning["code"] for warning in summary["warnings"]}
        with np.load(folder / "samples.npz") as samples:
            self._columns = {name: samples[name].astype(np.int64) for name in COLUMNS if name in samples}

    def phase(self, policy: str, phase: str, *, first: bool | None = None) -> NDArray[np.int64]:
        """The phase of each complete request, in the order of connections; `exchange` is send + wait + receive.

        first: only of requests that were the first on their connection, or that were not.
        """
        columns = self._columns
        chosen = (columns["policy"] == list(self.policies).index(policy)) & (columns["error"] == ABSENT)
        if first is not None:
            chosen &= (columns["nth_on_connection"] == 0) == first
        if phase in ("exchange", "total"):
            parts = _EXCHANGE if phase == "exchange" else PHASES
            values = np.sum([np.maximum(columns[name], 0) for name in parts], axis=0)
        else:
            values = columns[phase]
        order = np.lexsort((columns["nth_on_connection"][chosen], columns["connection"][chosen]))
        return np.asarray(values[chosen][order])

    def connections(self, key: str) -> int:
        """The sum over all policies of what the summary counts under `connections`."""
        return sum(one["connections"][key] for one in self.policies.values())


class Laboratory:
    """A network with servers, in which comparisons run. folder: for their files."""

    def __init__(self, network: Network, servers: Servers, folder: Path) -> None:
        self.network = network
        self.servers = servers
        self.runs: list[tuple[str, Measured]] = []
        """Those of `compare` that have ended, each with its server."""
        self._folder = folder
        self._numbers = count()

    def compare(self, server: str, rtt_ms: int, policies: str, block_ms: int, *more: str, path: str = "/") -> Measured:
        """One user, one round, as a process of its own; several may run at once.

        server: one of `Servers.url`, or `proxy` for tls13 behind a proxy at the same distance. more: options.
        """
        rtt_ns = rtt_ms * NS_PER_MS
        if server == "proxy":
            server, more = "tls13", (*more, "--proxy", self.servers.proxy(rtt_ns))
        if server == "early":
            more = (*more, "--insecure")  # it has an authority of its own
        elif server in TLS:
            more = (*more, "--cacert", str(self.servers.ca_file))
        measured = self.compare_url(self.servers.url(server, rtt_ns, path), policies, block_ms, *more)
        self.runs.append((server, measured))
        return measured

    def compare_url(self, url: str, policies: str, block_ms: int, *more: str) -> Measured:
        """The same, against any server that can be reached from the client's namespace."""
        number = next(self._numbers)
        folder = self._folder / f"run-{number}"
        command = [sys.executable, "-m", "loadgen", "compare", url, "--policies", policies, "--users", "1", "--yes"]
        command += ["--rounds", "1", "--block", f"{block_ms}ms", "--warmup", "0s", "--json", "--no-charts"]
        command += ["--out", str(folder), *more]
        with self.network.client.entered():
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        _hurry_worker(process, max(1, CLIENT - number))
        try:
            output, errors = process.communicate(timeout=_LIMIT_S)
        finally:
            process.kill()
            process.wait()
        assert process.returncode == 0, errors
        return Measured(json.loads(output), folder)


def _hurry_worker(command: subprocess.Popen[str], priority: int) -> None:
    """As soon as it is there: the command itself makes no load."""
    children = Path(f"/proc/{command.pid}/task/{command.pid}/children")
    while command.poll() is None:
        started = children.read_text(encoding="ascii").split()
        if started:
            hurry(int(started[0]), priority)
            return
        threading.Event().wait(0.01)


@contextmanager
def laboratory(folder: Path) -> Iterator[Laboratory]:
    """One until the end of the block. Raises OSError where the machine does not permit it."""
    with network() as joined, servers(joined, folder / "servers") as running:
        yield Laboratory(joined, running, folder)
