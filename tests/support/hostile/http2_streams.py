"""HTTP/2 with several streams in flight: what is not processed, and how many are allowed (RFC 9113 §5.1.2, §8.7)."""

from __future__ import annotations

from tests.support.hostile.behaviour import FIN, RST, Pause, Right, Row, Script
from tests.support.hostile.http2_frames import LAST_ID, MAX_STREAMS, goaway, rst_stream, settings
from tests.support.hostile.http2_server import ANSWER, answer_and_leave, send

DEPTH = 4
_POLICIES = ("h2-prior+streams:4", "h2-prior+pool:2+streams:4")
_USERS = ("--users", "8")
_RETRY = ("--retry-stale", "--method", "POST", "--data", "hello")
_IGNORED: Script = (send(),)
_ALLOW_ONE, _ALLOW_NONE, _ALLOW_NINE = (send(settings((MAX_STREAMS, limit))) for limit in (1, 0, 9))
_GOAWAYS: tuple[tuple[str, tuple[Script, ...]], ...] = (
    ("goaway_after_two", ((ANSWER,), (answer_and_leave,), _IGNORED)),
    ("goaway_in_two_steps", ((send(goaway(LAST_ID)), Pause(0.002), ANSWER), (answer_and_leave,), _IGNORED)),
    ("goaway_with_an_error", ((ANSWER,), (ANSWER, send(goaway(0, 11))), _IGNORED)),
)


def _row(name: str, section: str, results: str, ending: str, *answers: Script, options: tuple[str, ...] = ()) -> Row:
    right = dict.fromkeys(_POLICIES, Right(results, f"{ending} client_announced?"))
    return Row(f"h2_streams_{name}", section, answers, right, protocol="http/2", options=(*_USERS, *options))


def _once_and_repeated(name: str, kind: str, ending: str, *answers: Script) -> tuple[Row, Row]:
    """Without the option, and with it, by a method that is not idempotent."""
    return (
        _row(name, "RFC 9113 §8.7", f"200 {kind}", ending, *answers),
        _row(f"{name}_and_repeated", "RFC 9113 §8.7", f"200 {kind}", ending, *answers, options=_RETRY),
    )


LOWERED = (
    _row("lowered_to_one", "RFC 9113 §5.1.2", "200", "client_announced", (_ALLOW_ONE, ANSWER), (ANSWER,)),
    _row("lowered_to_none", "RFC 9113 §5.1.2", "200", "client_announced", *[(_ALLOW_NONE, ANSWER)] * 3,
            (ANSWER, _ALLOW_NINE)),
    _row("lowered_and_raised", "RFC 9113 §6.5.3", "200", "client_announced", (_ALLOW_ONE, ANSWER), (ANSWER,),
            (_ALLOW_NINE, ANSWER), (ANSWER,)),
)  # fmt: skip
UNPROCESSED = (
    *(
        row
        for name, answers in _GOAWAYS
        for row in _once_and_repeated(name, "http2_goaway", "server_announced", *answers)
    ),
    *_once_and_repeated("refused", "http2_refused_stream", "client_announced", (ANSWER,), (send(rst_stream(7)),),
            (ANSWER,)),
)  # fmt: skip
CUT = (
    _row("fin_between", "RFC 9113 §9.1", "200 stale_connection", "server_stale", (ANSWER,), (FIN,)),
    _row("rst_between", "RFC 9113 §9.1", "200? stale_connection closed_without_response?", "server_stale",
            (ANSWER,), (Pause(0.003), RST)),
    _row("goaway_and_fin", "RFC 9113 §6.8", "200 http2_goaway", "server_announced", (ANSWER,), (answer_and_leave, FIN)),
)  # fmt: skip
ROWS: tuple[Row, ...] = (*LOWERED, *UNPROCESSED, *CUT)
