"""Which side ended a connection, and how: closes that TLS did not announce, responses to no request, refused bodies."""

from __future__ import annotations

from tests.support.hostile.behaviour import FIN, GOOD, NOTIFY, RST, SILENCE, Pause, Right, Row, Script, Tls, head
from tests.support.hostile.outcomes import ends, fails, idle_response

_TLS, _TLS_1_2 = Tls(), Tls(max_version="TLSv1_2")
_UNTIL_CLOSE = head() + b"hello"
_CUT = "server_mid_response_fin"


def _error(status: int, *lines: str) -> bytes:
    return head("Content-Length: 0", *lines, status=f"HTTP/1.1 {status} Sorry")


_TIMEOUT = _error(408, "Connection: close")

_CUT_OFF = (
    fails("tls_1_2_until_fin", "RFC 5246 §7.2.1", "truncated", _CUT, (_UNTIL_CLOSE, FIN), tls=_TLS_1_2),
    ends("tls_1_2_until_notify", "RFC 5246 §7.2.1", (_UNTIL_CLOSE, NOTIFY, FIN), tls=_TLS_1_2),
    ends("tls_1_2_close_without_notify", "RFC 9112 §9.8", (_error(404, "Connection: close"), FIN), results="404",
         tls=_TLS_1_2),
)  # fmt: skip


def _idle(name: str, answer: bytes, *then: Script, tls: Tls | None = None) -> Row:
    """An idle connection ends with a response that no request asked for."""
    script = (GOOD, Pause(0.004), answer, *(step for steps in then for step in steps))
    return idle_response(name, "408", script, tls=tls)


_UNASKED = (
    _idle("408_while_idle_without_fin", _TIMEOUT, (SILENCE,)),
    _idle("408_while_idle_in_tls", _TIMEOUT, (NOTIFY, FIN), tls=_TLS),
    _idle("408_while_idle_in_tls_without_notify", _TIMEOUT, (FIN,), tls=_TLS),
    _idle("408_while_idle_and_rst", _TIMEOUT, (Pause(0.002), RST)),
    Row("408_instead_of_the_second_response_and_repeated", "RFC 9110 §15.5.9", ((GOOD,), (_TIMEOUT, FIN)), {
        "persistent": Right("200 crossed_by_close", "server_idle_response client_silent?"),
    }, options=("--retry-stale",)),
    Row("408_that_keeps_the_connection", "RFC 9110 §15.5.9", ((GOOD,), (_error(408),)), {
        "persistent": Right("200 408", "client_silent", reused=True),
    }),
)  # fmt: skip

ROWS: tuple[Row, ...] = (*_CUT_OFF, *_UNASKED)


def _refused_upload(name: str, size_bytes: int, end: Script, tls: Tls | None) -> Row:
    """A long body is refused before it has come, and the rest of it is not read."""
    right = {
        "persistent": Right("413", "server_announced", reused=False),
        "close": Right("413", "client_announced", reused=False),
    }
    return Row(
        name, "RFC 9110 §15.5.14", right=right, greeting=(Pause(0.002), _error(413, "Connection: close"), *end),
        tls=tls, options=("--method", "POST", "--data", "x" * size_bytes),
    )  # fmt: skip


_UPLOAD_ENDS: dict[str, tuple[Script, Tls | None]] = {
    "read": ((SILENCE,), None),
    "reset": ((Pause(0.002), RST), None),
    "read_in_tls": ((SILENCE,), _TLS),
    "reset_in_tls": ((Pause(0.002), RST), _TLS),
    "reset_in_tls_1_2": ((Pause(0.002), RST), _TLS_1_2),
}
REFUSED_UPLOADS = tuple(
    _refused_upload(f"{size_bytes}_bytes_refused_and_{name}", size_bytes, end, tls)
    for size_bytes in (20_000, 200_000, 4_000_000)
    for name, (end, tls) in _UPLOAD_ENDS.items()
)
"""The server's account has none of their requests: none came in full."""
