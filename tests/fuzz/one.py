"""Fuzzes one target with atheris in this process: `python -m tests.fuzz.one TARGET [libFuzzer's arguments]`.

As pure Python, whose branches atheris counts. libFuzzer ends the process, so the runner starts one for each target.
"""

from __future__ import annotations

import sys

import atheris

# First: it decides which core is loaded, by an import hook of its own, which atheris's has to come before.
import loadgen  # noqa: F401

# Counts the branches of what is imported here: the libraries that read for us, too.
with atheris.instrument_imports(include=["loadgen.wire", "h2", "hpack", "hyperframe", "websockets"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Run until libFuzzer's own limit, or until an input breaks the target."""
    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
