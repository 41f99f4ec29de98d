"""SOCKS servers of other makers, as processes of their own; none of them wants a login."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.support.processes import free_port, installed, server_process


@contextmanager
def dante(folder: Path) -> Iterator[int]:
    """Gives its port."""
    program, port = installed("danted", "dante-server"), free_port()
    rules = "from: 127.0.0.0/8 to: 0.0.0.0/0"
    lines = [f"internal: 127.0.0.1 port = {port}", "external: lo", "clientmethod: none", "socksmethod: none"]
    lines += [f"client pass {{ {rules} }}", f"socks pass {{ {rules} }}"]
    config = folder / "danted.conf"
    config.write_text("\n".join(lines) + "\n", encoding="ascii")
    # It stays in the foreground, with one process that serves.
    with server_process([program, "-f", str(config), "-N", "1", "-p", str(folder / "pid")], folder, port):
        yield port


@contextmanager
def ssh(_folder: Path) -> Iterator[int]:
    """`ssh -D` to an sshd on a loopback port, with keys made for it; gives the port of the SOCKS server."""
    server, client = installed("sshd", "openssh-server"), installed("ssh", "openssh-client")
    if os.geteuid() != 0:
        pytest.skip("sshd takes other users only as root")
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # its own, which Debian's service makes
    port, socks_port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for key in ("host", "user"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
            subprocess.run(command, check=True, timeout=20, stdin=subprocess.DEVNULL)
        settings = [f"ListenAddress=127.0.0.1:{port}", f"HostKey={folder}/host", "PidFile=none", "UsePAM=no"]
        settings += [f"AuthorizedKeysFile={folder}/user.pub", "StrictModes=no", "PermitRootLogin=prohibit-password"]
        options = [part for one in settings for part in ("-o", one)]
        reach = ["-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={folder}/known", "-o", "BatchMode=yes"]
        me = pwd.getpwuid(os.geteuid()).pw_name
        with (
            server_process([server, "-D", "-e", "-f", "/dev/null", *options], folder, port),
            server_process(
                [
                    client, "-N", "-F", "none", *reach, "-i", str(folder / "user"), "-D", f"127.0.0.1:{socks_port}",
                    "-p", f"{port}", f"{me}@127.0.0.1",
                ],
                folder / "client", socks_port,
            ),
        ):  # fmt: skip
            yield socks_port


SERVERS: dict[str, Callable[[Path], AbstractContextManager[int]]] = {"dante": dante, "ssh": ssh}
