"""Servers that do not answer a version of HTTP as it has to be, or answer something else."""

from __future__ import annotations

import socket

from hyperframe.frame import RstStreamFrame, SettingsFrame

from loadgen.model.audit import Verdict
from tests.support.processes import BYE, HELLO, Script, read_request
from tests.support.upgrade_servers import Http2Side, switching
from tests.support.violations.persistence import keeps, serves
from tests.support.violations.violation import SOON, Violation

_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
_BARE_LF = b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"
_TWO_LENGTHS = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"
_TLS_ALERT = b"\x15\x03\x01\x00\x02\x02\x46"
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_WANTS_TLS = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 48\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"


def to_offers(*answers: bytes) -> Script:
    """Answers an offer to upgrade with these bytes, other requests as usual."""

    def script(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            if b"Upgrade: h2c" in request:
                for answer in answers:
                    connection.sendall(answer)
                connection.recv(1 << 16)
                return
            connection.sendall(HELLO)

    return script


def switches_elsewhere(connection: socket.socket, _number: int) -> None:
    """Accepts an offer of h2c, and names another protocol."""
    while request := read_request(connection):
        if b"Upgrade: h2c" in request:
            connection.sendall(switching(request, b"websocket"))
            connection.recv(1 << 16)
            return
        connection.sendall(HELLO)


def resets_each_stream(connection: socket.socket, _number: int) -> None:
    """Speaks HTTP/2 with prior knowledge, and answers no request."""
    if connection.recv(3, socket.MSG_PEEK) != b"PRI":
        read_request(connection)
        connection.sendall(BYE)
        return
    side = Http2Side(connection)
    side.settings()
    for stream in side.streams():
        side.say_frames(RstStreamFrame(stream, error_code=1))


VERSIONS = (
    Violation(
        name="closes without a byte",
        probe="http11",
        script=serves(b""),
        verdict=Verdict.WARNING,
        values={"received_bytes": 0},
    ),
    Violation(
        name="is silent",
        probe="http11",
        script=keeps(b""),
        verdict=Verdict.WARNING,
        values={"received_bytes": 0},
        plan=SOON,
    ),
    Violation(
        name="speaks TLS, and answers with an alert",
        probe="http11",
        script=serves(_TLS_ALERT),
        verdict=Verdict.WARNING,
        values={"received_bytes": len(_TLS_ALERT)},
    ),
    Violation(
        name="speaks TLS, and says so in HTTP",
        probe="http11",
        script=keeps(_WANTS_TLS),
        verdict=Verdict.WARNING,
        values={"version": "1.1", "status": 400},
    ),
    Violation(
        name="speaks HTTP/2 alone",
        probe="http11",
        script=serves(SettingsFrame(0).serialize()),
        verdict=Verdict.WARNING,
        values={"received_bytes": 9},
    ),
    Violation(
        name="ends lines with LF alone",
        probe="http11",
        script=keeps(_BARE_LF),
        values={"version": "1.1", "deviations": ["bare_lf"]},
    ),
    Violation(name="gives two different lengths", probe="http11", script=keeps(_TWO_LENGTHS)),
    Violation(
        name="sends a part of its response",
        probe="http11",
        script=serves(HELLO[:-2]),
        verdict=Verdict.WARNING,
        values={"received_bytes": len(HELLO) - 2},
    ),
    Violation(
        name="sends chunks to HTTP/1.0",
        probe="http10",
        script=serves(_CHUNKED),
        values={"answered": True, "version": "1.1", "chunked": True},
    ),
    Violation(
        name="sends a 103 to HTTP/1.0",
        probe="http10",
        script=serves(b"HTTP/1.1 103 Early Hints\r\n\r\n" + BYE),
        values={"answered": True, "chunked": False},
    ),
    Violation(
        name="does not answer HTTP/1.0",
        probe="http10",
        script=lambda connection, number: (keeps(HELLO) if number == 0 else serves(b""))(connection, number),
        verdict=Verdict.WARNING,
        values={"answered": False},
    ),
    Violation(
        name="refuses an offer of h2c",
        probe="h2c_upgrade",
        script=to_offers(_BAD_REQUEST),
        verdict=Verdict.WARNING,
        values={"accepted": False, "status": 400},
    ),
    Violation(
        name="closes at an offer of h2c",
        probe="h2c_upgrade",
        script=lambda connection, _number: (
            connection.sendall(HELLO) if b"h2c" not in read_request(connection) else None
        ),
        verdict=Verdict.WARNING,
        values={"accepted": False},
    ),
    Violation(
        name="switches to what was not offered",
        probe="h2c_upgrade",
        script=switches_elsewhere,
        values={"accepted": True},
    ),
    Violation(
        name="switches without saying to what",
        probe="h2c_upgrade",
        script=to_offers(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n"),
        values={"accepted": True},
    ),
    Violation(
        name="switches to h2c and says nothing more",
        probe="h2c_upgrade",
        script=to_offers(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
        verdict=Verdict.WARNING,
        values={"accepted": True},
        plan=SOON,
    ),
    Violation(
        name="speaks HTTP/2 and answers no request",
        probe="h2_prior_knowledge",
        script=resets_each_stream,
        verdict=Verdict.WARNING,
        values={"spoken": True},
    ),
)
