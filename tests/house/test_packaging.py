"""pyproject.toml, constraints.txt and the package agree about versions; the lock script writes what it should."""

from __future__ import annotations

import ast
import re
import runpy
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import loadgen
from loadgen import core
from tests.support.sources import tree_of

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
PYTHONS = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if ":: Python :: 3." in line]
PINS = [
    Requirement(line)
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


@pytest.mark.parametrize("python", PYTHONS)
def test_each_python_has_one_version_of_each_package(python: str) -> None:
    pins = [pin for pin in PINS if pin.marker is None or pin.marker.evaluate({"python_version": python})]
    pinned = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}
    assert len(pinned) == len(pins)
    for line in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]:
        needed = Requirement(line)
        if needed.marker is None or needed.marker.evaluate({"python_version": python}):
            assert pinned[canonicalize_name(needed.name)] in needed.specifier, line


def test_the_oldest_python_is_the_same_everywhere() -> None:
    oldest = PYTHONS[0]
    assert SpecifierSet(PROJECT["requires-python"]) == SpecifierSet(f">={oldest}")
    assert PYPROJECT["tool"]["mypy"]["python_version"] == oldest
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"


def test_what_builds_a_wheel_builds_in_a_checkout() -> None:
    """The same versions, and pinned: pip builds a wheel in an environment of its own, `make install` in `.venv`."""
    assert set(PYPROJECT["build-system"]["requires"]) <= set(PROJECT["optional-dependencies"]["dev"])


def test_a_wheel_holds_the_declarations() -> None:
    """Without them it would be taken for a core that has changed."""
    endings = {pattern.removeprefix("*") for pattern in PYPROJECT["tool"]["setuptools"]["package-data"]["*"]}
    assert endings == set(core.DECLARATIONS)


def test_a_wheel_holds_what_pages_are_made_of() -> None:
    data = PYPROJECT["tool"]["setuptools"]["package-data"]
    held = {
        path
        for package, patterns in data.items()
        if package != "*"
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern)
    }
    pages = [path for path in (ROOT / "loadgen").glob("**/static/**/*") if path.is_file()]
    assert len(pages) > 10
    assert set(pages) <= held


def test_no_minor_version_is_left_out() -> None:
    minors = [int(python.partition(".")[2]) for python in PYTHONS]
    assert minors == list(range(11, 11 + len(minors)))


def test_the_version_is_the_packages_own() -> None:
    assert version("loadgen") == loadgen.__version__


def test_no_regular_expression_has_a_possessive_group() -> None:
    """CPython before 3.11.5 may match a part of such a group (gh-106052); of a character class it matches all."""
    texts = [
        (path.name, node.value if isinstance(node.value, str) else node.value.decode("latin-1"))
        for path in (ROOT / "loadgen").rglob("*.py")
        if re.search(r"[*+?]\+", path.read_text(encoding="utf-8"))  # to parse them all takes a second
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    ]
    assert [one for one in texts if re.search(r"(?<![\\(])\)[*+?]\+", one[1])] == []


@pytest.fixture(scope="module")
def lock() -> dict[str, Any]:
    """The names of .ci/lock.py, which takes pip's parser of requirements."""
    pytest.importorskip("pip", reason="this environment was made without pip")
    return runpy.run_path(str(ROOT / ".ci" / "lock.py"))


def test_a_requirement_is_resolved_where_its_marker_holds(lock: dict[str, Any]) -> None:
    requirements = ["click>=8.5", "atheris>=3.0; python_version < '3.15'"]
    assert lock["for_python"]("3.14", requirements) == ["click>=8.5", "atheris>=3.0"]
    assert lock["for_python"]("3.15", requirements) == ["click>=8.5"]


def test_versions_that_differ_get_markers(lock: dict[str, Any]) -> None:
    resolved = {
        "3.11": {"same": "1", "older": "1", "three": "1", "early": "5"},
        "3.12": {"same": "1", "older": "2", "three": "2"},
        "3.13": {"same": "1", "older": "2", "three": "3", "late": "7"},
    }
    assert lock["merge"](resolved) == [
        "early==5",
        "late==7",
        'older==1; python_version < "3.12"',
        'older==2; python_version >= "3.12"',
        "same==1",
        'three==1; python_version < "3.12"',
        'three==2; python_version >= "3.12" and python_version < "3.13"',
        'three==3; python_version >= "3.13"',
    ]


def test_a_dependency_of_another_python_is_not_overlooked(lock: dict[str, Any]) -> None:
    needs = ['shim>=2; python_version < "3.12"', 'extra; extra == "x"', "present; python_version > '3'"]
    report = {
        "environment": {"python_version": "3.13"},
        "install": [{"metadata": {"name": "a", "requires_dist": needs}}],
    }
    assert lock["overlooked"]("3.11", report, {"present": "1"}) == ["shim>=2"]
    assert lock["overlooked"]("3.13", report, {"present": "1"}) == []
