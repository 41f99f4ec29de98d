"""Files that options name: whatever lies there is read within bounds, or refused with one line."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from loadgen.cli import plan_reader
from loadgen.model import input_files, request_body
from loadgen.model.exceptions import PlanError
from loadgen.model.input_files import check_regular, read_input
from tests.support.runner import run_cli

MIB = 1 << 20


@pytest.fixture(autouse=True)
def _short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor are 64 MiB read where it is the bound that matters."""
    monkeypatch.setattr(input_files, "_MAX_WAIT_S", 0.05)
    monkeypatch.setattr(request_body, "MAX_BODY_BYTES", MIB)
    monkeypatch.setattr(plan_reader, "_MAX_PLAN_BYTES", MIB)


def directory(path: Path) -> Path:
    path.mkdir()
    return path


def fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def unix_socket(path: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    return path


def huge(path: Path) -> Path:
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a hole: it takes no room
    return path


def loop(path: Path) -> Path:
    path.symlink_to(path)
    return path


def at(name: str) -> Callable[[Path], Path]:
    return lambda _path: Path(name)


WRONG = [
    pytest.param(directory, "Is a directory", id="directory"),
    pytest.param(fifo, "nothing came from it|not a regular file", id="a pipe that nobody writes to"),
    pytest.param(unix_socket, "No such device", id="socket"),
    pytest.param(huge, "is longer than", id="huge"),
    pytest.param(loop, "Too many levels", id="a link to itself"),
    pytest.param(at("/proc/self/mem"), "Input/output error|PEM|not a regular|TOML", id="memory"),
    pytest.param(at("/dev/zero"), "is longer than|not a regular file", id="endless"),
    pytest.param(at("/nowhere/at/all"), "No such file", id="nothing"),
    pytest.param(at("x" * 300), "File name too long", id="a long name"),
    pytest.param(at("a\0b"), "no file's name|no file's name can have", id="NUL"),
    pytest.param(at("/etc/passwd/x"), "Not a directory", id="below a file"),
]


@pytest.mark.parametrize(("make", "complaint"), WRONG)
def test_what_cannot_be_read_is_one_line(tmp_path: Path, make: Callable[[Path], Path], complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint) as caught:
        read_input(make(tmp_path / "x"), "--data", 3 * MIB)
    assert str(caught.value).startswith("--data")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "option"),
    [
        pytest.param(row.values[0], option, id=f"{option[0][2:]}-{row.id}")
        for row in WRONG
        for option in (["--data", "@{}"], ["--plan", "{}"], ["--plan", "{}.json"], ["--cacert", "{}"])
        # A long body is sent from its file, in pieces.
        if row.id != "NUL" and (row.id, option[0]) != ("huge", "--data")
    ],
)
def test_each_option_that_names_a_file_refuses_it(
    tmp_path: Path, make: Callable[[Path], Path], option: list[str]
) -> None:
    name, pattern = option
    path = make(tmp_path / "x")
    if pattern.endswith(".json") and path.is_relative_to(tmp_path):
        path = path.rename(tmp_path / "x.json")
        pattern = "{}"
    done = run_cli("compare", "https://127.0.0.1:1/", name, pattern.format(path), "--out", "run", cwd=tmp_path)
    # A certificate is read by the worker, which finds none in a regular file like /proc/self/mem.
    assert (done.code, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert list(tmp_path.iterdir()) in ([], [path])


@pytest.mark.parametrize("make", [row.values[0] for row in WRONG if row.id not in ("memory", "NUL")])
def test_a_file_for_a_library_is_a_regular_one(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    with pytest.raises(PlanError, match="--cacert"):
        check_regular(make(tmp_path / "x"), "--cacert", MIB)


def test_content_up_to_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for content in (b"", b"\0\xff", b"x" * MIB, b"x" * (3 * MIB)):
        path.write_bytes(content)
        assert read_input(path, "--data", 3 * MIB) == content
        check_regular(path, "--data", 3 * MIB)
    path.write_bytes(b"x" * (3 * MIB + 1))
    with pytest.raises(PlanError, match="longer than 3 MiB"):
        read_input(path, "--data", 3 * MIB)


def test_what_a_command_writes_into_a_pipe_is_content(tmp_path: Path) -> None:
    """A shell's `<(command)` is such a pipe, which the command may be slow to fill."""
    ours, theirs = os.pipe()
    content = b"hello" * 100_000

    def write() -> None:
        with os.fdopen(theirs, "wb") as file:
            file.write(content)

    writer = threading.Thread(target=write)
    writer.start()
    assert read_input(Path(f"/dev/fd/{ours}"), "--data", MIB) == content
    writer.join()
    os.close(ours)
