"""Which side ended a connection, and how: rows of resets, closes and responses that no request asked for."""

from __future__ import annotations

from tests.support.hostile.behaviour import FIN, GOOD, NOTIFY, RST, SILENCE, InClear, Pause, Right, Row, Tls, head
from tests.support.hostile.outcomes import ends, fails, second_fails

_TLS = Tls()
_IDLE = ("--think", "15ms")
_UNTIL_CLOSE = head() + b"hello"
# Alerts of RFC 8446 §6: fatal handshake_failure, fatal no_application_protocol.
_HANDSHAKE_FAILURE, _NO_PROTOCOL = bytes((21, 3, 3, 0, 2, 2, 40)), bytes((21, 3, 3, 0, 2, 2, 120))


def _error(status: int, *lines: str) -> bytes:
    return head("Content-Length: 0", *lines, status=f"HTTP/1.1 {status} Sorry")


_TIMEOUT = _error(408, "Connection: close")

_CUT_OFF = (
    fails("tls_until_fin", "RFC 9112 §9.8", "truncated", "server_mid_response_fin", (_UNTIL_CLOSE, FIN), tls=_TLS),
    fails("tls_1_2_until_fin", "RFC 5246 §7.2", "truncated", "server_mid_response_fin", (_UNTIL_CLOSE, FIN),
            tls=Tls(max_version="TLSv1_2")),
    ends("tls_1_2_until_notify", "RFC 5246 §7.2", (_UNTIL_CLOSE, NOTIFY, FIN), tls=Tls(max_version="TLSv1_2")),
)  # fmt: skip

_AT_ONCE = (
    fails("rst_at_once", "RFC 9293 §3.5", "closed_without_response", "server_unanswered", opening=(RST,)),
    fails("rst_before_the_handshake", "RFC 9293 §3.5", "tls_failed", "server_unanswered", opening=(RST,), tls=_TLS),
    fails("rst_in_the_handshake", "RFC 8446 §6.1", "tls_failed", "server_unanswered", opening=(Pause(0.004), RST),
            tls=_TLS),
    fails("fin_before_the_handshake", "RFC 8446 §6.1", "tls_failed", "server_unanswered", opening=(FIN,), tls=_TLS),
    fails("fin_in_the_handshake", "RFC 8446 §6.1", "tls_failed", "server_unanswered", opening=(Pause(0.004), FIN),
            tls=_TLS),
    fails("alert_in_the_handshake", "RFC 8446 §6.2", "tls_failed", "server_unanswered",
            opening=(InClear(_HANDSHAKE_FAILURE), SILENCE), tls=_TLS),
    fails("no_protocol_that_was_offered", "RFC 7301 §3.2", "tls_failed", "server_unanswered",
            opening=(InClear(_NO_PROTOCOL), SILENCE), tls=_TLS),
)  # fmt: skip


def _idle(name: str, answer: bytes, *then: object, tls: Tls | None = None) -> Row:
    """An idle connection ends with a response that no request asked for."""
    return second_fails(
        name,
        "RFC 9110 §15.5.9",
        "200",
        "server_idle_response",
        (GOOD, Pause(0.004), answer, *then),
        options=_IDLE,
        tls=tls,
    )  # type: ignore[arg-type] # steps


_UNASKED = (
    _idle("timeout_while_idle", _error(408)),
    _idle("timeout_that_closes_while_idle", _TIMEOUT, FIN),
    _idle("timeout_that_closes_while_idle_in_tls", _TIMEOUT, NOTIFY, FIN, tls=_TLS),
    _idle("timeout_and_rst_while_idle", _TIMEOUT, Pause(0.002), RST),
    _idle("too_many_requests_while_idle", _error(429, "Retry-After: 1"), FIN),
    _idle("unavailable_while_idle", _error(503, "Connection: close"), FIN),
    Row("timeout_that_crosses_a_request", "RFC 9110 §15.5.9", ((GOOD,), (_TIMEOUT, FIN)), {
        "persistent": Right("200 crossed_by_close", "server_idle_response client_silent?"),
        "close": Right("200", "client_announced", reused=False),
    }),
    Row("timeout_that_crosses_a_request_sent_again", "RFC 9110 §15.5.9", ((GOOD,), (_TIMEOUT, FIN)), {
        "persistent": Right("200 crossed_by_close", "server_idle_response client_silent?"),
    }, options=("--retry-stale",)),
    Row("timeout_that_keeps_the_connection", "RFC 9110 §15.5.9", ((GOOD,), (_error(408),)), {
        "persistent": Right("200 408", "client_silent", reused=True),
    }),
)  # fmt: skip


ROWS: tuple[Row, ...] = (*_CUT_OFF, *_AT_ONCE, *_UNASKED)


def _refused_upload(name: str, size_bytes: int, *end: object, tls: Tls | None = None) -> Row:
    """A long body is refused before it has come, and the rest of it is not read."""
    right = {
        "persistent": Right("413", "server_announced", reused=False),
        "close": Right("413", "client_announced", reused=False),
    }
    refusal = _error(413, "Connection: close")
    return Row(
        name, "RFC 9110 §15.5.14", right=right, greeting=(Pause(0.002), refusal, *end), tls=tls,  # type: ignore[arg-type] # steps
        options=("--method", "POST", "--data", "x" * size_bytes),
    )  # fmt: skip


REFUSED_UPLOADS = tuple(
    _refused_upload(f"{size_bytes}_bytes_refused_{name}", size_bytes, *end, tls=tls)
    for size_bytes in (20_000, 200_000, 4_000_000)
    for name, end, tls in (
        ("and_read", (SILENCE,), None),
        ("and_reset", (Pause(0.002), RST), None),
        ("and_read_in_tls", (SILENCE,), _TLS),
        ("and_reset_in_tls", (Pause(0.002), RST), _TLS),
    )
)
"""The server's account has none of their requests: none came in full."""
