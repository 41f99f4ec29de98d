"""The notebook of the docs: its cells run in their order, as a notebook's kernel would run them."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

NOTEBOOK = Path(__file__).parents[3] / "docs" / "compare.ipynb"


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Run a cell; its value is that of its last line, where that is an expression."""
    body = ast.parse(source).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if isinstance(last, ast.Expr) else None


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], len({cell["id"] for cell in notebook["cells"]})) == (4, len(notebook["cells"]))
    names: dict[str, Any] = {}
    values, printed = [], []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None), "clear its outputs before a commit"
            values.append(run_cell("".join(cell["source"]), names))
            printed.append(capsys.readouterr().out)
    verdict, figures, differences, phases, _ = printed
    assert "persistent" in verdict
    assert [line.split()[0] for line in figures.splitlines()] == ["persistent", "recycle:10", "close"]
    assert differences.count("[") == 2
    assert [float(line.split()[1]) > 0 for line in phases.splitlines()] == [True] * 3
    assert isinstance(values[-1], Figure)
