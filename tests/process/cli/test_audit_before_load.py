"""`--probe`: an audit before the load, whose findings lie beside the comparison and explain its warnings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loadgen.model.units import NS_PER_MS
from loadgen.probe import audit_plan
from tests.support.processes import QUICK, Nginx
from tests.support.runner import run_cli

pytestmark = pytest.mark.usefixtures("no_drawing")


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle connections are watched for little longer than nginx keeps them."""
    monkeypatch.setattr(audit_plan, "_QUICK_IDLE_MAX_NS", 1_500 * NS_PER_MS)


def summary_of(*arguments: str, cwd: Path) -> tuple[dict[str, Any], str]:
    """The summary that the command prints, and what it says besides."""
    done = run_cli(*arguments, "--json", cwd=cwd)
    assert done.code == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.mark.usefixtures("short_waits")
def test_findings_explain_the_warnings_of_a_limited_server(nginx: Nginx, tmp_path: Path) -> None:
    url = nginx.limited
    summary, said = summary_of("compare", url, "--probe", "--users", "2", *QUICK, "--out", "run", cwd=tmp_path)
    assert f" checks of {url}: at most " in said  # beforehand
    audit = summary["environment"]["audit"]
    assert (audit["url"], audit["end"]) == (url, "done")
    assert audit["findings"]["max_requests"]["values"]["closed_after"] == 5
    assert audit["findings"]["idle_timeout"]["values"]["timeout_ns"] == pytest.approx(10**9, rel=0.1)
    assert summary["policies"]["persistent"]["connections"]["requests_per_connection"] == pytest.approx(5, abs=0.5)
    (message,) = [one["message"] for one in summary["warnings"] if one["code"] == "connections_not_ideal"]
    assert message.endswith("; the audit found that this server allows 5 requests per connection")
    rebuilt, _ = summary_of("report", "run", cwd=tmp_path)
    assert rebuilt["warnings"] == summary["warnings"]


@pytest.mark.usefixtures("short_waits")
def test_the_embedded_target_s_account_leaves_the_audit_out(tmp_path: Path) -> None:
    summary, _ = summary_of("compare", "--probe", "--users", "2", *QUICK, "--out", "run", cwd=tmp_path)
    environment, policies = summary["environment"], summary["policies"]
    assert environment["audit"]["connections"] > 20
    assert environment["audit"]["findings"]["persistent_by_default"]["verdict"] == "ok"
    opened = sum(one["connections"]["opened"] for one in policies.values())
    assert environment["embedded_target"]["accepted"] == opened
