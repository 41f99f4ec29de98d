"""The embedded target as a child process, and its account. It ends when its parent does."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
from pathlib import Path
from typing import Any

from loadgen import COMMAND
from loadgen.model.exceptions import PlanError
from loadgen.model.target import Target
from loadgen.target.behaviour import STATS_PATH

_GRACE_S = 5


class EmbeddedTarget:
    """The embedded target at `url`, on a free loopback port. options: further arguments of `loadgen target`.

    ca_file: with `tls`, its authority's certificate. Raises PlanError where it did not start.
    """

    def __init__(self, tls: bool, directory: Path, options: tuple[str, ...] = ()) -> None:
        self.ca_file = directory / "target-ca.pem" if tls else None
        arguments = ["target", "--port", "0", "--until-eof", *options]
        if self.ca_file is not None:
            arguments += ["--tls", "--ca-file", str(self.ca_file)]
        # In a session of its own, so that Ctrl-C at the terminal reaches this process alone. When this process ends, so
        # does the target's standard input, and with that the target.
        self._process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        try:
            self.url = self._process.stdout.readline().strip()
        except BaseException:  # a signal: the target is needed no more
            self._process.kill()
            self.stop()
            raise
        if not self.url:
            self.stop()
            raise PlanError("the embedded target did not start; the lines above say why")

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """End it; a second call changes nothing."""
        process = self._process
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self.ca_file is not None:
            self.ca_file.unlink(missing_ok=True)  # its key is gone: nothing will be signed with it again


def account(target: Target, cacert: str | None) -> dict[str, Any] | None:
    """What the embedded target counted; None where it does not answer."""
    try:
        if target.is_tls:
            context = ssl.create_default_context(cafile=cacert)
            link: http.client.HTTPConnection = http.client.HTTPSConnection(target.host, target.port, context=context)
        else:
            link = http.client.HTTPConnection(target.host, target.port)
        link.request("GET", STATS_PATH)
        found: dict[str, Any] = json.loads(link.getresponse().read())
        link.close()
    except (OSError, ValueError, http.client.HTTPException):
        return None
    return found
