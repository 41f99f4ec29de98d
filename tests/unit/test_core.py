"""Which core is chosen, over a package of two modules; nothing is compiled, a file of the right name is enough."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

import loadgen.core

SOURCES = {"wire/head.py": b"HEAD = 1\n", "wire/head.pxd": b"", "wire/types.pxd": b"ctypedef long long ns\n"}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package whose core is compiled, and a module beside it that is not."""
    package = tmp_path / "loadgen"
    (package / "wire").mkdir(parents=True)
    shutil.copy(loadgen.core.__file__, package / "core.py")
    for path, content in SOURCES.items():
        (package / path).write_bytes(content)
    (package / "wire" / "plain.py").write_bytes(b"PLAIN = 1\n")
    (package / f"wire/head{loadgen.core.SUFFIX}").write_bytes(b"")
    lines = [f"{loadgen.core.digest(content)} {path}\n" for path, content in SOURCES.items()]
    (package / loadgen.core.RECORD).write_text("".join(["# made by a test\n", *lines]), encoding="utf-8")
    return package


@pytest.fixture(autouse=True)
def _interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(sys, "_xoptions", {})
    monkeypatch.delenv("LOADGEN_PURE", raising=False)


def choose(package: Path) -> ModuleType:
    """The module of this package, after its choice."""
    spec = importlib.util.spec_from_file_location("core_of_a_test", package / "core.py")
    assert spec is not None
    assert spec.loader is not None
    core = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(core)
    core.choose()
    return core


def test_an_unchanged_core_runs_compiled(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = list(sys.meta_path)
    core = choose(package)
    assert (core.running(), core.interpreter_options()) == ("compiled", ())
    assert sys.meta_path == before
    assert capsys.readouterr().err == ""


def test_without_a_record_it_runs_pure(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That of another CPython is none."""
    (package / loadgen.core.RECORD).rename(package / "core.cpython-399-x86_64-linux-gnu.txt")
    assert choose(package).running() == "pure"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("path", SOURCES)
def test_a_changed_source_is_noticed(package: Path, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    (package / path).write_bytes(SOURCES[path] + b"# edited\n")
    assert choose(package).running() == "pure"
    assert capsys.readouterr().err == (
        f"loadgen: {path} has changed since the core was compiled, so all of it runs as pure Python; "
        "`make install` compiles it again\n"
    )


@pytest.mark.parametrize(
    ("path", "words"),
    [("wire/types.pxd", "wire/types.pxd has gone"), ("wire/head{}", "the extension module of wire/head.py has gone")],
)
def test_a_missing_file_is_noticed(package: Path, path: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    (package / path.format(loadgen.core.SUFFIX)).unlink()
    assert choose(package).running() == "pure"
    assert f"loadgen: {words} since" in capsys.readouterr().err


@pytest.mark.parametrize(("value", "core"), [("1", "pure"), ("yes", "pure"), ("0", "compiled"), ("", "compiled")])
def test_the_environment_asks_for_pure_python(
    package: Path, value: str, core: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOADGEN_PURE", value)
    assert choose(package).running() == core
    assert capsys.readouterr().err == ""


def test_a_child_runs_what_its_parent_runs(
    package: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reason is given once, by the parent."""
    (package / "wire/head.py").write_bytes(b"HEAD = 2\n")
    flag, option = choose(package).interpreter_options()
    capsys.readouterr()
    assert flag == "-X"
    monkeypatch.setattr(sys, "_xoptions", {option: True})
    assert choose(package).running() == "pure"
    assert capsys.readouterr().err == ""


def test_pure_python_loads_no_extension_module(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOADGEN_PURE", "1")
    choose(package)
    find, folders = sys.meta_path[0].find_spec, [str(package / "wire")]
    for name in ("head", "plain"):
        spec = find(f"loadgen.wire.{name}", folders, None)
        assert spec is not None
        assert isinstance(spec.loader, SourceFileLoader)
        assert spec.origin == str(package / "wire" / f"{name}.py")
    assert find("loadgen.wire.absent", folders, None) is None
    assert find("other.head", folders, None) is None


def test_a_folder_that_is_no_package_is_left_to_others(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A namespace package has no source of its own."""
    monkeypatch.setenv("LOADGEN_PURE", "1")
    choose(package)
    assert sys.meta_path[0].find_spec("loadgen.wire", [str(package)], None) is None
