"""Files that an option names, read within bounds: a directory, a device or a pipe without a writer is one line.

Waits a moment for what comes through a pipe, as from `<(command)`, and never for ever. Knows no content.
"""

from __future__ import annotations

import errno
import os
import select
import stat
from pathlib import Path

from loadgen.model.exceptions import PlanError

_MAX_WAIT_S = 5.0
_CHUNK_BYTES = 1 << 20


def read_input(path: Path, option: str, max_bytes: int) -> bytes:
    """The content of the file. Raises PlanError, with one line that names the option, where it can't be had."""
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for somebody to write.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as file:  # noqa: PTH123 # has flags
            content = _read(file.fileno(), max_bytes)
    except OSError as error:
        raise PlanError(f"{option} {path}: {error.strerror}") from None
    except ValueError:
        raise PlanError(f"{option}: {str(path)!r} is no file's name") from None
    if content is None:
        raise PlanError(f"{option} {path} is longer than {max_bytes >> 20} MiB")
    return content


def check_regular(path: Path, option: str, max_bytes: int) -> None:
    """Raise PlanError unless it is a regular file that can be read, for a library that reads it later."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as file:  # noqa: PTH123 # has flags
            found = os.fstat(file.fileno())
            if stat.S_ISDIR(found.st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError as error:
        raise PlanError(f"{option} {path}: {error.strerror}") from None
    except ValueError:
        raise PlanError(f"{option}: {str(path)!r} is no file's name") from None
    if not stat.S_ISREG(found.st_mode):
        raise PlanError(f"{option} {path} is not a regular file")
    if found.st_size > max_bytes:
        raise PlanError(f"{option} {path} is longer than {max_bytes >> 20} MiB")


def _read(descriptor: int, max_bytes: int) -> bytes | None:
    """All that comes; None where that is too long. Raises OSError, also where nothing comes."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    chunks: list[bytes] = []
    left = max_bytes + 1
    while left > 0:
        if not stat.S_ISREG(mode):
            _await_data(descriptor)
        chunk = os.read(descriptor, min(_CHUNK_BYTES, left))
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
        left -= len(chunk)
    return None


def _await_data(descriptor: int) -> None:
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    if not poller.poll(_MAX_WAIT_S * 1000):
        raise TimeoutError(errno.ETIMEDOUT, f"nothing came from it within {_MAX_WAIT_S:g} s")
