"""HTTP/1.1 in clear: status lines, field lines and interim responses. RFC 9110 §5, §15; RFC 9112 §2 to §5."""

from __future__ import annotations

from tests.support.hostile.behaviour import FIN, GOOD, RST, SILENCE, Drip, Endless, Pause, Row, head
from tests.support.hostile.outcomes import (
    ends,
    fails,
    good,
    malformed,
    no_http,
    second_fails,
    silent,
    too_large,
)

_LENGTH = "Content-Length: 5"
_BODY = b"hello"


def _status(line: str, *fields: str) -> bytes:
    """A response with this status line."""
    return head(_LENGTH, *fields, status=line) + _BODY


def _field(line: str) -> bytes:
    """A response with this field line."""
    return head(line, _LENGTH) + _BODY


def _interim(status: str, *fields: str) -> bytes:
    return head(*fields, status=f"HTTP/1.1 {status}")


_STATUS_LINES = (
    good("no_reason_phrase", "RFC 9112 §4", (_status("HTTP/1.1 200 "),)),
    good("no_blank_behind_the_status", "RFC 9112 §4", (_status("HTTP/1.1 200"),)),
    good("reason_phrase_is_ignored", "RFC 9112 §4", (_status("HTTP/1.1 200 Internal Server Error"),)),
    good("reason_phrase_with_obs_text", "RFC 9112 §4", (_status("HTTP/1.1 200 D\xe9j\xe0\tvu"),)),
    ends("http_1_0", "RFC 9112 §9.3", (_status("HTTP/1.0 200 OK"),)),
    good("http_1_0_kept_alive", "RFC 9112 §9.3", (_status("HTTP/1.0 200 OK", "Connection: keep-alive"),)),
    ends("http_1_0_kept_alive_and_close", "RFC 9112 §9.3",
            (_status("HTTP/1.0 200 OK", "Connection: keep-alive, close"),)),
    malformed("http_2_0", "RFC 9110 §2.5", (_status("HTTP/2.0 200 OK"),)),
    no_http("http_0_9", "RFC 9112 §2.3", (b"<html>hello</html>\r\n\r\n", FIN)),
    no_http("name_in_lower_case", "RFC 9112 §2.3", (_status("http/1.1 200 OK"),)),
    no_http("another_protocol", "RFC 9112 §2.3", (_status("RTSP/1.0 200 OK"),)),
    no_http("banner_of_ssh", "RFC 9112 §2.2", (b"SSH-2.0-OpenSSH_9.6\r\n",)),
    malformed("version_without_minor", "RFC 9112 §2.3", (_status("HTTP/1 200 OK"),)),
    malformed("status_of_two_digits", "RFC 9112 §4", (_status("HTTP/1.1 20 OK"),)),
    malformed("status_of_four_digits", "RFC 9112 §4", (_status("HTTP/1.1 2000 OK"),)),
    malformed("status_is_no_number", "RFC 9112 §4", (_status("HTTP/1.1 OK 200"),)),
    malformed("status_is_negative", "RFC 9112 §4", (_status("HTTP/1.1 -20 OK"),)),
    malformed("status_is_missing", "RFC 9112 §4", (_status("HTTP/1.1 "),)),
    good("status_beyond_599", "RFC 9110 §15", (_status("HTTP/1.1 600 Odd"),), results="600"),
    good("status_999", "RFC 9110 §15", (_status("HTTP/1.1 999 Request Denied"),), results="999"),
    good("unknown_4xx", "RFC 9110 §15", (_status("HTTP/1.1 499 Odd"),), results="499"),
    no_http("a_request_as_the_answer", "RFC 9112 §2.1", (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",)),
    no_http("binary", "RFC 9112 §2.2", (bytes(range(1, 200)),)),
    no_http("tls_alert_in_clear", "RFC 9112 §2.2", (b"\x15\x03\x01\x00\x02\x02\x46",)),
    too_large("endless_status_line", "RFC 9112 §3", (b"HTTP/1.1 200 ", Endless(b"x" * 4096))),
)  # fmt: skip

_STATUSES = (
    *(
        good(f"status_{status}", section, (_status(f"HTTP/1.1 {status} Status", *fields),), results=str(status))
        for status, section, fields in (
            (201, "RFC 9110 §15.3.2", ("Location: /new",)),
            (206, "RFC 9110 §15.3.7", ("Content-Range: bytes 0-4/10",)),
            (301, "RFC 9110 §15.4.2", ("Location: /elsewhere",)),
            (302, "RFC 9110 §15.4.3", ("Location: http://other.test/",)),
            (308, "RFC 9110 §15.4.9", ("Location: /elsewhere",)),
            (401, "RFC 9110 §15.5.2", ('WWW-Authenticate: Basic realm="a"',)),
            (404, "RFC 9110 §15.5.5", ()),
            (407, "RFC 9110 §15.5.8", ('Proxy-Authenticate: Basic realm="a"',)),
            (426, "RFC 9110 §15.5.22", ("Upgrade: HTTP/3.0", "Connection: Upgrade")),
            (429, "RFC 6585 §4", ("Retry-After: 1",)),
            (500, "RFC 9110 §15.6.1", ()),
            (503, "RFC 9110 §15.6.4", ("Retry-After: 1",)),
        )
    ),
    ends("status_408_and_close", "RFC 9110 §15.5.9", (_status("HTTP/1.1 408 Late", "Connection: close"),),
            results="408"),
    ends("status_503_and_close", "RFC 9110 §15.6.4", (_status("HTTP/1.1 503 Busy", "Connection: close"), FIN),
            results="503"),
)  # fmt: skip

_FIELDS = (
    good("names_in_any_case", "RFC 9110 §5.1", (head("cONTENT-lENGTH: 5") + _BODY,)),
    good("no_blank_before_a_value", "RFC 9112 §5", (head("Content-Length:5") + _BODY,)),
    good("blanks_around_a_value", "RFC 9112 §5", (head("Content-Length: \t 5 \t ") + _BODY,)),
    good("empty_value", "RFC 9110 §5.5", (_field("X-Empty:"),)),
    good("obs_text_in_a_value", "RFC 9110 §5.5", (_field("Server: D\xe9j\xe0 \xff"),)),
    good("tab_in_a_value", "RFC 9110 §5.5", (_field("Server: a\tb"),)),
    good("two_hundred_fields", "RFC 9110 §5.4",
            (head(*(f"X-{number}: value" for number in range(200)), _LENGTH) + _BODY,)),
    good("long_value", "RFC 9110 §5.4", (_field("X-Long: " + "x" * 60_000),)),
    malformed("line_without_colon", "RFC 9112 §5", (_field("X-Odd"),)),
    malformed("empty_name", "RFC 9110 §5.1", (_field(": value"),)),
    malformed("blank_in_a_name", "RFC 9110 §5.6.2", (_field("X Odd: value"),)),
    malformed("control_character_in_a_name", "RFC 9110 §5.6.2", (_field("X\x01Odd: value"),)),
    malformed("at_sign_in_a_name", "RFC 9110 §5.6.2", (_field("X@Odd: value"),)),
    malformed("bare_cr_in_a_value", "RFC 9112 §2.2", (_field("X-Odd: a\rb"),)),
    malformed("nul_in_a_value", "RFC 9110 §5.5", (_field("X-Odd: a\0b"),)),
    too_large("head_of_100_kb", "RFC 9110 §5.4", (_field("X-Long: " + "x" * 100_000),)),
    too_large("endless_field_line", "RFC 9110 §5.4", (b"HTTP/1.1 200 OK\r\nX-Long: ", Endless(b"x" * 4096))),
    too_large("endless_fields", "RFC 9110 §5.4", (b"HTTP/1.1 200 OK\r\n", Endless(b"X-More: value\r\n" * 100))),
)  # fmt: skip

_INTERIM = (
    good("100_unasked", "RFC 9110 §15.2.1", (_interim("100 Continue") + GOOD,)),
    good("103_early_hints", "RFC 8297 §2", (_interim("103 Early Hints", "Link: </a>; rel=preload") + GOOD,)),
    good("unknown_1xx", "RFC 9110 §15.2", (_interim("199 Odd") + GOOD,)),
    good("several_1xx", "RFC 9110 §15.2", ((_interim("100 Continue") + _interim("102 Processing") * 3 + GOOD),)),
    good("1xx_in_a_segment_of_its_own", "RFC 9110 §15.2", (_interim("103 Early Hints"), Pause(0.002), GOOD)),
    good("1xx_with_a_length", "RFC 9112 §6.3", (_interim("103 Early Hints", _LENGTH) + GOOD,)),
    good("1xx_without_reason_phrase", "RFC 9112 §4", (_interim("100 ") + GOOD,)),
    malformed("101_unasked", "RFC 9110 §7.8",
            (_interim("101 Switching Protocols", "Upgrade: odd", "Connection: upgrade"),)),
    malformed("101_that_names_no_protocol", "RFC 9110 §7.8", (_interim("101 Switching Protocols"),)),
    too_large("endless_1xx", "RFC 9110 §15.2", (Endless(_interim("100 Continue") * 10),)),
    silent("1xx_and_nothing_more", "RFC 9110 §15.2", (_interim("100 Continue"), SILENCE)),
    fails("1xx_and_fin", "RFC 9110 §15", "closed_without_response", "server_unanswered",
          (_interim("100 Continue"), FIN)),
    fails("1xx_and_rst", "RFC 9110 §15", "closed_without_response", "server_unanswered",
            (_interim("100 Continue"), Pause(0.005), RST)),
    second_fails("1xx_and_fin_on_a_reused_connection", "RFC 9110 §15", "200 closed_without_response",
                 "server_unanswered", (GOOD,), (_interim("103 Early Hints"), FIN)),
)  # fmt: skip

_CUT = (
    ("first_byte", 1),
    ("version", 7),
    ("status", 11),
    ("status_line", 17),
    ("field_name", 24),
    ("field_value", 33),
    ("empty_line", 36),
    ("body", 42),
)
_CUTS = (
    *(
        fails(f"fin_in_the_{where}", "RFC 9112 §8", "truncated", "server_mid_response_fin", (GOOD[:size], FIN))
        for where, size in _CUT
    ),
    *(
        fails(f"rst_in_the_{where}", "RFC 9112 §8", "truncated", "server_mid_response_rst",
                (GOOD[:size], Pause(0.005), RST))
        for where, size in _CUT
    ),
    *(
        silent(f"silence_in_the_{where}", "RFC 9110 §6.1", (GOOD[:size], SILENCE))
        for where, size in _CUT[::3]
    ),
    good("byte_by_byte", "RFC 9112 §2.2", (Drip(GOOD),)),
    silent("too_slow", "RFC 9110 §6.1", (Drip(GOOD, 0.02),)),
)  # fmt: skip

ROWS: tuple[Row, ...] = (
    good("well_formed", "RFC 9112 §2.1", (GOOD,)),
    *_STATUS_LINES,
    *_STATUSES,
    *_FIELDS,
    *_INTERIM,
    *_CUTS,
)
