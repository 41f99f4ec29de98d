"""The capture's process, with programs of the test in the place of tcpdump."""

from __future__ import annotations

import shutil
import socket
import sys
from pathlib import Path

import pytest

from loadgen.cli import packet_capture
from loadgen.cli.packet_capture import PacketCapture, why_not

# It takes the port out of its filter, and shows what comes there.
FAKE = """#!{python}
import os, signal, socket, sys
def end(*_):
    os.write(2, b"1 packet captured\\n{dropped} packets dropped by kernel\\n")
    os._exit(0)
signal.signal(signal.SIGINT, end)
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", int(sys.argv[-1].split()[-1])))
os.write(2, b"tcpdump: listening on lo\\n")
while True:
    os.write(1, receiver.recv(100))
"""


def place(monkeypatch: pytest.MonkeyPatch, folder: Path, program: str) -> None:
    path = folder / "tcpdump"
    path.write_text(program, encoding="ascii")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("dropped", [0, 7])
def test_it_waits_until_the_last_packets_are_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dropped: int
) -> None:
    place(monkeypatch, tmp_path, FAKE.format(python=sys.executable, dropped=dropped))
    path, loses = tmp_path / "x.pcap", ""
    try:
        with PacketCapture(free_udp_port(), path) as capture:
            assert capture.offset_ns == 0
    except RuntimeError as error:
        loses = str(error)
    assert loses == ("tcpdump lost packets" if dropped else "")
    assert path.stat().st_size == 16, "the mark behind the load's packets"
    assert capture.offset_ns > 1_000_000_000, "the wall clock counts from 1970, the other from the boot"


def test_a_program_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place(monkeypatch, tmp_path, "#!/bin/sh\necho 'tcpdump: lo: no permission' >&2\n")
    with pytest.raises(RuntimeError, match="tcpdump does not start: tcpdump: lo: no permission"):
        PacketCapture(1, tmp_path / "x.pcap").__enter__()


def test_an_error_inside_ends_the_program_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place(monkeypatch, tmp_path, FAKE.format(python=sys.executable, dropped=0))
    with pytest.raises(KeyboardInterrupt), PacketCapture(free_udp_port(), tmp_path / "x.pcap") as capture:
        raise KeyboardInterrupt
    assert capture._process.returncode is not None


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/tcpdump")
    monkeypatch.setattr(packet_capture.socket, "socket", refuse)
    assert why_not() == "capturing packets takes root"
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert why_not() == "tcpdump is not installed"
