"""The content of a file, read a piece at a time while it is sent: no user holds more than a piece. Knows no socket."""

from __future__ import annotations

import os
from functools import lru_cache

from loadgen.model.body_file import BodyFile
from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import PlanError
from loadgen.wire.errors import Failure


class FileContent:
    """A Content (wire/http1/upload.py). Its file stays open as long as the process: all users share it."""

    __slots__ = ("_descriptor", "_file")

    def __init__(self, file: BodyFile) -> None:
        """Raises PlanError where the file can't be read, or is not as long as it was."""
        file.check()
        try:
            self._descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise PlanError(f"--data {file.path}: {error.strerror}") from None
        self._file = file

    def __len__(self) -> int:
        return self._file.size_bytes

    def __getitem__(self, piece: slice) -> bytes:
        begin, size = piece.start, piece.stop - piece.start
        try:
            data = os.pread(self._descriptor, size, begin)
            while len(data) < size and (more := os.pread(self._descriptor, size - len(data), begin + len(data))):
                data += more
        except OSError as error:
            raise Failure(ErrorKind.BODY_UNREADABLE, f"{self._file.path}: {error.strerror}") from None
        if len(data) < size:
            raise Failure(ErrorKind.BODY_UNREADABLE, f"{self._file.path} has become shorter than it was")
        return data


content_of = lru_cache(8)(FileContent)
"""The content of a file; the same for all that ask in this process."""
