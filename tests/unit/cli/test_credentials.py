"""What a run did not record because it is secret: given again, it completes the plan; nothing else of it changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadgen.cli.credentials import with_secrets
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.plan_value_types import Body, Header, ProxyUrl, Url
from loadgen.model.policy import parse_policies
from loadgen.model.request_list import read_requests

URL = "http://127.0.0.1:8080/x?a=1&token=c4n4ry"
BODY = "user=me&password=c4n4ry"
SECRET: dict[str, Any] = {
    "url": URL,
    "headers": [["Authorization", "c4n4ry"], ["X", "1"], ["Referer", "http://h/?sid=c4n4ry"]],
    "proxy": "http://u:c4n4ry@127.0.0.1:3128",
}
GIVEN: dict[str, Any] = {
    "url": URL,
    "header": ("authorization: c4n4ry", "Referer: http://h/?sid=c4n4ry"),
    "proxy": "http://u:c4n4ry@127.0.0.1:3128",
    "data": BODY,
    "urls": None,
}


def secret_plan() -> Plan:
    """A plan with a secret in each of its carriers."""
    return Plan(
        target=Url().make(SECRET["url"]),
        policies=parse_policies("close"),
        method="POST",
        headers=Header().restore(SECRET["headers"]),
        body=Body().make(BODY),
        proxy=ProxyUrl().make(SECRET["proxy"]),
    )


def recorded() -> Plan:
    """The same as a run records it."""
    record = secret_plan().to_json(secrets=False)
    assert "c4n4ry" not in repr(record)
    return Plan.from_json(record)


def test_what_is_given_again_makes_the_plan_whole() -> None:
    assert with_secrets(recorded(), GIVEN) == secret_plan()


def test_a_plan_without_secrets_needs_nothing() -> None:
    plan = Plan(target=Url().make("http://h/"), policies=parse_policies("close"))
    assert with_secrets(plan, dict.fromkeys(GIVEN) | {"header": ()}) == plan


def test_a_list_of_requests_is_given_again_whole(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("id,x\n1,2\n")
    lines = '{"url": "/a?token=c4n4ry"}\n{"url": "/{id}", "csv": "v.csv"}\n'
    (tmp_path / "urls").write_text(lines)
    (tmp_path / "other").write_text(lines + '{"url": "/more"}')
    target = Url().make("http://h/")
    plan = Plan(target, parse_policies("close"), requests=read_requests(f"{tmp_path}/urls"))
    lacking = Plan.from_json(plan.to_json(secrets=False))
    nothing = dict.fromkeys(GIVEN) | {"header": ()}
    assert with_secrets(lacking, nothing | {"urls": f"{tmp_path}/urls"}) == plan
    with pytest.raises(
        PlanError, match=r"did not record its token, of the request '/a\?token=\*\*\*'; give --urls again"
    ):
        with_secrets(lacking, nothing)
    with pytest.raises(PlanError, match="--urls can only give the run's own list again"):
        with_secrets(lacking, nothing | {"urls": f"{tmp_path}/other"})
    rows_alone = Plan.from_json(replace(plan, requests=plan.requests[1:]).to_json(secrets=False))
    with pytest.raises(PlanError, match=r"did not record what its csv holds, of the request '/\{id\}'; give --urls"):
        with_secrets(rows_alone, nothing)
    whole = Plan(target, plan.policies, requests=read_requests('{"url": "/"}'))
    assert with_secrets(whole, nothing) == whole
    with pytest.raises(PlanError, match="--urls can only give the run's own list again"):
        with_secrets(whole, nothing | {"urls": f"{tmp_path}/urls"})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"url": None}, "did not record its URL's token; give the URL again: http://127.0.0.1:8080/x"),
        ({"url": URL.replace("x", "y")}, "a URL can only give the run's own again"),
        ({"url": URL.replace("c4n4ry", "***")}, "a URL can only give the run's own again"),
        ({"data": None}, "did not record its body's password; give --data again"),
        ({"data": BODY + "&more=1"}, "--data can only give the run's own again"),
        ({"proxy": None}, "did not record its proxy's credentials"),
        ({"header": ("Authorization: c4n4ry",)}, "did not record its credential Referer"),
        ({"header": (*GIVEN["header"], "Y: 1")}, "the header 'y' can't be added"),
    ],
    ids=str,
)
def test_nothing_else_changes(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint.replace("?", r"\?")) as caught:
        with_secrets(recorded(), GIVEN | changes)
    assert "c4n4ry" not in str(caught.value)
