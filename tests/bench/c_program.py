"""Compiles the small C programs of this folder, where a compiler is there."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.bench.machine import find


def compiled(name: str, folder: Path) -> Path | None:
    """The program made from `name`.c, or None without a C compiler. Raises CalledProcessError if that fails."""
    compiler = find("cc")
    if compiler is None:
        return None
    program = folder / name
    source = Path(__file__).with_name(f"{name}.c")
    warnings = ["-std=gnu11", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, "-O2", *warnings, "-o", str(program), str(source)], check=True)
    return program
