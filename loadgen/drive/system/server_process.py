"""What the server spends: CPU time, memory and open sockets of a process on this machine, with its descendants.

Reads the process's clock and /proc; sends it nothing, knows neither HTTP nor blocks. What can't be read is None.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from loadgen.model.exceptions import PlanError

PROC = Path("/proc")
_HIGHEST_PID = 1 << 22  # PID_MAX_LIMIT of linux/threads.h
_CPUCLOCK_SCHED = 2  # linux/posix-timers.h: the time that all threads of a process ran, in user and kernel mode


class ServerProcess:
    """A server's process and its descendants: the workers of nginx or gunicorn are children of the process named."""

    def __init__(self, pid: int) -> None:
        """Raises PlanError where there is no such process."""
        if not 1 <= pid <= _HIGHEST_PID or _clock_ns(pid) is None or _rss_bytes(pid) is None:
            raise PlanError(f"--server-pid {pid}: there is no such process; give the id of one that runs here")
        self._pid = pid
        self._clocks_ns: dict[int, int] = {}
        self._ended_ns = 0

    def read(self) -> dict[str, int | None]:
        """CPU time up to now, memory and sockets of now.

        Cost is dominated by counting sockets: about 5 µs per open file of the server, 0.1 s for 20,000. `cpu_ns` alone
        takes about 50 µs a process, for places where more would disturb what is being timed.
        """
        pids = list(self._family())
        return {"cpu_ns": self._cpu_ns(pids), "rss_bytes": rss_bytes(pids), "sockets": sockets(pids)}

    def cpu_ns(self) -> int | None:
        """CPU time up to now. It never falls: a worker that ended counts with its time when last read."""
        return self._cpu_ns(list(self._family()))

    def _cpu_ns(self, pids: list[int]) -> int | None:
        if not pids:
            return None
        clocks = {pid: clock for pid in pids if (clock := _clock_ns(pid)) is not None}
        for pid, last_ns in self._clocks_ns.items():
            if clocks.get(pid, -1) < last_ns:  # it ended, or its id belongs to a new process by now
                self._ended_ns += last_ns
        self._clocks_ns = clocks
        return self._ended_ns + sum(clocks.values())

    def _family(self) -> Iterator[int]:
        """The process and its descendants of now; nothing once the process itself has ended."""
        if _rss_bytes(self._pid) is None:
            return
        pids = [self._pid]
        while pids:
            pid = pids.pop()
            yield pid
            pids += _children(pid)


def own_memory() -> dict[str, int]:
    """Resident memory of this process, as a fact of a block; nothing where the kernel does not say."""
    found = rss_bytes([os.getpid()])
    return {} if found is None else {"rss_bytes": found}


def rss_bytes(pids: Iterable[int]) -> int | None:
    """Resident memory. Pages that processes share, as a fork's do, count once for each of them."""
    found = [size for pid in pids if (size := _rss_bytes(pid)) is not None]
    return sum(found) if found else None


def sockets(pids: Iterable[int]) -> int | None:
    """Open sockets of any kind; None where the files of one process may not be read, as a part is no total.

    A listening socket that workers inherited counts once for each of them.
    """
    total, seen = 0, False
    for pid in pids:
        try:
            total += _sockets(pid)
        except PermissionError:
            return None
        except OSError:  # it has ended
            continue
        seen = True
    return total if seen else None


def _sockets(pid: int) -> int:
    folder = os.open(PROC / str(pid) / "fd", os.O_RDONLY | os.O_CLOEXEC)
    try:
        names = os.listdir(folder)  # noqa: PTH208 # Path lists no descriptor, and readlink is quicker from one
        return sum(_is_socket(name, folder) for name in names)
    finally:
        os.close(folder)


def _is_socket(name: str, folder: int) -> bool:
    try:
        return os.readlink(name, dir_fd=folder).startswith("socket:")
    except FileNotFoundError:  # closed in between
        return False


def _clock_ns(pid: int) -> int | None:
    """The CPU time of all threads that a process has or had; not that of its children."""
    try:
        return time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED)
    except OSError:
        return None


def _rss_bytes(pid: int) -> int | None:
    """Resident memory; None for a process that ended, including one whose parent has not waited for it yet."""
    try:
        pages = int((PROC / str(pid) / "statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * resource.getpagesize() or None


def _children(pid: int) -> list[int]:
    """Each thread's children; none where the kernel was built without CONFIG_PROC_CHILDREN."""
    found = []
    try:
        for thread in (PROC / str(pid) / "task").iterdir():
            found += [int(child) for child in (thread / "children").read_text("ascii").split()]
    except (OSError, ValueError):
        return found
    return found
