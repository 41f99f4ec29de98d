"""How a body is sent: what a plan may ask for, and what it records."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loadgen.model.body_options import BODY_OPTIONS
from loadgen.model.body_transfer import BodyTransfer
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.request_list import as_lines, read_requests
from loadgen.model.target import parse_target

CHUNKED = BodyTransfer(chunked=True)


def plan(policies: str = "persistent", **values: Any) -> Plan:
    return Plan(**{
        "target": parse_target("http://h/"), "policies": parse_policies(policies), "method": "PUT", "body": b"x",
        **values,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"transfer": CHUNKED, "body": b""}, "--chunked is for a request with a body"),
        ({"transfer": BodyTransfer(chunk_bytes=9)}, "--chunk-size is for a body in chunks"),
        ({"transfer": BodyTransfer(chunked=True, chunk_bytes=0)}, "--chunk-size is 0; at least 1 is needed"),
        ({"transfer": BodyTransfer(continue_timeout_ns=0)}, "--continue-timeout is 0 ns; at least 1 ms is needed"),
        ({"transfer": CHUNKED, "policies": "persistent,http10"}, "HTTP/1.0 has no chunks"),
        ({"transfer": CHUNKED, "policies": "websocket"}, "the policy websocket sends messages"),
        ({"requests": read_requests('{"url": "/", "chunked": true}'), "body": b""}, "is chunked, and it has no body"),
        (
            {"requests": read_requests('{"url": "/", "body": "x", "chunked": true}'), "policies": "http10"},
            "HTTP/1.0 has no chunks",
        ),
    ],
)  # fmt: skip
def test_what_can_not_be_sent_so_is_refused(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        plan(**values)


def test_each_of_several_requests_may_ask_for_chunks() -> None:
    requests = read_requests('{"url": "/a", "body": "x", "chunked": true}\n{"url": "/b", "body": "x"}\n{"url": "/c"}')
    assert read_requests(as_lines(requests)) == requests
    own = plan(requests=requests, body=b"", transfer=BodyTransfer(chunk_bytes=9))
    assert [own.of_request(one).transfer.chunked for one in requests] == [True, False, False]
    every = plan(requests=requests, body=b"", transfer=CHUNKED)
    assert [every.of_request(one).transfer.chunked for one in requests] == [True, True, False]
    assert Plan.from_json(json.loads(json.dumps(own.to_json(secrets=True)))) == own


def test_runs_of_earlier_versions_know_no_chunks() -> None:
    recorded = plan(requests=read_requests('{"url": "/a"}')).to_json(secrets=True)
    for key in ("chunked", "chunk_bytes"):
        del recorded[key]  # type: ignore[misc] # an older one lacks it
    del recorded["urls"][0]["chunked"]
    assert Plan.from_json(recorded) == plan(requests=read_requests('{"url": "/a"}'))


def test_locust_has_these_options() -> None:
    arguments = [option.locust for option in BODY_OPTIONS if option.commands]
    assert all(argument is not None and argument.in_form for argument in arguments)


EXPECTING = BodyTransfer(expects_continue=True)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"body": b""}, "--expect-continue is for a request with a body"),
        ({"headers": (("expect", "100-continue"),)}, "can't be given beside --expect-continue"),
        ({"policies": "http10"}, "HTTP/1.0 has no 100 Continue"),
        ({"policies": "websocket"}, "the policy websocket sends messages"),
        ({"policies": "persistent,h2c-upgrade"}, "the policy h2c-upgrade sends its first request whole"),
        ({"policies": "pipeline:2", "method": "PUT"}, "has further requests in flight"),
        ({"policies": "early-data", "target": parse_target("https://h/")}, "sends its first request with the handsh"),
    ],
)
def test_a_body_that_can_not_wait_is_refused(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        plan(**values, transfer=EXPECTING)


@pytest.mark.parametrize("policy", ["h2", "h2+streams:4", "h2+pool:2"])
def test_a_body_can_wait_in_http2(policy: str) -> None:
    assert plan(policies=policy, target=parse_target("https://h/"), transfer=EXPECTING).transfer.expects(b"x")


def test_requests_without_a_body_do_not_expect() -> None:
    requests = read_requests('{"url": "/a", "body": "x"}\n{"url": "/b"}')
    both = plan(requests=requests, body=b"", transfer=EXPECTING)
    assert [both.of_request(one).transfer.expects_continue for one in requests] == [True, False]
