"""Writes constraints.txt: one version of each package for each CPython that pyproject.toml's classifiers name.

    make lock                keeps every present version that still fits
    make lock UPGRADE=1      takes the newest versions

pip, as this machine has it configured, resolves for each CPython in turn; that CPython need not be installed. All
results stand in one file: most versions are the same for every CPython, the others carry a marker.

The script needs no package but pip, so that it works when the present constraints do not.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from itertools import chain, groupby
from pathlib import Path
from typing import Any

# pip's own copy: it is there wherever pip is.
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
HEADER = """\
# Versions that are tested together, for each CPython that loadgen supports: pip install -c constraints.txt ...
# Made by `make lock`; do not edit.
"""
_CLASSIFIER = "Programming Language :: Python :: 3."
_CONFLICTING_PIN = re.compile(r"\(constraint\) (\S+)==")


class Unresolvable(Exception):
    """pip found no set of versions; the message holds pip's reason."""


def main(upgrade: bool) -> None:
    """Resolve for each CPython, then write the file once; a failure leaves the present file as it is."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    pythons = sorted(
        (
            line.removeprefix("Programming Language :: Python :: ")
            for line in project["classifiers"]
            if _CLASSIFIER in line
        ),
        key=_minor,
    )
    resolved = {}
    for python in pythons:
        present = {} if upgrade else present_pins(python)
        resolved[python] = resolve(python, requirements, present)
        print(f"CPython {python}: {len(resolved[python])} packages")
    CONSTRAINTS.write_text(HEADER + "".join(f"{line}\n" for line in merge(resolved)), encoding="utf-8")
    following = f"3.{_minor(pythons[-1]) + 1}"
    try:
        resolve(following, requirements, {})
    except Unresolvable:
        return
    print(f"CPython {following} has every package too: add its classifier to pyproject.toml and run this again")


def _minor(python: str) -> int:
    return int(python.split(".")[1])


def present_pins(python: str) -> dict[str, str]:
    """The versions that constraints.txt holds for this CPython."""
    pins = {}
    for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            if pin.marker is None or pin.marker.evaluate({"python_version": python}):
                pins[pin.name] = str(pin.specifier).removeprefix("==")
    return pins


def resolve(python: str, requirements: list[str], keep: dict[str, str]) -> dict[str, str]:
    """Versions of everything that `requirements` need under this CPython; gives up kept ones that stand in the way."""
    wanted, keep = for_python(python, requirements), dict(keep)
    while True:
        try:
            report = _ask_pip(python, wanted, keep)
        except Unresolvable as error:
            obstacles = set(_CONFLICTING_PIN.findall(str(error))) & keep.keys()
            if not obstacles:
                raise
            for name in obstacles:
                del keep[name]
            continue
        packages = [one["metadata"] for one in report["install"]]
        found: dict[str, str] = {canonicalize_name(one["name"]): one["version"] for one in packages}
        missing = overlooked(python, report, found)
        if not missing:
            return found
        wanted += missing


def for_python(python: str, requirements: list[str]) -> list[str]:
    """Those whose marker holds for this CPython, without it: pip would evaluate it for the one that runs it."""
    wanted = []
    for line in requirements:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"python_version": python}):
            requirement.marker = None
            wanted.append(str(requirement))
    return wanted


def _ask_pip(python: str, wanted: list[str], keep: dict[str, str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        kept, report = Path(folder, "kept.txt"), Path(folder, "report.json")
        kept.write_text("".join(f"{name}=={version}\n" for name, version in keep.items()), encoding="utf-8")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--report", str(report)),
                # pip resolves for another CPython only with wheels alone and a folder of its own; a dry run fills none.
                *("--python-version", python, "--only-binary", ":all:", "--target", str(Path(folder, "target"))),
                *("--constraint", str(kept), *wanted),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Unresolvable(f"no set of versions for CPython {python}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        answer: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return answer


def overlooked(python: str, report: dict[str, Any], found: dict[str, str]) -> list[str]:
    """What packages need under this CPython but not under the one that runs pip, whose markers pip goes by."""
    environment = report["environment"] | {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    needed = [Requirement(line) for one in report["install"] for line in one["metadata"].get("requires_dist", ())]
    return [
        f"{one.name}{one.specifier}"
        for one in needed
        if one.marker and one.marker.evaluate(environment) and canonicalize_name(one.name) not in found
    ]


def merge(resolved: dict[str, dict[str, str]]) -> list[str]:
    """Lines for all CPythons: a package has one line, or one for each stretch of CPythons with the same version."""
    pythons = list(resolved)
    lines = []
    for name in sorted(set().union(*resolved.values())):
        versions = [(python, resolved[python][name]) for python in pythons if name in resolved[python]]
        stretches = [
            (version, [python for python, _ in group]) for version, group in groupby(versions, lambda one: one[1])
        ]
        if len(stretches) == 1:
            lines.append(f"{name}=={stretches[0][0]}")
            continue
        for index, (version, [first, *_]) in enumerate(stretches):
            bounds = [f'python_version >= "{first}"'] if index else []
            if index + 1 < len(stretches):
                bounds.append(f'python_version < "{stretches[index + 1][1][0]}"')
            lines.append(f"{name}=={version}; {' and '.join(bounds)}")
    return lines


if __name__ == "__main__":
    try:
        main(upgrade="--upgrade" in sys.argv[1:])
    except Unresolvable as error:
        sys.exit(str(error))
