"""A cell's request in the form of each protocol."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.drive.requests.encoding import encoder_for, field_section, h2c_fields, websocket_message
from loadgen.model.body_transfer import BodyTransfer
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.wire.http2.stream import StreamRequest


def plan(policy: str = "h2-prior", **values: Any) -> Plan:
    return Plan(parse_target("http://h:81/a?b=1"), parse_policies(policy), **values)


def http1(is_last: bool, cookies: str, upgrade: Any = ()) -> bytes:
    return f"{is_last} {cookies} {upgrade}".encode()


def test_http1_is_written_by_its_own_writer() -> None:
    one = plan("persistent")
    assert encoder_for(one, one.cells[0], http1) is http1


def test_http2_has_pseudo_fields_and_no_field_of_a_connection() -> None:
    headers = (("X-A", "1"), ("Keep-alive-ish", "x"), ("Authorization", "secret"))
    fields = field_section(plan(headers=headers, method="POST", body=b"hello", trailers=True), "/a", "s=1")
    assert fields[:4] == (
        (b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"h:81"), (b":path", b"/a"),
    )  # fmt: skip
    rest = {name: value for name, value in fields[4:]}  # noqa: C416 # secret fields are not plain tuples
    assert rest[b"x-a"] == b"1"
    assert rest[b"cookie"] == b"s=1"
    assert rest[b"content-length"] == b"5"
    assert rest[b"te"] == b"trailers"
    assert not rest.keys() & {b"host", b"connection"}


def test_secrets_stay_out_of_the_peers_table() -> None:
    fields = field_section(plan(headers=(("Authorization", "secret"),)), "/", "s=1")
    never_indexed = {bytes(name) for name, *_ in fields if type(_field(fields, name)) is not tuple}
    assert never_indexed == {b"authorization", b"cookie"}


def _field(fields: Any, name: bytes) -> Any:
    return next(field for field in fields if field[0] == name)


@pytest.mark.parametrize(("policy", "closes"), [("h2-prior+recycle:2", True), ("h2-prior+recycle:2+abandon", False)])
def test_the_last_stream_announces_the_close_where_the_policy_does(policy: str, closes: bool) -> None:
    one = plan(policy)
    encode = encoder_for(one, one.cells[0], http1)
    more, last = encode(False, ""), encode(True, "")
    assert isinstance(more, StreamRequest)
    assert (more.closes, last.closes) == (False, closes)


def test_an_upgrade_to_http2_is_asked_for_with_its_settings() -> None:
    one = plan("h2c-upgrade")
    request = encoder_for(one, one.cells[0], http1)(False, "")
    assert b"HTTP2-Settings" in request.upgrade
    assert [name for name, _ in h2c_fields()] == ["Upgrade", "HTTP2-Settings"]


@pytest.mark.parametrize(
    ("body", "payload", "is_text"), [(b"", b"loadg", True), (b"own", b"own", True), (b"\xff", b"\xff", False)]
)
def test_a_message_is_the_plans_body_or_a_short_text(body: bytes, payload: bytes, is_text: bool) -> None:
    values = {"method": "POST", "body": body} if body else {}
    one = plan("websocket", **values)
    message = websocket_message(one, one.cells[0], "s=1")
    assert (message.payload, message.is_text, message.path) == (payload, is_text, "/a?b=1")
    assert ("Cookie", "s=1") in message.headers


def test_http2_says_no_length_of_a_body_in_chunks() -> None:
    one = plan(method="PUT", body=b"hello", transfer=BodyTransfer(chunked=True))
    names = {bytes(name) for name, *_ in field_section(one, "/", "")}
    assert not names & {b"content-length", b"transfer-encoding"}
    assert encoder_for(one, one.cells[0], http1)(False, "").body == b"hello"
