"""The body of the request: a text, or the content of a file that an option names. Sends nothing."""

from __future__ import annotations

import os
from pathlib import Path

from loadgen.model.exceptions import PlanError
from loadgen.model.input_files import read_input

MAX_BODY_BYTES = 64 << 20
"""The longest body that is read whole."""


def read_body(data: str | bytes, folder: Path = Path(), said_in: str = "--data") -> bytes:
    """What --data says, or another place: bytes as they are, a text, or `@FILE` in `folder`. Raises PlanError."""
    if isinstance(data, bytes):
        return data
    if not data.startswith("@"):
        return os.fsencode(data)
    if data == "@":
        raise PlanError(f"{said_in} @ names no file; write it like @picture.png")
    return read_input(folder / data[1:], said_in, MAX_BODY_BYTES)
