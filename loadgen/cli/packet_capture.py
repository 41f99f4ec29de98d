"""tcpdump on the loopback interface while a load runs: another program's account of its packets. Reads no packet.

Capturing takes CAP_NET_RAW, which root has, and the program.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from loadgen.measure.data.packet_errors import wall_clock_offset_ns

# Of a packet: all heads, and the beginnings of TLS records.
_SNAPSHOT_BYTES = 256
_BUFFER_KIB = 1 << 16
_PATIENCE_S = 5.0
_POLL_S = 0.02
_LOOPBACK = "127.0.0.1"


def why_not() -> str:
    """Why packets can't be captured here, in a few words; empty where they can."""
    if shutil.which("tcpdump") is None:
        return "tcpdump is not installed"
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError:
        return "capturing packets takes root"
    return ""


class PacketCapture:
    """`with PacketCapture(port, path) as capture: ...`; then `path` is a capture of what went from or to this TCP port.

    Raises RuntimeError where tcpdump does not start, or has lost packets.
    """

    def __init__(self, port: int, path: Path) -> None:
        self.offset_ns = 0
        """What to add to the clock of samples for that of the packets, once the capture is over."""
        self._port = port
        self._path = path
        # By standard output: tcpdump gives up root, and may then not write where we can.
        command = ["tcpdump", "-i", "lo", "-n", "-U", "-w", "-", "-s", f"{_SNAPSHOT_BYTES}", "-B", f"{_BUFFER_KIB}"]
        command += ["--time-stamp-precision=nano", f"tcp port {port} or udp port {port}"]
        with path.open("wb") as file:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.PIPE, start_new_session=True
            )

    def __enter__(self) -> PacketCapture:
        try:
            self._await_start()
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._kill()
            return
        try:
            self._await_end()
            self._process.send_signal(signal.SIGINT)
            _, said = self._process.communicate(timeout=_PATIENCE_S)
        except BaseException:
            self._kill()
            raise
        self.offset_ns = wall_clock_offset_ns()
        if b"\n0 packets dropped by kernel" not in said:
            raise RuntimeError("tcpdump lost packets")

    def _await_start(self) -> None:
        """It says on standard error that it listens, once it does."""
        assert self._process.stderr is not None
        said = []
        while line := self._process.stderr.readline():
            if b"listening on" in line:
                return
            said.append(line.decode(errors="replace").strip())
        raise RuntimeError(f"tcpdump does not start: {said[-1] if said else 'it says nothing'}")

    def _await_end(self) -> None:
        """Packets come to it in batches, up to a second late: one that says so is the last of the load's."""
        mark = secrets.token_bytes(16)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(mark, (_LOOPBACK, self._port))
        deadline = time.monotonic() + _PATIENCE_S
        while not self._ends_with(mark):
            if time.monotonic() > deadline:
                raise RuntimeError("tcpdump shows no packets")
            time.sleep(_POLL_S)

    def _ends_with(self, mark: bytes) -> bool:
        with self._path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - (1 << 16)))
            return mark in file.read()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.communicate()
