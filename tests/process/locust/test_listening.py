"""Who can reach what we start: nobody but this machine, unless an option says otherwise."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.listening import listening
from tests.support.locusts import command, running
from tests.support.processes import await_port, free_port


def test_locust_with_a_locustfile_of_ours(tmp_path: Path) -> None:
    """The web UI, the master's port for its own processes, and the embedded target; Locust's default is everywhere."""
    web, master = free_port(), free_port()
    ports = ("--web-port", str(web), "--master-bind-port", str(master), "--master-port", str(master))
    with running(tmp_path, *command("compare.py", *ports, "--processes", "1")) as process:
        await_port(web)
        await_port(master)
        found = listening(process.pid)
        assert {web, master} <= {port for _, port in found}
        assert len(found) == 3  # the embedded target's port is a free one
        assert {address for address, _ in found} == {"127.0.0.1"}


@pytest.mark.parametrize("by", ["option", "environment"])
def test_an_address_that_is_given_is_listened_on(tmp_path: Path, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    given: tuple[str, ...] = ("--web-host", "127.0.0.2")
    if by == "environment":
        monkeypatch.setenv("LOCUST_WEB_HOST", given[1])
        given = ()
    with running(tmp_path, *command("compare.py", "--web-port", str(port), "-H", "http://127.0.0.1:9", *given)) as one:
        await_port(port, "127.0.0.2")
        assert listening(one.pid) == {("127.0.0.2", port)}


@pytest.mark.parametrize(
    ("options", "address"), [((), "127.0.0.1"), (("--host", "::1"), "::1")], ids=["by default", "::1"]
)
def test_the_target(options: tuple[str, ...], address: str) -> None:
    if ":" in address and not _has_ipv6():
        pytest.skip("no IPv6 on this machine")
    arguments = [sys.executable, "-m", "loadgen", "target", "--port", "0", "--until-eof", *options]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert listening(process.pid) == {(address, int(url.rstrip("/").rpartition(":")[2]))}
        process.communicate(timeout=30)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::1", 0))
    except OSError:
        return False
    return os.path.exists("/proc/net/tcp6")  # noqa: PTH110 # a table of the kernel's
