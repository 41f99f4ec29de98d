"""What a source file imports and holds, for the tests of the house.

What a file imports is kept, and whether it has a docstring. Its tree is not: many trees make Python's garbage collector
slower than its parser.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path


def tree_of(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> frozenset[str]:
    """Modules, and names that may be modules, which a file imports anywhere."""
    return _read(path)[0]


def has_docstring(path: Path) -> bool:
    return _read(path)[1]


@cache
def _read(path: Path) -> tuple[frozenset[str], bool]:
    tree = tree_of(path)
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names), bool(ast.get_docstring(tree))
