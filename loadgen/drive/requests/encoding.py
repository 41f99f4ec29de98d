"""A cell's request, encoded for its policy's protocol: bytes, a field section or a message. Sends nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, Protocol, cast

from loadgen.model.body_transfer import BodyTransfer
from loadgen.model.cell import Cell
from loadgen.model.headers import NEVER_INDEXED
from loadgen.model.plan import Plan
from loadgen.model.policy import H2C_UPGRADE, HTTP1, WEBSOCKET, ConnectionPolicy
from loadgen.wire.http1.file_content import content_of
from loadgen.wire.http1.head import FieldLines
from loadgen.wire.http1.request_writer import build_request, build_upload, sends_length, with_defaults
from loadgen.wire.http1.upload import Content, Upload
from loadgen.wire.http2.fields import HTTP1_CONNECTION_FIELDS
from loadgen.wire.http2.hpack_cache import secret_field
from loadgen.wire.http2.stream import StreamRequest
from loadgen.wire.websocket.message import Message

_MESSAGE_BYTES = 5
_OF_UPGRADES = {"sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions"}


class WriteHttp1(Protocol):
    """Writes the request in HTTP/1.x. upgrade: fields that ask for an upgrade, all named in Connection."""

    def __call__(self, is_last: bool, cookies: str, upgrade: tuple[tuple[str, str], ...] = ()) -> Any: ...


WriteStream = Callable[[bool, str], StreamRequest]
"""Writes the request for HTTP/2, as `encoder_for` says."""


def encoder_for(plan: Plan, cell: Cell, write_http1: WriteHttp1) -> Callable[[bool, str], Any]:
    """Gives the encoded request, from whether it is the last one on its connection and the Cookie field's value."""
    protocol = cell.policy.protocol
    if protocol == HTTP1:
        return write_http1
    if protocol == WEBSOCKET:
        return lambda _is_last, cookies: websocket_message(plan, cell, cookies)
    body = content_of_plan(plan)
    return stream_writer(
        cell.policy, partial(field_section, plan, cell.path), body, write_http1, expects=plan.transfer.expects(body)
    )


def content_of_plan(plan: Plan) -> Content:
    """The body of the plan's request, or the file that has it. Raises PlanError where that can't be read."""
    return plan.body if plan.transfer.file is None else content_of(plan.transfer.file)


def http1_request(
    plan: Plan, policy: ConnectionPolicy, method: str, path: str, headers: tuple[tuple[str, str], ...], body: Content,
    transfer: BodyTransfer, *, is_last: bool, upgrade: tuple[tuple[str, str], ...] = (),
) -> bytes | Upload:  # fmt: skip
    """A request to the plan's target in HTTP/1.x, as WriteHttp1 says; Connection is the policy's."""
    option = policy.last_option if is_last else policy.connection_option
    if upgrade:
        option = ", ".join(name for name, _ in upgrade)
    place = method, plan.request_target(policy, path), plan.target.host_field, (*headers, *upgrade)
    how = option, policy.http_version, plan.trailers, transfer
    if transfer.in_pieces:
        return build_upload(*place, body, *how)
    return build_request(*place, cast(bytes, body), *how)  # only what is sent in pieces may be in a file


def stream_writer(
    policy: ConnectionPolicy, section: Callable[[str], FieldLines], body: Content, write_http1: WriteHttp1, *,
    expects: bool,
) -> WriteStream:  # fmt: skip
    """section(cookies): the request's fields in HTTP/2. expects: the body waits for 100 Continue."""

    def write(is_last: bool, cookies: str) -> StreamRequest:
        upgrade = write_http1(is_last, cookies, h2c_fields()) if policy.protocol == H2C_UPGRADE else b""
        closes = is_last and policy.last_option == "close"
        return StreamRequest(section(cookies), body, write_http1(is_last, cookies), upgrade, closes, expects)

    return write


def field_section(plan: Plan, path: str, cookies: str) -> FieldLines:
    """The fields of the plan's request in HTTP/2, with the Cookie field's value where there is one."""
    headers = (*plan.headers, ("cookie", cookies)) if cookies else plan.headers
    return request_section(plan, plan.method, path, headers, content_of_plan(plan))


def request_section(
    plan: Plan, method: str, path: str, headers: tuple[tuple[str, str], ...], body: Content
) -> FieldLines:
    """A request's fields in HTTP/2 (RFC 9113 §8.3.1): pseudo-fields, then names in lower case.

    Its target and how its body goes are the plan's. Fields of an HTTP/1.1 connection are left out (RFC 9113 §8.2.2).
    """
    target = plan.target
    regular = [(name.lower(), value) for name, value in with_defaults(target.host_field, headers)]
    authority = next(value for name, value in regular if name == "host")
    fields = [(":method", method), (":scheme", target.scheme), (":authority", authority), (":path", path)]
    fields += regular
    # HTTP/2 has no chunks (RFC 9113 §8.1): a body whose length is not said goes in DATA frames all the same.
    if sends_length(method, body) and not (len(body) and plan.transfer.chunked):
        fields.append(("content-length", str(len(body))))
    if plan.transfer.expects(body):
        fields.append(("expect", "100-continue"))
    if plan.trailers:
        fields.append(("te", "trailers"))
    left_out = HTTP1_CONNECTION_FIELDS | {b"host"}
    return tuple(
        (secret_field if name in NEVER_INDEXED else _field)(name.encode("latin-1"), value.encode("latin-1"))
        for name, value in fields
        if name.encode("latin-1") not in left_out
    )


def _field(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    return name, value


def websocket_message(plan: Plan, cell: Cell, cookies: str) -> Message:
    """--data, or as many bytes as a response of this cell would have, where its size is known."""
    size_bytes = _MESSAGE_BYTES if cell.size is None else cell.size
    payload = plan.body or (b"loadgen " * (size_bytes // 8 + 1))[:size_bytes]
    try:
        payload.decode()
        is_text = True
    except UnicodeDecodeError:
        is_text = False
    headers = (*plan.headers, ("Cookie", cookies)) if cookies else plan.headers
    return Message(payload, is_text, cell.path, upgrade_fields(plan, headers))


def upgrade_fields(plan: Plan, headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The fields of the request that asks for a WebSocket, but for those that the handshake itself has."""
    fields = with_defaults(plan.target.host_field, headers)
    return tuple((name, value) for name, value in fields if name.lower() not in _OF_UPGRADES)


@lru_cache(1)
def h2c_fields() -> tuple[tuple[str, str], ...]:
    """What asks for HTTP/2 in clear (RFC 7540 §3.2), with the settings that each of our connections begins with."""
    from loadgen.wire.http2.protocol import Http2Protocol  # with a library that few plans need

    return (("Upgrade", "h2c"), ("HTTP2-Settings", Http2Protocol(0, upgrades=True).upgrade_settings))
