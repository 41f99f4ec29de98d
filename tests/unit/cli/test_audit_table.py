"""The table of an audit on terminals of any width: nothing is cut off."""

from __future__ import annotations

import pytest

from loadgen.cli.audit_table import VERDICT_STYLES, audit_lines
from loadgen.model.audit import Verdict
from loadgen.show.tables.findings import findings
from tests.support.audit_records import audit_record, finding_record
from tests.support.hostile_texts import TERMINAL


def lines(width: int) -> list[str]:
    return [line.plain for line in audit_lines(audit_record(), width)]


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_every_word_is_there_and_no_line_is_too_long(width: int) -> None:
    found = lines(width)
    assert max(map(len, found)) <= width
    words = set(" ".join(found).split())
    table = findings(audit_record())
    assert {word for row in table.rows for cell in row for word in cell.split()} - {"–"} <= words


def test_groups_stand_above_their_checks() -> None:
    found = lines(120)
    places = [found.index(group) for group in ("Persistent connections", "Idle timeouts", "Closing")]
    assert places == sorted(places)
    assert found[places[1] + 1].startswith("  Idle timeout                 warning    75.1 s (75.0 s to 75.3 s)")
    assert "→ the server closes later than it says" in found[places[1] + 2]


def test_checks_that_say_the_same_are_one_row_which_names_them() -> None:
    silent = {"measured": "no response to a plain request", "announced": None}
    found = {f"x{number}": finding_record("unknown", **silent, title=f"Check {number}") for number in range(4)}
    lines = [line.plain for line in audit_lines(audit_record(found), 200)]
    text = " ".join(" ".join(lines).split())
    assert "4 checks unknown no response to a plain request (Check 0, Check 1, Check 2, Check 3)" in text
    two = dict(list(found.items())[:2])
    assert len([one for one in audit_lines(audit_record(two), 120) if "no response" in one.plain]) == 2


def test_each_verdict_has_a_colour() -> None:
    assert set(VERDICT_STYLES) == {one.value for one in Verdict}


def test_what_a_server_says_is_inert() -> None:
    audit = audit_record({"x": finding_record(announced=TERMINAL, measured=TERMINAL)})
    text = "\n".join(line.plain for line in audit_lines(audit, 100))
    assert text.replace("\n", "").isprintable()
