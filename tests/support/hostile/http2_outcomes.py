"""Rows of HTTP/2 by what is right: a response, an error of one stream, an error of the connection."""

from __future__ import annotations

from typing import Any

from tests.support.hostile.behaviour import Right, Row, Script

POLICIES = ("h2-prior", "h2-prior+close")
_TLS_POLICIES = ("h2", "h2+close")
_ANNOUNCED, _GAVE_UP = "client_announced", "client_gave_up"
_PATIENT = ("--timeout", "120ms")


def row(name: str, section: str, answers: tuple[Script, ...], persistent: Right, close: Right, **values: Any) -> Row:
    policies = _TLS_POLICIES if values.get("tls") else POLICIES
    values = {"protocol": "http/2", **values}
    return Row(name, section, answers, dict(zip(policies, (persistent, close), strict=True)), **values)


def good(name: str, section: str, *answers: Script, results: str = "200", **values: Any) -> Row:
    """The response is complete, and its connection goes on."""
    right = (Right(results, _ANNOUNCED, reused=True), Right(results, _ANNOUNCED, reused=False))
    return row(name, section, answers, *right, **values)


def ends(
    name: str, section: str, *answers: Script, results: str = "200", ending: str = "server_announced", **values: Any
) -> Row:  # fmt: skip
    """The response is complete, and its connection ends with it in this way."""
    # Where the block, or the policy, ends the connection before the server's word comes, the client does.
    lasting, single = f"{ending} {_ANNOUNCED}?", f"{ending}? {_ANNOUNCED}?"
    right = (Right(results, lasting, reused=False), Right(results, single, reused=False))
    return row(name, section, answers, *right, **values)


def fails(name: str, section: str, kind: str, ending: str, *answers: Script, **values: Any) -> Row:
    """Every request gets this error, and every connection ends with it in this way."""
    right = Right(kind, ending, reused=False)
    return row(name, section, answers, right, right, **values)


def connection_error(name: str, section: str, code: str, *answers: Script, **values: Any) -> Row:
    """A connection error of this code (RFC 9113 §5.4.1)."""
    return fails(name, section, "http2_protocol", _GAVE_UP, *answers, said=f"goaway:{code}", **values)


def stream_error(
    name: str, section: str, *answers: Script, kind: str = "http2_protocol", code: str = "PROTOCOL_ERROR", **values: Any
) -> Row:
    """A stream error of this code (RFC 9113 §5.4.2): the connection goes on."""
    right = (Right(kind, _ANNOUNCED, reused=True), Right(kind, _ANNOUNCED, reused=False))
    return row(name, section, answers, *right, said=f"reset:{code}" if code else "", **values)


def declined(name: str, section: str, *answers: Script, **values: Any) -> Row:
    """The server speaks HTTP/1.1, and so does the client then."""
    right = (Right("200", "client_silent", reused=True), Right("200", _ANNOUNCED, reused=False))
    return row(name, section, answers, *right, protocol="http/1.1", **values)


def late_error(name: str, section: str, code: str, *answers: Script, **values: Any) -> Row:
    """A response that is complete, and behind it a connection error."""
    said = f"goaway:{code}"
    return ends(name, section, *answers, ending=_GAVE_UP, said=said, **values)


def silent(name: str, section: str, *answers: Script, kind: str = "response_timeout", **values: Any) -> Row:
    """Nothing more comes on the stream, so that the deadline passes; the connection goes on.

    On a busy machine the server's acknowledgement of SETTINGS may be later than the deadline, which ends a connection.
    """
    right = Right(f"{kind} http2_settings_timeout?", f"{_ANNOUNCED} {_GAVE_UP}?")
    said = "reset:CANCEL goaway:SETTINGS_TIMEOUT?"
    return row(name, section, answers, right, right, options=_PATIENT, said=said, **values)


def second_fails(name: str, section: str, results: str, ending: str, *answers: Script, **values: Any) -> Row:
    """A connection answers its first request well, and a later one goes wrong: `close` sees nothing of it."""
    right = (Right(results, f"{ending} {_ANNOUNCED}?"), Right("200", _ANNOUNCED, reused=False))
    return row(name, section, answers, *right, **values)
