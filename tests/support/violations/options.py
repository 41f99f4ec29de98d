"""Servers that make something of connection options that they should ignore."""

from __future__ import annotations

import socket

from loadgen.model.audit import Verdict
from loadgen.model.units import NS_PER_MS
from tests.support.processes import HELLO, Script, read_request
from tests.support.violations.violation import Violation

_SOON = {"timeout_ns": 300 * NS_PER_MS}
_REFUSED = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"


def answers(*, refuses: bytes = b"", closes_at: bytes = b"", keeps_at: bytes = b"") -> Script:
    """Keeps connections of HTTP/1.1, and those of HTTP/1.0 at a field.

    refuses: a field that it answers with 400; closes_at: one after which it closes.
    """

    def script(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            head = request.lower()
            connection.sendall(_REFUSED if refuses and refuses in head else HELLO)
            if (closes_at and closes_at in head) or b"connection: close" in head.replace(b"proxy-connection", b""):
                return
            if b" http/1.0\r\n" in head and not (keeps_at and keeps_at in head):
                return

    return script


OPTIONS = (
    Violation(
        name="refuses TE",
        probe="te_trailers",
        script=answers(refuses=b"te: trailers"),
        verdict=Verdict.WARNING,
        values={"status": 400, "plain_status": 200},
    ),
    Violation(
        name="closes at an option that it does not know",
        probe="unknown_options",
        script=answers(closes_at=b"x-loadgen-option"),
        verdict=Verdict.WARNING,
        values={"kept": False, "plain_kept": True},
    ),
    Violation(
        name="obeys Proxy-Connection: keep-alive",
        probe="proxy_connection",
        script=answers(keeps_at=b"proxy-connection: keep-alive"),
        verdict=Verdict.WARNING,
        values={"keeps_http10": True},
        plan=_SOON,
    ),
    Violation(
        name="obeys Proxy-Connection: close",
        probe="proxy_connection",
        script=answers(closes_at=b"proxy-connection: close"),
        verdict=Verdict.NOTE,
        values={"kept": False, "plain_kept": True, "keeps_http10": False},
        plan=_SOON,
    ),
)
