"""Which monotonic clock a process reads: that of its machine's last start, moved by its time namespace."""

from __future__ import annotations

from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_OFFSETS = Path("/proc/self/timens_offsets")


def clock_id(boot_id: Path = _BOOT_ID, offsets: Path = _OFFSETS) -> str | None:
    """Processes with the same one read the same clock; None where the system does not say."""
    try:
        found = boot_id.read_text(encoding="ascii").strip()
    except OSError:
        return None
    try:
        lines = [line.split() for line in offsets.read_text(encoding="ascii").splitlines()]
    except OSError:  # a kernel without time namespaces
        return found
    moved = [":".join(words[1:]) for words in lines if words[:1] == ["monotonic"] and set(words[1:]) != {"0"}]
    return "+".join([found, *moved])
