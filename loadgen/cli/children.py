"""Child processes of ours: the worker and the embedded target. Each ends when its parent does."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from loadgen.model.errors import PlanError

_GRACE_S = 5


def _start(arguments: list[str], lock: int | None = None) -> subprocess.Popen[str]:
    # A session of its own: Ctrl-C at the terminal reaches us alone, and we pass it on once.
    return subprocess.Popen(
        [sys.executable, "-m", "loadgen", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        pass_fds=() if lock is None else (lock,),
    )


@contextmanager
def embedded_target(tls: bool, directory: Path) -> Iterator[tuple[str, str | None, int]]:
    """Run the embedded target on a free loopback port: gives its URL, with `tls` its CA file, and its process."""
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
            yield url, None if ca_file is None else str(ca_file), process.pid
        finally:
            process.stdin.close()
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
            if ca_file is not None:
                ca_file.unlink(missing_ok=True)  # its key is gone, nothing will be signed by it again


def run_worker(
    job: dict[str, Any], directory: Path, lock: int | None, on_event: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Let a worker do the job; returns its last event. Ctrl-C or SIGTERM ends the run, a second one at once.

    The job is {"plan", "skip": indices of blocks that are done, "first_connection": the first number that is free}.
    The worker holds the folder's lock too, so that nobody has the folder before it has written its last row.

    The worker is told by the end of its standard input, which it can't miss however early it comes. After an
    interruption both signals stay ignored: what is left to do is short, and saves what was measured. A worker that died
    without a word gives {"end": "died"}.
    """
    last: dict[str, Any] = {}
    interruptions = 0
    with _start(["_worker", str(directory)], lock) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        job_file, events = process.stdin, process.stdout

        def interrupt(_number: int, _frame: object) -> None:
            nonlocal interruptions
            interruptions += 1
            if interruptions == 1:
                with suppress(OSError):
                    job_file.close()
            else:
                process.kill()

        with suppress(OSError):  # it died at once; so the end of its output will say
            job_file.write(json.dumps(job) + "\n")
            job_file.flush()
        before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for line in events:
                last = json.loads(line)
                on_event(last)
            with suppress(OSError):
                job_file.close()
            process.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, signal.SIG_IGN if interruptions else handler)
            if process.poll() is None:
                process.kill()
    if "end" in last:
        return last
    return {"end": "interrupted" if interruptions else "died"}
