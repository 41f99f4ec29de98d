"""Files in a folder of results: whole or not there at all, and never through a link."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.files import (
    check_folder_name,
    check_writable,
    open_own,
    refuse_links,
    remove_leftovers,
    unfinished_path,
    write_new,
    write_whole,
)

MINE = b"mine"


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file that nothing here may change."""
    path = tmp_path / "outside"
    path.write_bytes(MINE)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    path.mkdir()
    return path


def test_a_file_is_written_over(folder: Path) -> None:
    for text in (b"old", b"new"):
        write_whole(folder / "a", lambda file, text=text: file.write(text))  # type: ignore[misc] # a value of the loop
        assert content(folder) == {"a": text}


def test_a_failure_leaves_the_old_file(folder: Path) -> None:
    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "full")

    (folder / "a").write_bytes(b"old")
    with pytest.raises(OSError, match="full"):
        write_whole(folder / "a", fail)
    assert content(folder) == {"a": b"old"}


def write_a(folder: Path) -> None:
    write_whole(folder / "a", lambda file: file.write(b"x"))


def append_b(folder: Path) -> None:
    with open(folder / "b", "ab", opener=open_own) as file:
        file.write(b"x")


@pytest.mark.parametrize("write", [write_a, append_b])
@pytest.mark.parametrize("make", [Path.symlink_to, lambda path, _to: os.mkfifo(path)], ids=["link", "fifo"])
def test_no_link_is_written_through(
    folder: Path, outside: Path, write: Callable[[Path], None], make: Callable[[Path, Path], None]
) -> None:
    for name in ("a", ".a.new", "b"):
        make(folder / name, outside)
    if write is append_b:
        if (folder / "b").is_fifo():
            reader = os.open(folder / "b", os.O_RDONLY | os.O_NONBLOCK)  # or the writer would wait for one
            try:
                with pytest.raises(OSError, match="no plain file"):
                    write(folder)
            finally:
                os.close(reader)
        else:
            with pytest.raises(OSError) as caught:
                write(folder)
            assert caught.value.errno == errno.ELOOP
    else:
        write(folder)
        assert (folder / "a").read_bytes() == b"x"
        assert not (folder / "a").is_symlink()
    assert outside.read_bytes() == MINE


def test_links_are_found_wherever_they_lie(folder: Path, outside: Path) -> None:
    (folder / "worker-0").mkdir()
    (folder / "worker-0" / "x.rows").touch()
    refuse_links(folder)
    refuse_links(folder / "missing")
    link = folder / "worker-0" / "y.rows"
    link.symlink_to(outside)
    with pytest.raises(PlanError, match=r"y\.rows is a symbolic link"):
        refuse_links(folder)
    link.unlink()
    (folder / "worker-1").symlink_to(folder / "nowhere")
    with pytest.raises(PlanError, match="worker-1 is a symbolic link"):
        refuse_links(folder)


def test_leftovers_go_and_nothing_else(folder: Path, outside: Path) -> None:
    unfinished_path(folder / "run.json").write_bytes(b"half")
    unfinished_path(folder / "report.html").symlink_to(outside)
    for name in (".new", "a.new", ".hidden"):
        (folder / name).touch()
    remove_leftovers(folder)
    assert set(content(folder)) == {".new", "a.new", ".hidden"}
    assert outside.read_bytes() == MINE


@pytest.mark.parametrize("has_links", [True, False])
def test_a_name_that_is_taken_stays(
    folder: Path, outside: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    if not has_links:
        monkeypatch.setattr(Path, "hardlink_to", no_links)
    write_new(folder / "plan", b"one")
    with pytest.raises(FileExistsError):
        write_new(folder / "plan", b"two")
    (folder / "link").symlink_to(folder / "nowhere")
    with pytest.raises(FileExistsError):
        write_new(folder / "link", b"two")
    assert (folder / "plan").read_bytes() == b"one"
    assert {path.name for path in folder.iterdir()} == {"plan", "link"}


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/x", ".x", "-rf", "a\0b", "a\nb", "é" * 101, "\udcff"])
def test_these_name_no_folder(name: str) -> None:
    with pytest.raises(PlanError, match=r"^--name .* can't be a folder's name$"):
        check_folder_name(name, "--name")


@pytest.mark.parametrize("name", ["a", "20260102-030405", "a b", "é" * 100, "a..b", "x-y"])
def test_these_do(name: str) -> None:
    check_folder_name(name, "--name")


def test_a_pipe_or_a_device_is_not_replaced(folder: Path) -> None:
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(PlanError, match="no plain file"):
        check_writable(pipe, "--html")
    assert pipe.is_fifo()


def test_a_file_that_could_not_be_written_is_refused_beforehand(tmp_path: Path) -> None:
    free = tmp_path / "new.html"
    check_writable(free, "--html")
    assert list(tmp_path.iterdir()) == []
    free.write_text("old", encoding="utf-8")
    check_writable(free, "--html")
    assert free.read_text(encoding="utf-8") == "old"
    with pytest.raises(PlanError, match=r"--html .* is a folder"):
        check_writable(tmp_path, "--html")
    with pytest.raises(PlanError, match=r"--html .* can't be written: No such file"):
        check_writable(tmp_path / "no" / "such", "--html")
    with pytest.raises(PlanError, match=r"--html .* can't be written: File name too long"):
        check_writable(tmp_path / ("x" * 300), "--html")
