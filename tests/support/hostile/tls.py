"""TLS: what RFC 8446, RFC 6066 and RFC 9112 §9.8 ask of a client, one row each."""

from __future__ import annotations

from tests.support.hostile.behaviour import (
    AWAIT,
    BYE,
    FIN,
    GOOD,
    NOTIFY,
    RST,
    SILENCE,
    Drip,
    InClear,
    Pause,
    Peer,
    Row,
    Tls,
    head,
)
from tests.support.hostile.outcomes import ends, fails, good, no_http, second_fails, silent

_TLS = Tls()
_IDLE = ("--think", "15ms", "--block", "150ms")
_MID_FIN, _MID_RST = "server_mid_response_fin", "server_mid_response_rst"
_CHUNKS = head("Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n"
_UNTIL_CLOSE = head() + b"hello"


_ENDS = (
    good("tls_well_formed", "RFC 8446 §2", (GOOD,), tls=_TLS),
    good("tls_byte_by_byte", "RFC 8446 §5.1", (Drip(GOOD),), tls=_TLS),
    good("tls_1_2", "RFC 5246 §7.3", (GOOD,), tls=Tls(max_version="TLSv1_2")),
    ends("tls_close_without_notify", "RFC 9112 §9.8", (BYE, FIN), tls=_TLS),
    ends("tls_close_with_notify", "RFC 9112 §9.8", (BYE, NOTIFY, FIN), tls=_TLS),
    ends("tls_until_notify", "RFC 9112 §9.8", (_UNTIL_CLOSE, NOTIFY, FIN), tls=_TLS),
    ends("tls_until_notify_without_fin", "RFC 8446 §6.1", (_UNTIL_CLOSE, NOTIFY, SILENCE), tls=_TLS),
    fails("tls_until_fin_without_notify", "RFC 9112 §9.8", "truncated", _MID_FIN, (_UNTIL_CLOSE, FIN), tls=_TLS),
    fails("tls_until_fin_behind_the_head", "RFC 9112 §9.8", "truncated", _MID_FIN, (head(), Pause(0.003), FIN),
            tls=_TLS),
    fails("tls_until_rst", "RFC 9112 §9.8", "truncated", _MID_RST, (_UNTIL_CLOSE, Pause(0.005), RST), tls=_TLS),
    second_fails("tls_chunked_and_fin", "RFC 9112 §9.8", "200", "server_idle_fin", (_CHUNKS, FIN), tls=_TLS,
            options=_IDLE),
    second_fails("tls_length_and_fin", "RFC 9112 §9.8", "200", "server_idle_fin", (GOOD, FIN), tls=_TLS, options=_IDLE),
    second_fails("tls_length_and_notify", "RFC 8446 §6.1", "200", "server_idle_fin", (GOOD, NOTIFY, FIN), tls=_TLS,
            options=_IDLE),
    second_fails("tls_length_and_rst", "RFC 9112 §9.5", "200", "server_idle_rst", (GOOD, Pause(0.004), RST), tls=_TLS,
            options=_IDLE),
    fails("tls_fin_in_the_body", "RFC 9112 §9.8", "truncated", _MID_FIN, (GOOD[:-2], FIN), tls=_TLS),
    fails("tls_notify_in_the_body", "RFC 9112 §9.8", "truncated", _MID_FIN, (GOOD[:-2], NOTIFY, FIN), tls=_TLS),
    fails("tls_rst_in_the_body", "RFC 9112 §9.8", "truncated", _MID_RST, (GOOD[:-2], Pause(0.005), RST), tls=_TLS),
    fails("tls_fin_instead_of_an_answer", "RFC 9110 §15", "closed_without_response", "server_unanswered", (FIN,),
            tls=_TLS),
    fails("tls_notify_instead_of_an_answer", "RFC 9110 §15", "closed_without_response", "server_unanswered",
            (NOTIFY, FIN), tls=_TLS),
    fails("tls_rst_instead_of_an_answer", "RFC 9110 §15", "closed_without_response", "server_unanswered", (RST,),
            tls=_TLS),
    silent("tls_no_answer", "RFC 9110 §6.1", (SILENCE,), tls=_TLS),
    no_http("tls_no_http", "RFC 9112 §2.2", (b"SSH-2.0-OpenSSH_9.6\r\n",), tls=_TLS),
)  # fmt: skip

_BIG = ("--data", "x" * 3_000_000)
_TOO_LARGE = head("Content-Length: 0", "Connection: close", status="HTTP/1.1 413 Content Too Large")
_EARLY = (
    ends("tls_413_before_the_body_and_close", "RFC 9112 §9.6", (_TOO_LARGE, NOTIFY, FIN), results="413", options=_BIG,
         protocol="early", tls=_TLS),
    ends("tls_413_before_the_body_and_rst", "RFC 9112 §9.6", (_TOO_LARGE, Pause(0.03), RST), results="413",
            options=_BIG,
         protocol="early", tls=_TLS),
)  # fmt: skip


def _alert(description: int) -> InClear:
    """A fatal alert without protection, as in a handshake (RFC 8446 §6)."""
    return InClear(bytes((0x15, 3, 3, 0, 2, 2, description)))


def _demand_alpn(peer: Peer) -> None:
    """Refuse a client that does not offer HTTP/1.1 by ALPN (RFC 7301 §3.2)."""
    if b"\x00\x10" not in (hello := peer.peek()) or b"\x08http/1.1" not in hello:
        _alert(120)(peer)
        peer.drain()


_CERTIFICATES = (
    fails("certificate_for_another_name", "RFC 9110 §4.3.4", "tls_wrong_name", "client_gave_up",
            tls=Tls(name="other.test")),
    fails("certificate_for_another_address", "RFC 9110 §4.3.5", "tls_wrong_name", "client_gave_up",
            tls=Tls(name="127.0.0.2")),
    fails("certificate_has_expired", "RFC 5280 §6.1.3", "tls_expired", "client_gave_up", tls=Tls(expired=True)),
    fails("certificate_of_an_unknown_authority", "RFC 5280 §6.1", "tls_untrusted", "client_gave_up",
            tls=Tls(trusted=False)),
)  # fmt: skip

_BY_SERVER = "server_unanswered"
_HANDSHAKES = (
    good("alpn_is_demanded", "RFC 7301 §3.2", (GOOD,), opening=(_demand_alpn,), tls=Tls(alpn=("http/1.1",))),
    fails("fatal_handshake_failure", "RFC 8446 §6.2", "tls_failed", _BY_SERVER, opening=(_alert(40), SILENCE),
            tls=_TLS),
    fails("fatal_protocol_version", "RFC 8446 §4.2.1", "tls_failed", _BY_SERVER, opening=(_alert(70), SILENCE),
            tls=_TLS),
    fails("fatal_unrecognized_name", "RFC 6066 §3", "tls_failed", _BY_SERVER, opening=(_alert(112), SILENCE), tls=_TLS),
    fails("fatal_no_application_protocol", "RFC 7301 §3.2", "tls_failed", _BY_SERVER, opening=(_alert(120), FIN),
            tls=_TLS),
    fails("fin_before_the_handshake", "RFC 8446 §4", "tls_failed", _BY_SERVER, opening=(FIN,), tls=_TLS),
    fails("fin_in_the_handshake", "RFC 8446 §4", "tls_failed", _BY_SERVER, opening=(AWAIT, FIN), tls=_TLS),
    fails("rst_before_the_handshake", "RFC 8446 §4", "tls_failed? closed_without_response?", _BY_SERVER,
            opening=(RST,), tls=_TLS),
    fails("rst_in_the_handshake", "RFC 8446 §4", "tls_failed", _BY_SERVER, opening=(AWAIT, RST), tls=_TLS),
    fails("fin_in_the_server_hello", "RFC 8446 §4.1.3", "tls_failed", _BY_SERVER,
          opening=(InClear(b"\x16\3\3\0\x7a\2\0\0\x76\3\3"), FIN), tls=_TLS),
    fails("http_instead_of_tls", "RFC 8446 §5.1", "tls_failed", "client_gave_up", opening=(InClear(GOOD), SILENCE),
            tls=_TLS),
    fails("garbage_instead_of_tls", "RFC 8446 §5.1", "tls_failed", "client_gave_up",
            opening=(InClear(bytes(100)), SILENCE), tls=_TLS),
    fails("silent_handshake", "RFC 8446 §4", "tls_timeout", "client_gave_up", opening=(SILENCE,), tls=_TLS,
            options=("--timeout", "120ms")),
)  # fmt: skip

_RECORDS = (
    fails("record_that_is_not_protected", "RFC 8446 §5", "tls_failed", "client_gave_up", (InClear(GOOD), SILENCE),
            tls=_TLS),
    fails("record_with_a_bad_tag", "RFC 8446 §5.2", "tls_failed", "client_gave_up",
            (InClear(b"\x17\3\3\0\x20" + bytes(32)), SILENCE), tls=_TLS),
    fails("record_that_is_too_long", "RFC 8446 §5.2", "tls_failed", "client_gave_up",
            (InClear(b"\x17\3\3\xff\xff" + bytes(400)), SILENCE), tls=_TLS),
    fails("bad_record_in_the_body", "RFC 8446 §5.2", "tls_failed", "client_gave_up",
          (GOOD[:-2], InClear(b"\x17\3\3\0\x20" + bytes(32)), SILENCE), tls=_TLS),
)  # fmt: skip

ROWS: tuple[Row, ...] = (*_ENDS, *_EARLY, *_CERTIFICATES, *_HANDSHAKES, *_RECORDS)
