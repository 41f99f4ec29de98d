"""Which machine this is, and in which state: what a calibration holds for. Names no user and no host."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from loadgen.model.calibration import MachineIdentity, MachineState
from loadgen.model.run_record import EnvironmentRecord

_GOVERNOR = "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
_CPU_FACTS = "proc/cpuinfo"
_PRODUCT = "sys/class/dmi/id/product_name"
_MAX_TEXT = 80


def identity_of(environment: EnvironmentRecord) -> MachineIdentity:
    """The machine and the generator of a run: whatever changes what they cost, but for the load of the moment."""
    return {
        "cpu": environment["cpu"],
        "cpu_count": environment["cpu_count"],
        "cpus_allowed": len(environment["cpus_allowed"]),
        "system": environment["system"],
        "python": environment["python"],
        "core": environment.get("core", "pure"),
        "loadgen": environment["loadgen"],
    }


def machine_state(root: Path = Path("/")) -> MachineState:
    """What the kernel tells of it. root: where /proc and /sys lie."""
    lines = _text(root / _CPU_FACTS).splitlines()
    facts = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in reversed(lines))}
    mhz = None
    with suppress(KeyError, ValueError):
        mhz = float(facts["cpu MHz"])
    is_virtual = "hypervisor" in facts.get("flags", "").split()
    return {
        "governor": _text(root / _GOVERNOR).strip()[:_MAX_TEXT] or None,
        "frequency_mhz": mhz,
        "hypervisor": (_text(root / _PRODUCT).strip()[:_MAX_TEXT] or "yes") if is_virtual else None,
    }


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
