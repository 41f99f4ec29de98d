"""Types of options that name files or folders. See value_types."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from loadgen.model.value_types import Words, shortened


class FileName(Words):
    """The name of a file or folder as a text."""

    def read(self, text: str) -> Any:
        try:
            named = b"\0" not in os.fsencode(super().read(text))
        except UnicodeEncodeError:
            named = False
        if not named:
            raise ValueError(f"{shortened(text)!r} holds a character that no file's name can have")
        return text


class FilePath(FileName):
    """The name of a file or folder, which need not exist, as a path."""

    name = "path"

    def read(self, text: str) -> Path:
        return Path(super().read(text))


class Folders(FilePath):
    """Folders, each given by an option of its own."""

    is_repeated = True
