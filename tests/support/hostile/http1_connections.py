"""HTTP/1.1 in clear: when a connection persists, and how it ends. RFC 9110 §7.6.1; RFC 9112 §9; RFC 9293."""

from __future__ import annotations

from tests.support.hostile.behaviour import AWAIT, BYE, FIN, GOOD, RST, SILENCE, Pause, Right, Row, head
from tests.support.hostile.outcomes import ends, fails, good, idle_response, second_fails

_IDLE = ("--think", "15ms", "--block", "150ms")
_BODY = b"hello"


def _connection(*values: str, status: str = "HTTP/1.1 200 OK") -> bytes:
    """A response with a Connection line for each value."""
    return head("Content-Length: 5", *(f"Connection: {value}" for value in values), status=status) + _BODY


_OPTIONS = (
    *(
        ends(f"close_{name}", section, (_connection(*values),))
        for name, section, values in (
            ("alone", "RFC 9112 §9.6", ("close",)),
            ("in_capitals", "RFC 9110 §7.6.1", ("CLOSE",)),
            ("behind_others", "RFC 9110 §7.6.1", ("keep-alive, close",)),
            ("before_others", "RFC 9112 §9.3", ("close, keep-alive",)),
            ("in_a_second_line", "RFC 9110 §5.3", ("keep-alive", "close")),
            ("among_empty_elements", "RFC 9110 §5.6.1", (", ,close,",)),
            ("between_blanks", "RFC 9110 §5.5", (" \tclose\t ",)),
        )
    ),
    ends("close_and_fin", "RFC 9112 §9.6", (BYE, FIN)),
    ends("close_and_fin_later", "RFC 9112 §9.6", (BYE, Pause(0.01), FIN)),
    ends("close_and_rst", "RFC 9112 §9.6", (BYE, Pause(0.005), RST)),
    ends("close_and_no_fin", "RFC 9112 §9.6", (BYE, SILENCE)),
    *(
        good(f"kept_{name}", section, (_connection(*values),))
        for name, section, values in (
            ("with_keep_alive", "RFC 9112 §9.3", ("keep-alive",)),
            ("with_an_unknown_option", "RFC 9110 §7.6.1", ("odd",)),
            ("with_a_longer_word", "RFC 9110 §7.6.1", ("closed",)),
            ("with_close_as_a_parameter", "RFC 9110 §7.6.1", ('odd="close"',)),
            ("with_an_empty_list", "RFC 9110 §5.6.1", ("",)),
        )
    ),
    good("proxy_connection_is_ignored", "RFC 9112 §9.3",
            (head("Content-Length: 5", "Proxy-Connection: close") + _BODY,)),
    good("keep_alive_parameters", "RFC 9112 §9.3",
            (head("Content-Length: 5", "Keep-Alive: timeout=5, max=100") + _BODY,)),
    good("keep_alive_parameters_that_are_odd", "RFC 9112 §9.3",
            (head("Content-Length: 5", "Keep-Alive: timeout=-1, max=x, =") + _BODY,)),
)  # fmt: skip

_ENDS = (
    second_fails("fin_while_idle", "RFC 9112 §9.5", "200", "server_idle_fin", (GOOD, FIN), options=_IDLE),
    second_fails("rst_while_idle", "RFC 9112 §9.5", "200", "server_idle_rst", (GOOD, Pause(0.004), RST), options=_IDLE),
    second_fails("fin_at_the_second_request", "RFC 9112 §9.5", "200 stale_connection", "server_stale", (GOOD,), (FIN,)),
    second_fails("rst_at_the_second_request", "RFC 9112 §9.5", "200 stale_connection", "server_stale", (GOOD,), (RST,)),
    second_fails("fin_in_the_second_response", "RFC 9112 §8", "200 truncated", "server_mid_response_fin", (GOOD,),
            (GOOD[:20], FIN)),
    second_fails("stale_and_repeated", "RFC 9112 §9.3.1", "200 stale_connection", "server_stale", (GOOD,), (FIN,),
            options=("--retry-stale",)),
    fails("fin_instead_of_an_answer", "RFC 9110 §15", "closed_without_response", "server_unanswered", (FIN,)),
    fails("rst_instead_of_an_answer", "RFC 9110 §15", "closed_without_response", "server_unanswered", (RST,)),
    fails("fin_later_instead_of_an_answer", "RFC 9110 §15", "closed_without_response", "server_unanswered",
            (Pause(0.005), FIN)),
    fails("fin_at_once", "RFC 9293 §3.6", "closed_without_response", "server_unanswered", opening=(FIN,)),
    fails("rst_at_once", "RFC 9293 §3.5.2", "closed_without_response", "server_unanswered", opening=(RST,)),
)  # fmt: skip

_REFUSALS = ("408 Request Timeout", "429 Too Many Requests", "503 Service Unavailable")
_BIG = ("--data", "x" * 3_000_000)
_TOO_LARGE = head("Content-Length: 0", "Connection: close", status="HTTP/1.1 413 Content Too Large")


def _refusal(status: str, *fields: str) -> bytes:
    return head("Content-Length: 0", *fields, status=f"HTTP/1.1 {status}")


_ENDED_BY_A_RESPONSE = (
    *(
        idle_response(f"{status[:3]}_while_idle{name}", status[:3],
                      (GOOD, Pause(0.004), _refusal(status, *fields), FIN))
        for status in _REFUSALS
        for name, fields in (("", ()), ("_and_close", ("Connection: close",)))
    ),
    *(
        Row(f"{status[:3]}_behind_a_body", "RFC 9110 §15.5.9", ((GOOD + _refusal(status), FIN),),
            {"persistent": Right("200", "server_idle_response", reused=False),
             "close": Right("200", "client_announced", reused=False, unasked=True)})
        for status in _REFUSALS
    ),
    second_fails("408_instead_of_the_second_response", "RFC 9110 §15.5.9", "200 crossed_by_close",
            "server_idle_response",
                 (GOOD,), (_refusal("408 Request Timeout", "Connection: close"), FIN)),
    second_fails("503_instead_of_the_second_response", "RFC 9110 §15.6.4", "200 503", "server_announced",
                 (GOOD,), (_refusal("503 Service Unavailable", "Connection: close"), FIN)),
)  # fmt: skip

_EARLY = (
    good("413_before_the_body", "RFC 9110 §15.5.14", (_refusal("413 Content Too Large"),), results="413", options=_BIG,
         protocol="early"),
    ends("413_before_the_body_and_close", "RFC 9112 §9.6", (_TOO_LARGE, FIN), results="413", options=_BIG,
            protocol="early"),
    ends("413_before_the_body_and_rst", "RFC 9112 §9.6", (_TOO_LARGE, Pause(0.02), RST), results="413", options=_BIG,
         protocol="early"),
)  # fmt: skip

_EXPECT = ("--data", "x" * 50, "--expect-continue")
_CONTINUE = head(status="HTTP/1.1 100 Continue")
_CONTINUED = (
    good("100_and_the_answer_at_once", "RFC 9110 §10.1.1", (_CONTINUE + GOOD,), options=_EXPECT, protocol="early"),
    good("100_and_the_answer_when_the_body_comes", "RFC 9110 §10.1.1", (_CONTINUE, AWAIT, GOOD), options=_EXPECT,
         protocol="early"),
    fails("fin_behind_100", "RFC 9110 §15", "closed_without_response", "server_unanswered", (_CONTINUE, AWAIT, FIN),
          options=_EXPECT, protocol="early"),
    ends("answer_in_place_of_100", "RFC 9110 §10.1.1", (GOOD,), options=_EXPECT, protocol="early",
         ending="client_silent"),
)  # fmt: skip

_UNASKED = (
    Row("a_response_while_idle", "RFC 9112 §9.2", ((GOOD, Pause(0.004), GOOD, SILENCE),),
        {"persistent": Right("200", "client_gave_up client_silent?", unasked=True),
         "close": Right("200", "client_announced", unasked=None)}, options=_IDLE),
)  # fmt: skip

ROWS: tuple[Row, ...] = (*_OPTIONS, *_ENDS, *_ENDED_BY_A_RESPONSE, *_EARLY, *_CONTINUED, *_UNASKED)
