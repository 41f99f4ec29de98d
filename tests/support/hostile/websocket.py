"""WebSocket: what RFC 6455 asks of a client in the handshake, of frames, messages and the end, one row each."""

from __future__ import annotations

from typing import Any

from tests.support.hostile.behaviour import FIN, RST, SILENCE, Drip, Pause, Right, Row, Script, Tls, head
from tests.support.hostile.websocket_server import (
    BINARY,
    CLOSE,
    CONTINUED,
    ECHO,
    PING,
    PONG,
    TEXT,
    blank_accept,
    close,
    frame,
    no_answer_to_close,
    switch,
    wrong_key,
)

_POLICIES = ("websocket", "websocket-close")
_ANNOUNCED, _GAVE_UP, _SERVER = "client_announced", "client_gave_up", "server_announced"
_PATIENT = ("--timeout", "120ms")
_IDLE = ("--think", "15ms")
_MASK = b"\1\2\3\4"
_SMALL = ("--max-body", "2000")


def _row(name: str, section: str, answers: tuple[Script, ...], lasting: Right, single: Right, **values: Any) -> Row:
    right = dict(zip(_POLICIES, (lasting, single), strict=True))
    return Row(f"ws_{name}", section, answers, right, protocol="websocket", **values)


def good(name: str, section: str, *answers: Script, **values: Any) -> Row:
    """The answer is complete, and its connection goes on."""
    return _row(name, section, answers, Right("101", _ANNOUNCED, True), Right("101", _ANNOUNCED, False), **values)


def fails(name: str, section: str, kind: str, ending: str, *answers: Script, **values: Any) -> Row:
    """Every message gets this error, and every connection ends with it in this way."""
    right = Right(kind, ending, reused=False)
    return _row(name, section, answers, right, right, **values)


def broken(
    name: str, section: str, *answers: Script, kind: str = "websocket_protocol", code: int = 1002,
    **values: Any,
) -> Row:  # fmt: skip
    """The client fails the connection with this code (RFC 6455 §7.1.7)."""
    return fails(name, section, kind, _GAVE_UP, *answers, said=f"close:{code}", **values)


def refused(name: str, section: str, *greeting: Any, kind: str = "upgrade_wrong_protocol", **values: Any) -> Row:
    """The client does not take the connection for a WebSocket."""
    return fails(name, section, kind, _GAVE_UP, greeting=greeting, **values)


def ends(name: str, section: str, *answers: Script, ending: str = _SERVER, **values: Any) -> Row:
    """The answer is complete, and its connection ends with it."""
    right = Right("101", f"{ending} {_ANNOUNCED}?", reused=False)
    return _row(name, section, answers, right, Right("101", f"{ending}? {_ANNOUNCED}?", reused=False), **values)


def second_fails(name: str, section: str, results: str, ending: str, *answers: Script, **values: Any) -> Row:
    """A connection answers its first message well, and a later one goes wrong."""
    return _row(name, section, answers, Right(results, f"{ending} {_ANNOUNCED}?"), Right("101", _ANNOUNCED), **values)


_HANDSHAKE = (
    good("well_formed", "RFC 6455 §4.2.2", (ECHO,)),
    good("well_formed_in_tls", "RFC 6455 §4.1", (ECHO,), tls=Tls()),
    good("fields_in_other_case", "RFC 6455 §4.1", greeting=(switch(Upgrade="WebSocket", Connection="UPGRADE"),)),
    good("connection_with_other_options", "RFC 6455 §4.1", greeting=(switch(Connection="keep-alive, Upgrade"),)),
    good("other_reason_and_fields", "RFC 6455 §4.1", greeting=(switch("Server: x", status="HTTP/1.1 101 Yes"),)),
    good("interim_before_it", "RFC 9110 §15.2", greeting=(head(status="HTTP/1.1 103 Early Hints"), switch())),
    good("head_in_two_pieces", "RFC 6455 §4.1", greeting=(head(status="HTTP/1.1 100 Go on")[:9], Pause(0.002),
            head(status="HTTP/1.1 100 Go on")[9:], switch())),
    good("accept_between_blanks", "RFC 9110 §5.5", greeting=(blank_accept,)),
    refused("accept_of_another_key", "RFC 6455 §4.1", wrong_key, kind="websocket_wrong_accept"),
    refused("no_accept", "RFC 6455 §4.1", switch(Sec_WebSocket_Accept=None), kind="websocket_wrong_accept"),
    refused("empty_accept", "RFC 6455 §4.1", switch(Sec_WebSocket_Accept=""), kind="websocket_wrong_accept"),
    refused("no_upgrade", "RFC 6455 §4.1", switch(Upgrade=None)),
    refused("other_upgrade", "RFC 6455 §4.1", switch(Upgrade="h2c")),
    refused("two_upgrades", "RFC 6455 §4.1", switch(Upgrade="websocket, h2c")),
    refused("no_connection", "RFC 6455 §4.1", switch(Connection=None)),
    refused("connection_without_upgrade", "RFC 6455 §4.1", switch(Connection="keep-alive")),
    refused("subprotocol_unasked", "RFC 6455 §4.1", switch("Sec-WebSocket-Protocol: mqtt")),
    refused("extension_unasked", "RFC 6455 §4.1", switch("Sec-WebSocket-Extensions: permessage-deflate")),
    refused("status_200", "RFC 6455 §4.1", head("Content-Length: 0"), kind="upgrade_refused"),
    refused("status_403", "RFC 6455 §4.1", head("Content-Length: 0", status="HTTP/1.1 403 No"), kind="upgrade_refused"),
    refused("status_426", "RFC 6455 §4.2.2", head("Sec-WebSocket-Version: 25", status="HTTP/1.1 426 Upgrade Required"),
            kind="upgrade_refused"),
    refused("redirect", "RFC 6455 §4.1", head("Location: /there", status="HTTP/1.1 301 Moved"), kind="upgrade_refused"),
    refused("http_1_0", "RFC 6455 §4.2.2", switch(status="HTTP/1.0 101 X"), kind="malformed"),
    refused("no_http", "RFC 9112 §2.2", b"SSH-2.0-OpenSSH_9.6\r\n\r\n", kind="not_http"),
    refused("silence", "RFC 6455 §4.1", SILENCE, kind="upgrade_timeout", options=_PATIENT),
    refused("half_a_head", "RFC 6455 §4.1", b"HTTP/1.1 101 Switch", SILENCE, kind="upgrade_timeout", options=_PATIENT),
    fails("fin_instead_of_it", "RFC 6455 §4.1", "closed_without_response", "server_unanswered",
            greeting=(FIN,)),
    fails("rst_instead_of_it", "RFC 6455 §4.1", "closed_without_response", "server_unanswered",
            greeting=(RST,)),
)  # fmt: skip

_FRAMES = (
    good("binary_answer", "RFC 6455 §5.6", (frame(BINARY, b"\0\xff"),)),
    good("empty_answer", "RFC 6455 §5.6", (frame(TEXT),)),
    good("answer_of_125_bytes", "RFC 6455 §5.2", (frame(TEXT, b"x" * 125),)),
    good("answer_of_126_bytes", "RFC 6455 §5.2", (frame(TEXT, b"x" * 126),)),
    good("answer_of_64_kib", "RFC 6455 §5.2", (frame(BINARY, bytes(65_536)),)),
    good("byte_by_byte", "RFC 6455 §5.2", (Drip(ECHO),)),
    good("fragments", "RFC 6455 §5.4", (frame(TEXT, b"lo", fin=False) + frame(CONTINUED, b"", fin=False)
            + frame(CONTINUED, b"ad"),)),
    good("ping_between_fragments", "RFC 6455 §5.4", (frame(TEXT, b"lo", fin=False) + frame(PING, b"in")
            + frame(CONTINUED, b"ad"),), said="pong:in"),
    good("character_cut_by_a_fragment", "RFC 6455 §8.1", (frame(TEXT, b"gr\xc3", fin=False)
            + frame(CONTINUED, b"\xbc\xc3", fin=False) + frame(CONTINUED, b"\x9f"),)),
    good("ping", "RFC 6455 §5.5.2", (frame(PING, b"here") + ECHO,), said="pong:here"),
    good("ping_without_content", "RFC 6455 §5.5.2", (frame(PING) + ECHO,), said="pong:"),
    good("ping_of_125_bytes", "RFC 6455 §5.5", (frame(PING, b"p" * 125) + ECHO,), said="pong:" + "p" * 125),
    good("pong_unasked", "RFC 6455 §5.5.3", (frame(PONG, b"so") + ECHO,)),
    good("ping_behind_the_handshake", "RFC 6455 §5.5.2", greeting=(switch(), frame(PING, b"first")), said="pong:first"),
    good("two_answers", "RFC 6455 §5.4", (ECHO + ECHO,)),
    broken("masked", "RFC 6455 §5.1", (frame(TEXT, b"lo", mask=_MASK),), kind="websocket_masked"),
    broken("masked_ping", "RFC 6455 §5.1", (frame(PING, b"lo", mask=_MASK),), kind="websocket_masked"),
    *(
        broken(f"reserved_bit_{bit}", "RFC 6455 §5.2", (frame(TEXT, b"lo", reserved=4 >> (bit - 1)),))
        for bit in (1, 2, 3)
    ),
    *(broken(f"opcode_{opcode}", "RFC 6455 §5.2", (frame(opcode, b"lo"),)) for opcode in (3, 7, 11, 15)),
    broken("ping_of_126_bytes", "RFC 6455 §5.5", (frame(PING, bytes(126)),)),
    broken("close_of_126_bytes", "RFC 6455 §5.5", (frame(CLOSE, b"\x03\xe8" + b"x" * 124),)),
    broken("ping_in_fragments", "RFC 6455 §5.5", (frame(PING, b"a", fin=False),)),
    broken("close_in_fragments", "RFC 6455 §5.5", (frame(CLOSE, b"\x03\xe8", fin=False),)),
    broken("continuation_of_nothing", "RFC 6455 §5.4", (frame(CONTINUED, b"lo"),)),
    broken("message_within_a_message", "RFC 6455 §5.4", (frame(TEXT, b"lo", fin=False) + frame(TEXT, b"ad"),)),
    broken("length_with_the_top_bit", "RFC 6455 §5.2", (frame(BINARY, b"", width=8, says_bytes=1 << 63),),
            kind="websocket_too_large", code=1009),
    # Servers must write the shortest form; nothing says that a client refuses another.
    good("length_of_16_bits_for_a_short_one", "RFC 6455 §5.2", (frame(TEXT, b"lo", width=2),)),
    good("length_of_64_bits_for_a_middle_one", "RFC 6455 §5.2", (frame(TEXT, b"x" * 300, width=8),)),
)  # fmt: skip

_TEXTS = (
    good("text_of_other_scripts", "RFC 6455 §8.1", (frame(TEXT, "grüß 漢字 🙂".encode()),)),
    *(
        broken(f"text_{name}", "RFC 6455 §8.1", (answer,), kind="websocket_invalid_utf8", code=1007)
        for name, answer in (
            ("of_latin_1", frame(TEXT, b"gr\xfc\xdf")), ("with_a_cut_character", frame(TEXT, b"a\xc3")),
            ("with_a_surrogate", frame(TEXT, b"\xed\xa0\x80")),
            ("too_long_for_its_character", frame(TEXT, b"\xc0\xaf")),
            ("beyond_unicode", frame(TEXT, b"\xf4\x90\x80\x80")),
            ("cut_at_the_last_fragment", frame(TEXT, b"a\xc3", fin=False) + frame(CONTINUED)),
        )
    ),
    broken("reason_not_utf8", "RFC 6455 §5.5.1", (close(1000, b"\xff"),), kind="websocket_invalid_utf8", code=1007),
    broken("too_large", "RFC 6455 §10.4", (frame(BINARY, bytes(2_001)),), kind="websocket_too_large", code=1009,
            options=_SMALL),
    broken("too_large_in_its_head", "RFC 6455 §10.4", (frame(BINARY, b"", says_bytes=1 << 40),),
            kind="websocket_too_large", code=1009, options=_SMALL),
    broken("too_large_in_fragments", "RFC 6455 §10.4",
            (frame(BINARY, bytes(900), fin=False) + frame(CONTINUED, bytes(900), fin=False) * 2,),
            kind="websocket_too_large", code=1009, options=_SMALL),
)  # fmt: skip

_ENDS = (
    *(
        fails(f"closed_with_{code}", "RFC 6455 §7.4.1", "websocket_closed", _SERVER, (close(code, b"no"),),
            said=f"close:{code}")
        for code in (1000, 1001, 1011, 3000, 4999)
    ),
    fails("closed_without_a_code", "RFC 6455 §7.1.5", "websocket_closed", _SERVER, (close(None),), said="close:bare"),
    fails("closed_within_a_message", "RFC 6455 §5.5.1", "websocket_closed", _SERVER,
            (frame(TEXT, b"lo", fin=False) + close(1001),), said="close:1001? close:1002?"),
    fails("closed_behind_the_handshake", "RFC 6455 §5.5.1", "websocket_closed", _SERVER,
            greeting=(switch(), close(1012)), said="close:1012"),
    *(
        broken(f"closed_with_{code}", "RFC 6455 §7.4.1", (close(code),))
        for code in (0, 999, 1004, 1005, 1006, 1015, 5000)
    ),
    broken("close_of_one_byte", "RFC 6455 §5.5.1", (frame(CLOSE, b"x"),)),
    ends("answer_and_close", "RFC 6455 §5.5.1", (ECHO + close(1000),)),
    ends("answer_and_close_and_fin", "RFC 6455 §7.1.1", (ECHO + close(1001), FIN), said="close:1001"),
    ends("answer_and_data_behind_the_close", "RFC 6455 §5.5.1", (ECHO + close(1000) + ECHO,)),
    ends("answer_and_nonsense", "RFC 6455 §5.2", (ECHO + frame(3, b"x"),), ending=_GAVE_UP, said="close:1002"),
    second_fails("close_while_idle", "RFC 6455 §5.5.1",
            "101 websocket_closed?", _SERVER, (ECHO, Pause(0.004), close(1001)),
            options=_IDLE, said="close:1001?"),
    second_fails("nonsense_while_idle", "RFC 6455 §5.2",
            "101 websocket_protocol?", _GAVE_UP, (ECHO, Pause(0.004), frame(3)),
            options=_IDLE, said="close:1002?"),
    good("message_while_idle", "RFC 6455 §5.4", (ECHO, Pause(0.004), ECHO), options=_IDLE),
    good("ping_while_idle", "RFC 6455 §5.5.2", (ECHO, Pause(0.004), frame(PING, b"idle")), options=_IDLE,
            said="pong:idle?"),
    second_fails("fin_while_idle", "RFC 6455 §7.1.5", "101 stale_connection?", "server_idle_fin server_stale?",
            (ECHO, Pause(0.004), FIN),
            options=_IDLE),
    second_fails("rst_while_idle", "RFC 6455 §7.1.5", "101 stale_connection?", "server_idle_rst server_stale?",
            (ECHO, Pause(0.004), RST),
            options=_IDLE),
    fails("fin_instead_of_an_answer", "RFC 6455 §7.1.5", "closed_without_response", "server_unanswered", (FIN,)),
    fails("rst_instead_of_an_answer", "RFC 6455 §7.1.5", "closed_without_response", "server_unanswered", (RST,)),
    fails("fin_within_a_frame", "RFC 6455 §7.1.5", "truncated", "server_mid_response_fin", (ECHO[:4], FIN)),
    fails("fin_between_fragments", "RFC 6455 §7.1.5", "truncated", "server_mid_response_fin",
            (frame(TEXT, b"lo", fin=False), FIN)),
    fails("rst_within_a_frame", "RFC 6455 §7.1.5", "truncated", "server_mid_response_rst",
            (ECHO[:4], Pause(0.003), RST)),
    second_fails("fin_at_the_second_message", "RFC 6455 §7.1.5", "101 stale_connection", "server_stale", (ECHO,),
            (FIN,)),
    second_fails("close_at_the_second_message", "RFC 6455 §5.5.1", "101 websocket_closed", _SERVER, (ECHO,),
            (close(1001),), said="close:1001"),
    fails("no_answer", "RFC 6455 §5.4", "response_timeout", _GAVE_UP, (Pause(0),), options=_PATIENT, said="close:1000"),
    fails("half_an_answer", "RFC 6455 §5.4", "response_timeout", _GAVE_UP, (frame(TEXT, b"lo", fin=False),),
            options=_PATIENT, said="close:1000"),
    fails("pings_alone", "RFC 6455 §5.5.2", "response_timeout", _GAVE_UP, (frame(PING, b"still"),), options=_PATIENT,
            said="close:1000 pong:still"),
    good("close_unanswered", "RFC 6455 §7.1.4", greeting=(no_answer_to_close, switch())),
)  # fmt: skip
ROWS: tuple[Row, ...] = (*_HANDSHAKE, *_FRAMES, *_TEXTS, *_ENDS)
