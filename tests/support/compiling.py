"""Whether the core can be compiled here."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

SETUP = Path(__file__).parents[2] / "setup.py"


@cache
def obstacle(before: str = "") -> str:
    """What setup.py says stands in the way, "" where nothing does; `before` is run first, to change what it finds.

    In a process of its own: setuptools replaces modules of the standard library.
    """
    code = f"import runpy\n{before}\nprint(runpy.run_path({str(SETUP)!r})['obstacle']() or '')"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
