"""What identifies a machine, and the state that the kernel tells of it."""

from __future__ import annotations

from pathlib import Path

from loadgen.measure.data.environment import environment
from loadgen.measure.data.machine_facts import identity_of, machine_state
from tests.support.synthetic import ENVIRONMENT


def test_the_identity_is_of_machine_and_generator() -> None:
    found = identity_of(environment())
    assert found == identity_of(environment()), "it holds from run to run"
    assert found["core"] in ("compiled", "pure")
    assert found["cpus_allowed"] >= 1
    earlier = identity_of(ENVIRONMENT)  # type: ignore[arg-type] # a run of an earlier version, without `core`
    assert (earlier["core"], earlier["cpus_allowed"]) == ("pure", 2)


def test_the_state_is_what_the_kernel_tells(tmp_path: Path) -> None:
    files = {
        "proc/cpuinfo": "cpu MHz\t\t: 2596.1\nflags\t: fpu hypervisor vme\n\ncpu MHz\t\t: 800.0\nflags\t: fpu\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
        "sys/class/dmi/id/product_name": "KVM\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="ascii")
    assert machine_state(tmp_path) == {"governor": "powersave", "frequency_mhz": 2596.1, "hypervisor": "KVM"}
    (tmp_path / "sys/class/dmi/id/product_name").unlink()
    assert machine_state(tmp_path)["hypervisor"] == "yes"


def test_what_can_t_be_read_is_null(tmp_path: Path) -> None:
    assert machine_state(tmp_path) == {"governor": None, "frequency_mhz": None, "hypervisor": None}
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("cpu MHz : fast\n", encoding="ascii")
    assert machine_state(tmp_path)["frequency_mhz"] is None
