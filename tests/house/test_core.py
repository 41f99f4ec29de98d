"""The core runs as it says it does: all of it compiled, or all of it pure Python."""

from __future__ import annotations

import importlib
import os
from importlib.machinery import ExtensionFileLoader, SourceFileLoader
from pathlib import Path

import pytest

import loadgen
from loadgen import core
from tests.support.compiling import obstacle

PACKAGE = Path(loadgen.__file__).parent
COMPILED = sorted(path.with_suffix("") for path in PACKAGE.rglob("*.pxd") if path.with_suffix(".py").exists())


def test_the_core_is_compiled_unless_asked_otherwise() -> None:
    if os.environ.get("LOADGEN_PURE") == "1":
        assert core.running() == "pure"
        return
    if not COMPILED:
        pytest.skip("no module has a .pxd file yet")
    if reason := obstacle():
        pytest.skip(reason)
    assert core.running() == "compiled", "`make install` compiles it"


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_each_module_of_the_core_is_what_the_core_is(path: Path) -> None:
    module = importlib.import_module("loadgen." + path.relative_to(PACKAGE).as_posix().replace("/", "."))
    assert module.__spec__ is not None
    expected = ExtensionFileLoader if core.running() == "compiled" else SourceFileLoader
    assert isinstance(module.__spec__.loader, expected)


def test_no_other_module_is_compiled() -> None:
    """A leftover of another build would be imported in its source's place."""
    modules = {Path(str(path).removesuffix(core.SUFFIX)) for path in PACKAGE.rglob(f"*{core.SUFFIX}")}
    assert modules <= set(COMPILED)
