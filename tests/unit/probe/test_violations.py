"""A server that breaks a rule is found out, by the probe of that rule: the table of tests/support/violations."""

from __future__ import annotations

import pytest

from tests.support.audits import finding
from tests.support.processes import scripted_server
from tests.support.violations import VIOLATIONS, Violation


@pytest.mark.parametrize("violation", VIOLATIONS, ids=lambda one: f"{one.probe}: {one.name}")
def test_it_is_found(violation: Violation) -> None:
    with scripted_server(violation.script) as port:
        scheme = "https" if violation.is_tls else "http"
        found = finding(f"{scheme}://127.0.0.1:{port}/", violation.probe, **violation.plan)
    assert found["verdict"] == violation.verdict.value, found
    assert found["values"].items() >= dict(violation.values).items()
