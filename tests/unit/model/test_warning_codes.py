"""The table of warnings: every row is emitted somewhere, and nothing is emitted that has no row."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

from loadgen.model.warning_codes import WarningCode
from loadgen.model.warning_row import markdown_table

PACKAGE = Path(__file__).parents[3] / "loadgen"
TABLE = PACKAGE / "model" / "warning_codes.py"


@cache
def named_codes() -> tuple[frozenset[str], frozenset[object]]:
    """What the package's other modules have of codes: the rows that they name, and codes written as texts.

    Each file is read once for both, and its tree dropped. Those that can't have any are not parsed, which takes long.
    """
    rows, texts = set(), set()
    for path in PACKAGE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if path == TABLE or not ("WarningCode" in source or re.search(r"[\"']code[\"']", source)):
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "WarningCode":
                rows.add(node.attr)
            elif isinstance(node, ast.Dict) and "message" in [getattr(key, "value", None) for key in node.keys]:
                texts |= {
                    value.value
                    for key, value in zip(node.keys, node.values, strict=True)
                    if isinstance(key, ast.Constant) and key.value == "code" and isinstance(value, ast.Constant)
                }
    return frozenset(rows), frozenset(texts)


def test_every_row_is_emitted_somewhere() -> None:
    used, _ = named_codes()
    unused = set(WarningCode.__members__) - used
    assert not unused, f"emit it in loadgen/measure/warnings/, or take its row out of the table: {unused}"
    assert used == set(WarningCode.__members__)


def test_no_warning_has_a_code_outside_the_table() -> None:
    """A warning is made as {"code": ..., "message": ...}; its code comes from the table, never from a text."""
    _, texts = named_codes()
    assert texts == set()


def test_a_code_is_a_word_for_scripts_and_says_when_it_appears() -> None:
    for code in WarningCode:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code), code
        assert code == code.name.lower()
        assert code.when.endswith("."), code
        assert not code.action or code.action.endswith("."), code
        assert "|" not in code.when + code.action, "it would end a cell of the table"


def test_a_code_is_plain_text_in_json() -> None:
    assert json.dumps({"code": WarningCode.DIED}) == '{"code": "died"}'


def test_the_page_has_a_row_for_each() -> None:
    head, rule, *rows = markdown_table(WarningCode).splitlines()
    assert head == "| code | when | what to do |"
    assert set(rule) <= set("|- ")
    assert [row.split("`")[1] for row in rows] == [code.value for code in WarningCode]
