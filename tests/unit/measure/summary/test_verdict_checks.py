"""What the verdict says of self-checks that failed."""

from __future__ import annotations

from typing import Any

from loadgen.measure.summary.verdict_checks import check_clauses


def check(name: str, passed: bool | None) -> Any:
    return {
        "name": name, "question": "is it?", "error_rate": 0.01, "passed": passed, "message": f"{name} is wrong",
        "action": "mend it", "results": [],
    }  # fmt: skip


def test_a_failed_check_says_what_to_do() -> None:
    found = check_clauses([check("a", True), check("b", False), check("c", None), check("d", False)])
    assert found == ["b is wrong: mend it", "d is wrong: mend it"]


def test_the_generator_has_words_of_its_own() -> None:
    assert check_clauses([check("generator_share", False)]) == []
