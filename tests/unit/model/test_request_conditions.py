from __future__ import annotations

from typing import Any

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.named_target import NamedTarget
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.request_list import read_requests
from loadgen.model.target import parse_target


@pytest.mark.parametrize(
    ("line", "changes", "complaint"),
    [
        ('{"url": "http://other/"}', {}, "no line of --urls is for the target, http://h; leave its URL out"),
        (
            '{"url": "/", "name": "a"}\n{"url": "http://other/"}',
            {"policies": parse_policies("h2+streams:2")},
            "the policy h2.streams:2 has several requests of a user in flight",
        ),
        (
            '{"url": "http://other/"}',
            {"targets": tuple(NamedTarget(name, parse_target(f"http://{name}/")) for name in "hi")},
            "is for http://other, and a target is http://h; each of several targets gets all requests",
        ),
        ('{"url": "/"}', {"policies": parse_policies("websocket")}, "sends messages"),
        ('{"url": "/"}', {"retry_stale": True}, "--retry-stale is for one request"),
        ('{"url": "/"}\n{"url": "/", "method": "HEAD"}', {"policies": parse_policies("pipeline:2")}, "lists HEAD"),
        ('{"url": "/"}\n{"url": "/", "method": "POST"}', {"policies": parse_policies("pipeline:2")}, "POST can't be"),
    ],
)
def test_a_plan_that_can_not_have_them_is_refused(line: str, changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        Plan(
            **{"target": parse_target("http://h/"), "policies": parse_policies("close"), **changes},
            requests=read_requests(line),
        )
