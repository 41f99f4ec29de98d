"""Embedded targets for the tests: one process serves many tests, each of which sees only its own counts."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

_LOOKS, _PAUSE_S = 20, 0.01
"""An earlier test's last connections may be about to close: that is waited for, as a new target takes longer."""
_MAX_ACCEPTED = 8000
"""A target that has accepted more is not shared any longer: a closed connection holds its port for a minute."""


class Target:
    """A running embedded target, as one test sees it. url: may be written in another way by the test.

    What was counted before this object was made is not in its `stats`.
    """

    def __init__(self, url: str, ca_file: Path | None) -> None:
        self.url = url
        self.ca_file = ca_file
        self.port = int(url.rsplit(":", 1)[1].rstrip("/"))
        self._stats_url = f"{url}.loadgen/stats"
        self._context = ssl.create_default_context(cafile=ca_file) if ca_file else None
        self._before: dict[str, Any] = {}
        self._before = self._count()

    def stats(self) -> dict[str, Any]:
        """The target's account since this object was made; `open` is what is open now."""
        now, before = self._count(), self._before
        lengths, spoken = "requests_per_connection", "protocols"
        difference = Counter(now[lengths])
        difference.subtract(before[lengths])
        return {
            "accepted": now["accepted"] - before["accepted"],
            "open": now["open"],
            "requests": now["requests"] - before["requests"],
            lengths: {length: count for length, count in difference.items() if count},
            spoken: {name: count - before[spoken][name] for name, count in now[spoken].items()},
        }

    @property
    def early_data(self) -> dict[str, int]:
        """What became of early data, since the target began."""
        found: dict[str, int] = self._count().get("early_data", {})
        return found

    def is_fit(self) -> bool:
        """No earlier test left a connection open, and there are ports enough."""
        return bool(self._before["open"] == 0 and self._before["accepted"] < _MAX_ACCEPTED)

    def _count(self) -> dict[str, Any]:
        with urllib.request.urlopen(self._stats_url, context=self._context) as response:
            account: dict[str, Any] = json.load(response)
        return account


class Targets:
    """Starts embedded targets in `folder`, and ends them all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[str]] = []
        self._shared: dict[tuple[str, ...], Target] = {}

    def start(self, *arguments: str) -> Target:
        """One for the caller alone; arguments: options of `loadgen target`."""
        ca_file = self._folder / f"ca-{len(self._processes)}.pem" if "--tls" in arguments else None
        more = ["--ca-file", str(ca_file)] if ca_file else []
        process = subprocess.Popen(
            [sys.executable, "-m", "loadgen", "target", "--port", "0", "--until-eof", *arguments, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        assert process.stdout is not None
        return Target(process.stdout.readline().strip(), ca_file)

    @property
    def pids(self) -> list[int]:
        """Their processes, in the order in which they were started."""
        return [process.pid for process in self._processes]

    def share(self, *arguments: str) -> Target:
        """One that other tests use as well, before and after the caller: started at the first call with these."""
        first = self._shared.get(arguments)
        if first is not None:
            for _ in range(_LOOKS):
                target = Target(first.url, first.ca_file)
                if target.is_fit():
                    return target
                threading.Event().wait(_PAUSE_S)
        first = self._shared[arguments] = self.start(*arguments)
        return Target(first.url, first.ca_file)  # the caller may write its URL in another way

    def close(self) -> None:
        for process in self._processes:  # all of them end at the same time
            assert process.stdin is not None
            process.stdin.close()
        for process in self._processes:
            process.__exit__(None, None, None)
