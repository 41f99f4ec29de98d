"""How a connection goes on after a response: closed, used once more, or neither."""

from __future__ import annotations

import pytest

from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_S
from loadgen.probe.after_response import Next, after_response
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.session import AuditState, ProbeSession
from tests.support.processes import HELLO, Script, scripted_server
from tests.support.violations.persistence import falls_silent, keeps, serves


@pytest.mark.parametrize(
    ("script", "what", "ended"),
    [(serves(HELLO), Next.CLOSED, "fin"), (keeps(HELLO), Next.ANSWERED, ""), (falls_silent(HELLO), Next.SILENT, "")],
)
def test_what_comes_next(script: Script, what: Next, ended: str) -> None:
    with scripted_server(script) as port:
        target = parse_target(f"http://127.0.0.1:{port}/")
        plan = AuditPlan(target=target, timeout_ns=NS_PER_S // 5)
        session = ProbeSession(AuditState.of(plan), "test", 2, 1)
        with session.open() as stream:
            found = after_response(session, stream, session.ask(stream), NS_PER_S // 50)
    assert (found.what, found.ended) == (what, ended)
    assert (found.closed_ns is not None) == (what is Next.CLOSED)
