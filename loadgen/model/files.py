"""Files in a folder of results: whole or not there at all, under their own name in that folder, never through a link.

Another user of the machine could put a symbolic link into the folder, and have a file elsewhere overwritten by it.
Knows no run and no format.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from loadgen.model.exceptions import PlanError

_MAX_NAME_BYTES = 200  # of 255, the most that file systems take: what is written beside has a longer name
_BESIDE = ".{}.new"


def check_folder_name(name: str, option: str) -> None:
    """Raise PlanError, with one line that names the option, unless it names a folder right where it is made."""
    is_plain = name.isprintable() and "/" not in name and not name.startswith((".", "-"))
    if not (is_plain and name and len(os.fsencode(name)) <= _MAX_NAME_BYTES):
        raise PlanError(f"{option} {name!r} can't be a folder's name")


def refuse_links(folder: Path, depth: int = 1) -> None:
    """Raise PlanError where a symbolic link lies in the folder, or in a folder in it."""
    with suppress(OSError):  # the first read or write there says why
        for entry in list(os.scandir(folder)):
            if entry.is_symlink():
                raise PlanError(
                    f"{entry.path} is a symbolic link, which nothing is written through or read by; remove it"
                )
            if depth and entry.is_dir(follow_symlinks=False):
                refuse_links(Path(entry.path), depth - 1)


def remove_leftovers(folder: Path) -> None:
    """Remove what `write_whole` has left where it was killed. Only for who alone writes into the folder."""
    before, after = _BESIDE.split("{}")
    for path in folder.glob(f"{before}?*{after}"):
        with suppress(OSError):
            path.unlink()


def unfinished_path(path: Path) -> Path:
    """Where a file is written before it gets its name."""
    return path.with_name(_BESIDE.format(path.name))


def open_own(path: str | os.PathLike[str], flags: int) -> int:
    """An `opener` for open(): raises OSError (ELOOP) where a link has the name, or something that is no plain file."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.ELOOP, "it is no plain file", os.fspath(path))
    return descriptor


def write_whole(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Write beside and rename, so that a full disk or an interruption leaves the old file or none. Raises OSError."""
    new = unfinished_path(path)
    new.unlink(missing_ok=True)  # what a killed process has left, or a link
    try:
        with open(new, "xb", opener=open_own) as file:
            fill(file)
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise


def check_writable(path: Path, option: str) -> None:
    """Raise PlanError, with one line that names the option, where `write_whole` could not write the file now."""
    new = unfinished_path(path) if path.name else path
    try:
        if str(path) == "-":
            # In other options it means standard output, and a file that is called so is hard to remove.
            raise PlanError(f"{option} - is no file; give the name of one")
        if path.is_dir():
            raise PlanError(f"{option} {path} is a folder; give the name of a file")
        if path.exists() and not path.is_file():
            # Renaming would put a file in the place of a device: root may even replace /dev/null.
            raise PlanError(f"{option} {path} is no plain file; give the name of one, or of none yet")
        new.unlink(missing_ok=True)
        with open(new, "xb", opener=open_own):
            pass
        new.unlink()
    except OSError as error:
        raise PlanError(f"{option} {path} can't be written: {error.strerror}") from None


def write_new(path: Path, content: bytes) -> None:
    """The same for a name that must be free. Raises FileExistsError where it is not, and OSError."""
    new = unfinished_path(path)
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    new.unlink(missing_ok=True)
    try:
        with open(new, "xb", opener=open_own) as file:
            file.write(content)
        _name_if_free(new, path, content)
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def _name_if_free(new: Path, path: Path, content: bytes) -> None:
    try:
        path.hardlink_to(new)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        with path.open("xb") as file:
            file.write(content)
