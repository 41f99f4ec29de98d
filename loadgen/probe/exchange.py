"""One request and its response, for probes: on a connection of its own, by the plan's proxy if there is one.

It blocks, so nothing else may run on its thread's loop. Certificates are verified as in the load.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from time import monotonic, sleep
from typing import NamedTuple

from loadgen.model.plan import Plan
from loadgen.model.units import NS_PER_S
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.head import Malformed, ResponseHead
from loadgen.wire.http1.request_writer import build_request
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.proxy.connect import ConnectRequest, ProxyLogin

_MAX_BODY_BYTES = 1 << 20
_MAX_WAIT_S = 5.0
_READ_BYTES = 1 << 16

_PAUSES_S = (0.1, 0.2, 0.4, 0.8)
"""Before the tries after the first, as before those of the load's own first request."""

FAILURES = (OSError, Malformed, UpgradeFailure)
"""What `exchange` raises where there is no response; TimeoutError, an OSError, where it did not come in time."""


class WholeResponse(NamedTuple):
    head: ResponseHead
    body: bytes


def exchange(plan: Plan, path: str, fields: tuple[tuple[str, str], ...], connection: str) -> WholeResponse:
    """GET `path` of the plan's target, an https target through the proxy's tunnel. Raises FAILURES.

    fields: header fields to send. connection: the value of the Connection field.
    """
    deadline_s = monotonic() + min(plan.load.timeout_ns / NS_PER_S, _MAX_WAIT_S)
    by_proxy = plan.proxy is not None and not plan.target.is_tls
    uri = f"{plan.target.scheme}://{plan.target.host_field}{path}" if by_proxy else path
    host = tuple(pair for pair in plan.headers if pair[0].lower() == "host")
    request = build_request("GET", uri, plan.target.host_field, (*host, *fields), b"", connection)
    with _connect(plan, deadline_s) as link:
        link.sendall(request)
        return _read_response(link, deadline_s)


def patiently(ask: Callable[[], WholeResponse]) -> WholeResponse:
    """The response to an exchange, tried a few times where the other side is just starting. Raises FAILURES."""
    for pause_s in _PAUSES_S:
        try:
            return ask()
        except ConnectionError:  # refused, reset, closed
            sleep(pause_s)
    return ask()


def describe(error: Exception) -> str:
    """What went wrong, in a few words for people."""
    if isinstance(error, TimeoutError):
        return "no answer within the time allowed"
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


def _connect(plan: Plan, deadline_s: float) -> socket.socket:
    peer = plan.proxy or plan.target
    source = (plan.source_ips[0], 0) if plan.source_ips else None
    link = socket.create_connection((peer.host, peer.port), _left_s(deadline_s), source)
    if not plan.target.is_tls:
        return link
    try:
        if plan.proxy is not None:
            _open_tunnel(link, plan.target.authority, ProxyLogin(plan.proxy.authorization), deadline_s)
        link.settimeout(_left_s(deadline_s))
        # A close without close_notify is an error: only an announced one may end a body (RFC 9112 §9.8).
        return _tls_context(plan).wrap_socket(link, server_hostname=plan.target.tls_name, suppress_ragged_eofs=False)
    except BaseException:
        link.close()
        raise


def _open_tunnel(link: socket.socket, authority: str, login: ProxyLogin, deadline_s: float) -> None:
    tunnel = ConnectRequest(authority, login)
    while not tunnel.open:
        link.settimeout(_left_s(deadline_s))
        if tunnel.outgoing:
            link.sendall(tunnel.outgoing)
            tunnel.outgoing = b""
        data = link.recv(_READ_BYTES)
        if not data:
            raise tunnel.closed()
        tunnel.feed(data)  # a TLS server says nothing before the client does, so no byte follows the proxy's answer


def _tls_context(plan: Plan) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=plan.cacert)
    context.set_alpn_protocols(["http/1.1"])
    if plan.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _read_response(link: socket.socket, deadline_s: float) -> WholeResponse:
    reader, body = ResponseReader(_MAX_BODY_BYTES), bytearray()
    while True:
        link.settimeout(_left_s(deadline_s))
        data = link.recv(_READ_BYTES)
        if reader.feed(data, body.extend) if data else reader.finish():
            assert reader.head is not None
            return WholeResponse(reader.head, bytes(body))
        if not data:
            raise ConnectionError("the connection was closed before the response was complete")


def _left_s(deadline_s: float) -> float:
    left_s = deadline_s - monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s
