"""HTTP/1.1 in clear: what RFC 9110 and RFC 9112 ask of a client, one row each."""

from __future__ import annotations

from typing import Any

from tests.support.hostile.behaviour import BYE, FIN, GOOD, RST, SILENCE, Right, Row, Script, head

_SILENT, _ANNOUNCED = "client_silent", "client_announced"


def good(name: str, section: str, *answers: Script, notes: str = "", results: str = "200", **values: Any) -> Row:
    """The response is complete, and its connection is used again."""
    right = {
        "persistent": Right(results, _SILENT, reused=True, notes=notes),
        "close": Right(results, _ANNOUNCED, reused=False, notes=notes),
    }
    return Row(name, section, answers, right, **values)


def ends(name: str, section: str, *answers: Script, results: str = "200", notes: str = "", **values: Any) -> Row:
    """The response is complete, and says or shows that its connection ends."""
    right = {
        "persistent": Right(results, "server_announced", reused=False, notes=notes),
        "close": Right(results, _ANNOUNCED, reused=False, notes=notes),
    }
    return Row(name, section, answers, right, **values)


def fails(name: str, section: str, kind: str, ending: str, *answers: Script, **values: Any) -> Row:
    """Every request gets this error, and every connection ends in this way."""
    right = dict.fromkeys(("persistent", "close"), Right(kind, ending, reused=False))
    return Row(name, section, answers, right, **values)


def malformed(name: str, section: str, *answers: Script, **values: Any) -> Row:
    return fails(name, section, "malformed", "client_gave_up", *answers, **values)


FIRST = (
    good("well_formed", "RFC 9112 §2.1", (GOOD,)),
    ends("says_close", "RFC 9112 §9.6", (BYE,)),
    malformed("no_http", "RFC 9112 §2.2", (b"SSH-2.0-OpenSSH_9.6\r\n\r\n",)),
    fails("truncated_by_fin", "RFC 9112 §8", "truncated", "server_mid_response_fin", (GOOD[:-2], FIN)),
    fails("truncated_by_rst", "RFC 9112 §8", "truncated", "server_mid_response_rst", (GOOD[:-2], RST)),
    fails(
        "no_answer", "RFC 9110 §15", "response_timeout", "client_gave_up", (SILENCE,), options=("--timeout", "100ms")
    ),
    ends("until_close", "RFC 9112 §6.3", (head() + b"hello", FIN)),
    good("interim", "RFC 9110 §15.2", (head(status="HTTP/1.1 103 Early Hints") + GOOD,)),
)
ROWS = FIRST
