"""One word, one thing: no two classes, and no two modules, share a name unless they mean the same in their places."""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

from tests.support.sources import tree_of

PACKAGE = Path(__file__).parents[2] / "loadgen"

# Modules that stand in a folder of their kind, where the file is named after the word that it holds.
NAMED_BY_A_WORD = "model/policy/parts/"
# Name -> why several classes or type aliases may have it.
SAME_CLASS = {
    "Floats": "an array of float64 in each of them",
    "Found": "a warning's code and text in each of them",
}
# Base name of a module -> why several may have it.
SAME_MODULE = {
    "__init__": "what a package is opens there",
    "amortisation": "stats computes it, charts draws it",
    "arrivals": "their kinds in model, the self-check of them in measure",
    "audit": "its types in model; probe runs it",
    "balance": "measure warns of it; show has its table and its chart",
    "calibration": "its types in model, its table in show",
    "connection": "one for each protocol, in the protocol's folder, and the target's",
    "errors": "model has the table, wire says which exception is which kind",
    "floor": "measure computes it in stats and warns in warnings; show has its rows",
    "generator": "measure sums up in summary and warns in warnings; show has its table",
    "options": "model has the table; the command line and Locust's form are made from it",
    "pilot": "the command's side of a pilot, and the report's table of it",
    "probe": "the value in its room, the command in cli",
    "policy": "the value in model, its summary in measure",
    "protocol": "one for each protocol, in the protocol's folder",
    "protocols": "the words in model; measure sums up in summary and warns in warnings",
    "run": "the summary of a whole run, the warnings about it, and Locust's run",
    "run_notes": "what a run notes about itself: a local one, and one on many machines",
    "sockets": "measure sums up in summary and warns in warnings",
    "sweep": "the command, and the numbers over its cells",
    "target": "the value in model, the command in cli",
    "trailers": "the value in model; measure sums up in summary and warns in warnings",
    "transport": "the plain one, and the one through a proxy's tunnel",
}


def paths() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if NAMED_BY_A_WORD not in path.as_posix()]


@cache
def type_names(path: Path) -> frozenset[str]:
    """Classes and type aliases of a module, without the underscore of private ones."""
    found = set()
    for node in tree_of(path).body:
        if isinstance(node, ast.ClassDef):
            found.add(node.name.lstrip("_"))
        elif isinstance(node, ast.Assign):
            names = [target.id.lstrip("_") for target in node.targets if isinstance(target, ast.Name)]
            # A constant is all capitals, a function or a value all small.
            found |= {name for name in names if name[:1].isupper() and not name.isupper()}
    return frozenset(found)


def shared(places: dict[str, list[str]], allowed: dict[str, str]) -> dict[str, list[str]]:
    return {name: where for name, where in places.items() if len(where) > 1 and name not in allowed}


def test_a_class_has_a_name_of_its_own() -> None:
    places = defaultdict(list)
    for path in paths():
        for name in type_names(path):
            places[name].append(path.relative_to(PACKAGE).as_posix())
    assert shared(places, SAME_CLASS) == {}, "give one of them another name, or say in SAME_CLASS why not"


def test_a_module_has_a_name_of_its_own() -> None:
    places = defaultdict(list)
    for path in paths():
        places[path.stem].append(path.relative_to(PACKAGE).as_posix())
    assert shared(places, SAME_MODULE) == {}, "give one of them another name, or say in SAME_MODULE why not"


def test_each_exception_has_a_reason_and_is_still_needed() -> None:
    classes, modules = defaultdict(int), defaultdict(int)
    for path in paths():
        modules[path.stem] += 1
        for name in type_names(path):
            classes[name] += 1
    assert {name for name in SAME_CLASS if classes[name] < 2} == set()
    assert {name for name in SAME_MODULE if modules[name] < 2} == set()
    assert all([*SAME_CLASS.values(), *SAME_MODULE.values()])
