"""Child processes of ours: the worker and the embedded target. Each ends when its parent does."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loadgen.model.errors import PlanError

_GRACE_S = 5


def _start(arguments: list[str]) -> subprocess.Popen[str]:
    # A session of its own: Ctrl-C at the terminal reaches us alone, and we pass it on once.
    return subprocess.Popen(
        [sys.executable, "-m", "loadgen", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextmanager
def embedded_target(tls: bool, directory: Path) -> Iterator[tuple[str, str | None]]:
    """Run the embedded target on a free loopback port: gives its URL and, with `tls`, its CA file."""
    ca_file = directory / "target-ca.pem" if tls else None
    arguments = ["target", "--port", "0", "--until-eof"]
    if ca_file is not None:
        arguments += ["--tls", "--ca-file", str(ca_file)]
    with _start(arguments) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            if not url:
                raise PlanError("the embedded target did not start; the lines above say why")
            yield url, None if ca_file is None else str(ca_file)
        finally:
            process.stdin.close()
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
            if ca_file is not None:
                ca_file.unlink(missing_ok=True)  # its key is gone, nothing will be signed by it again


def run_worker(plan: dict[str, Any], directory: Path, on_event: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Run the plan in a worker; returns its last event. Ctrl-C or SIGTERM ends the run, a second one at once.

    A worker that died without a word gives {"end": "died"}.
    """
    with _start(["_worker", str(directory)]) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def pass_on(number: int, _frame: object) -> None:
            process.send_signal(signal.SIGINT)
            signal.signal(number, lambda *_: process.kill())

        before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            process.stdin.write(json.dumps(plan) + "\n")
            process.stdin.flush()
            last: dict[str, Any] = {}
            for line in process.stdout:
                last = json.loads(line)
                on_event(last)
            process.stdin.close()
            process.wait()
        except BrokenPipeError:
            last = {}
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            if process.poll() is None:
                process.kill()
    return last if "end" in last else {"end": "died"}
