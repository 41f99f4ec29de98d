"""What the tests themselves keep to."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_helpers_live_in_support() -> None:
    """A test file is no library: what two of them need is in tests/support, where its readers look for it."""
    borrowed = [
        f"{path.relative_to(TESTS)}:{node.lineno} imports {node.module}"
        for path in sorted(TESTS.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and ".test_" in (node.module or "")
    ]
    assert borrowed == []
