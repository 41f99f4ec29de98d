"""Files that options name. Looks whether they can be read, and reads nothing of them."""

from __future__ import annotations

from pathlib import Path

from loadgen.model.exceptions import PlanError


def check_readable(path: Path, option: str) -> None:
    """Raises PlanError with one line that names the option where the file can't be read."""
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise PlanError(f"{option} {path}: {error.strerror}") from None
