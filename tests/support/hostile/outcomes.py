"""Rows by what is right: the response is complete, ends its connection, or is an error. Says nothing of behaviours."""

from __future__ import annotations

from typing import Any

from tests.support.hostile.behaviour import Right, Row, Script

_SILENT, _ANNOUNCED = "client_silent", "client_announced"
_PATIENT = ("--timeout", "120ms")


def good(name: str, section: str, *answers: Script, results: str = "200", notes: str = "", **values: Any) -> Row:
    """The response is complete, and its connection is used again."""
    right = {
        "persistent": Right(results, _SILENT, reused=True, notes=notes),
        "close": Right(results, _ANNOUNCED, reused=False, notes=notes),
    }
    return Row(name, section, answers, right, **values)


def ends(
    name: str, section: str, *answers: Script, results: str = "200", notes: str = "",
    ending: str = "server_announced", close_ending: str = _ANNOUNCED, **values: Any,
) -> Row:  # fmt: skip
    """The response is complete, and its connection ends with it: in this way, where the policy would keep it."""
    right = {
        "persistent": Right(results, ending, reused=False, notes=notes),
        "close": Right(results, close_ending, reused=False, notes=notes),
    }
    return Row(name, section, answers, right, **values)


def fails(name: str, section: str, kind: str, ending: str, *answers: Script, **values: Any) -> Row:
    """Every request gets this error (or one of several), and every connection ends in this way."""
    right = dict.fromkeys(("persistent", "close"), Right(kind, ending, reused=False))
    return Row(name, section, answers, right, **values)


def malformed(name: str, section: str, *answers: Script, **values: Any) -> Row:
    """The client must not guess: it gives the connection up."""
    return fails(name, section, "malformed", "client_gave_up", *answers, **values)


def no_http(name: str, section: str, *answers: Script, **values: Any) -> Row:
    """The first bytes are no HTTP/1.x."""
    return fails(name, section, "not_http", "client_gave_up", *answers, **values)


def too_large(name: str, section: str, *answers: Script, kind: str = "head_too_large", **values: Any) -> Row:
    """The client has a limit, and gives the connection up."""
    return fails(name, section, kind, "client_gave_up", *answers, **values)


def silent(name: str, section: str, *answers: Script, **values: Any) -> Row:
    """Nothing more comes, so that the deadline passes."""
    return fails(name, section, "response_timeout", "client_gave_up", *answers, options=_PATIENT, **values)


def second_fails(name: str, section: str, results: str, ending: str, *answers: Script, **values: Any) -> Row:
    """A connection answers its first request well, and a later one goes wrong: `close` sees nothing of it."""
    right = {"persistent": Right(results, f"{ending} client_silent?"), "close": Right("200", _ANNOUNCED, reused=False)}
    return Row(name, section, answers, right, **values)


def idle_response(name: str, status: str, *answers: Script, **values: Any) -> Row:
    """An idle connection is ended by a response with this status that no request asked for.

    On a busy machine it may cross the next request: then it can't be told from the answer, but for a 408 that closes.
    """
    results = f"200 {status}? crossed_by_close? stale_connection?"
    endings = "server_idle_response client_silent? server_announced? server_idle_fin? server_idle_rst? server_stale?"
    right = {"persistent": Right(results, endings), "close": Right("200", _ANNOUNCED, unasked=None)}
    return Row(name, "RFC 9110 §15.5.9", answers, right, options=("--think", "15ms", "--block", "150ms"), **values)
