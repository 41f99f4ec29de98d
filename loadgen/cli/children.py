"""Child processes of ours. Each ends when its parent does."""

from __future__ import annotations

import subprocess

from loadgen import COMMAND


def start(arguments: list[str], lock: int | None = None) -> subprocess.Popen[str]:
    """Start a command of ours with pipes to its standard input and output; it gets the run's lock too."""
    # A session of its own: Ctrl-C at the terminal reaches us alone, and we pass it on once.
    return subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        pass_fds=() if lock is None else (lock,),
    )
