"""`--probe`: an audit before the load, whose findings lie beside the comparison and explain its warnings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.processes import QUICK, Nginx, loadgen


@pytest.mark.usefixtures("no_drawing")
def test_findings_explain_the_warnings_of_a_limited_server(nginx: Nginx, tmp_path: Path) -> None:
    url = nginx.limited
    done = loadgen("compare", url, "--probe", "--users", "2", *QUICK, "--out", "run", "--json", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr.startswith("loadgen: ")
    assert f" probes of {url}: at most " in done.stderr  # said beforehand
    summary = json.loads(done.stdout)
    audit = summary["environment"]["audit"]
    assert audit["url"] == url
    assert audit["end"] == "done"
    assert audit["findings"]["max_requests"]["values"]["closed_after"] == 5
    assert audit["findings"]["idle_timeout"]["values"]["timeout_ns"] == pytest.approx(10**9, rel=0.1)
    assert summary["policies"]["persistent"]["connections"]["requests_per_connection"] == pytest.approx(5, abs=0.5)
    (early,) = [one["message"] for one in summary["warnings"] if one["code"] == "connections_not_ideal"]
    assert early.endswith("; the audit found that this server allows 5 requests per connection")
    rebuilt = loadgen("report", "run", "--json", cwd=tmp_path)
    assert rebuilt.returncode == 0
    assert json.loads(rebuilt.stdout)["warnings"] == summary["warnings"]
