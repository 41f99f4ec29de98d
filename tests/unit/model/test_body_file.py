"""A long body stays in its file: when, and what a plan records of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from loadgen.cli.commands import compare
from loadgen.model.body_file import BodyFile, BodyFileType, can_stream, long_file, with_body_file
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.request_list import read_requests
from tests.support.plans import URL, complaint, planned

LONG = (1 << 20) + 1


@pytest.fixture
def long(tmp_path: Path) -> str:
    """A long file without a byte on the disk."""
    path = tmp_path / "long"
    path.touch()
    os.truncate(path, LONG)
    return str(path)


def test_a_long_file_stays_where_it_is(long: str, tmp_path: Path) -> None:
    plan = planned(compare, URL, "--data", f"@{long}")
    assert (plan.body, plan.transfer.file, plan.method) == (b"", BodyFile(long, LONG), "POST")
    assert Plan.from_json(json.loads(json.dumps(plan.to_json(secrets=True)))) == plan
    assert plan.to_json(secrets=False)["body_file"] == {"file": long, "size_bytes": LONG}
    file = tmp_path / "plan.toml"
    for saved in (f"url = '{URL}'\ndata = '@long'\n", f"url = '{URL}'\ndata = '@{long}'\n"):
        file.write_text(saved)
        assert planned(compare, "--plan", str(file)).transfer.file == BodyFile(long, LONG)
    kind = BodyFileType()
    assert kind.items("body-file", plan.transfer.file) == {"data": f"@{long}"}
    assert (kind.items("body-file", None), kind.record(None, secrets=True), kind.restore(None)) == ({}, None, None)
    assert not kind.json.fits({"file": 1})


def test_what_is_short_or_can_not_go_in_pieces_is_read(long: str, tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"x")
    for data in (f"@{tmp_path}/short", "@nowhere", "text", b"bytes", None, f"@{tmp_path}"):
        assert long_file(data) is None
    assert with_body_file({"data": f"@{long}"}, parse_policies("persistent,h2"))["data"] == b""
    for policy in ("websocket", "h2c-upgrade", "pipeline:2", "early-data"):
        assert not can_stream(*parse_policies(policy))
        assert with_body_file({"data": f"@{long}"}, parse_policies(policy))["data"] == f"@{long}"
    assert with_body_file({"data": f"@{long}", "template": True}, parse_policies("close"))["data"] == f"@{long}"


def test_what_can_not_be_sent_in_pieces_is_refused_where_it_is_too_long_to_be_read(tmp_path: Path) -> None:
    path = tmp_path / "longest"
    path.touch()
    os.truncate(path, (64 << 20) + 1)
    assert "is sent in pieces, which the policy websocket can't" in complaint(
        compare, URL, "--data", f"@{path}", "--policies", "websocket"
    )


def test_a_file_that_changes_before_the_run_is_named(long: str) -> None:
    plan = planned(compare, URL, "--data", f"@{long}")
    assert plan.transfer.file is not None
    os.truncate(long, 5)
    with pytest.raises(PlanError, match="has 5 bytes and had 1,048,577 before"):
        plan.transfer.file.check()
    Path(long).unlink()
    os.mkfifo(long)
    with pytest.raises(PlanError, match="can't be read as a regular file any more"):
        plan.transfer.file.check()


def test_a_line_with_a_body_of_its_own_has_no_file() -> None:
    requests = read_requests('{"url": "/a", "body": "x"}\n{"url": "/b"}')
    plan: Any = planned(compare, URL, "--method", "PUT")
    plan = Plan(plan.target, plan.policies, method="PUT", requests=requests)
    transfer = plan.transfer.__class__(file=BodyFile("f", 9))
    assert transfer.of_request(has_body=True, has_own=True, chunked=False).file is None
    assert transfer.of_request(has_body=False, has_own=False, chunked=True).chunked
