"""Output streams that fail: what was written is dropped, and the first reason kept."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from loadgen.cli.stdio import GuardedStream, guard, output_failure, print_error

TEXT = "26.7 µs ±2%, 1.5× – ∞\n"


def test_what_can_be_written_is(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        stream = GuardedStream(file.fileno())
        assert stream.write(b"hello") == 5
        assert stream.failure is None
    assert (tmp_path / "out").read_bytes() == b"hello"


def test_the_first_failure_is_kept_and_the_rest_dropped() -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        stream = GuardedStream(descriptor)
        assert stream.write(b"hello") == 5
        first = stream.failure
        assert stream.write(b"more") == 4
    finally:
        os.close(descriptor)
    assert first is not None
    assert stream.failure is first
    assert first.errno == errno.ENOSPC


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (None, ""),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), ""),
        (OSError(errno.ENOSPC, "No space left on device"), "can't write to standard output: No space left on device"),
    ],
)
def test_a_reader_that_has_gone_is_no_failure(failure: OSError | None, expected: str) -> None:
    descriptor = os.open(os.devnull, os.O_WRONLY)
    try:
        stream = GuardedStream(descriptor)
        stream.failure = failure
        assert output_failure(stream) == expected
    finally:
        os.close(descriptor)


def test_a_complaint_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_error("two\n  lines")
    assert capsys.readouterr().err == "loadgen: two lines\n"


def test_a_stream_that_the_caller_closed_becomes_the_null_device(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "out").open("w", encoding="utf-8") as out:
        monkeypatch.setattr(sys, "stdin", None)
        monkeypatch.setattr(sys, "stderr", None)
        monkeypatch.setattr(sys, "stdout", out)
        output = guard()
        assert sys.stdin.read() == ""
        sys.stderr.write("lost\n")
        sys.stdout.write("kept\n")
        assert output_failure(output) == ""
        for stream in (sys.stdin, sys.stderr, sys.stdout):
            stream.close()
    assert (tmp_path / "out").read_text(encoding="utf-8") == "kept\n"


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("ascii", "26.7 us +/-2%, 1.5x - \\u221e\n"), ("latin-1", "26.7 µs ±2%, 1.5× - \\u221e\n"), ("utf-8", TEXT)],
)
def test_a_stream_without_a_character_gets_a_plainer_one(
    encoding: str, expected: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "out").open("w", encoding=encoding) as out, (tmp_path / "err").open("w", encoding=encoding) as err:
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        guard()
        for stream in (sys.stdout, sys.stderr):
            stream.write(TEXT)
            stream.flush()
    for name in ("out", "err"):
        assert (tmp_path / name).read_text(encoding=encoding) == expected
