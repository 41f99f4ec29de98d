"""The body of the request: a text, or the content of a file that an option names. Sends nothing."""

from __future__ import annotations

import os
from pathlib import Path

from loadgen.model.exceptions import PlanError

_MAX_BODY_BYTES = 64 << 20


def read_body(data: str | bytes, folder: Path = Path()) -> bytes:
    """What --data says: bytes as they are, a text, or `@FILE` in `folder`. Raises PlanError."""
    if isinstance(data, bytes):
        return data
    if not data.startswith("@"):
        return os.fsencode(data)
    path = folder / data[1:]
    check_readable(path, "--data")
    with path.open("rb") as file:
        body = file.read(_MAX_BODY_BYTES + 1)
    if len(body) > _MAX_BODY_BYTES:
        raise PlanError(f"--data {path} is longer than {_MAX_BODY_BYTES >> 20} MiB")
    return body


def check_readable(path: Path, option: str) -> None:
    """Raise PlanError, with one line that names the option, where the file can't be read."""
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise PlanError(f"{option} {path}: {error.strerror}") from None
