"""A server that breaks a rule is found out, by the probe of that rule: the table of tests/support/violations."""

from __future__ import annotations

from contextlib import ExitStack

import gevent
import pytest

from loadgen.model.audit import FindingRecord
from tests.support.audits import finding
from tests.support.processes import scripted_server
from tests.support.violations import VIOLATIONS, Violation

_PARTS = 8
"""Of the table: the rows of one part, which mostly wait, are tried side by side."""


@pytest.mark.parametrize("part", range(_PARTS))
def test_they_are_found(part: int) -> None:
    rows = VIOLATIONS[part::_PARTS]
    with ExitStack() as stack:
        ports = [stack.enter_context(scripted_server(row.script)) for row in rows]
        at_work = [gevent.spawn(_found, row, port) for row, port in zip(rows, ports, strict=True)]
        found = [one.get() for one in at_work]
    assert [
        (f"{row.probe}: {row.name}", one) for row, one in zip(rows, found, strict=True) if not _is_it(row, one)
    ] == []


def _found(row: Violation, port: int) -> FindingRecord:
    return finding(f"{'https' if row.is_tls else 'http'}://127.0.0.1:{port}/", row.probe, **row.plan)


def _is_it(row: Violation, found: FindingRecord) -> bool:
    return found["verdict"] == row.verdict.value and found["values"].items() >= dict(row.values).items()
