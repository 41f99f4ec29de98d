"""HTTP/2: responses, their fields and their content, and how connections end (RFC 9113 §6.8, §8 and §10, RFC 7541)."""

from __future__ import annotations

from tests.support.hostile.behaviour import FIN, GOOD, RST, Pause, Row, Script, Tls
from tests.support.hostile.http2_frames import (
    CONTINUATION,
    DATA,
    LAST_ID,
    OK,
    PADDED,
    PING,
    WHOLE,
    Frame,
    data,
    fields,
    goaway,
    headers,
    rst_stream,
    settings,
    status,
)
from tests.support.hostile.http2_outcomes import (
    connection_error,
    declined,
    ends,
    fails,
    good,
    second_fails,
    silent,
    stream_error,
)
from tests.support.hostile.http2_server import ANSWER, answer_and_leave, answer_at_the_head, last_stream, send

_IDLE = ("--think", "15ms")
_PROTOCOL, _HPACK, _CALM = "PROTOCOL_ERROR", "COMPRESSION_ERROR", "ENHANCE_YOUR_CALM"
_HEAD, _BODY = headers(), data()


def _with(*pairs: tuple[str, str], code: str = "200") -> Script:
    """A response with these fields, and five bytes."""
    return (send(headers(status(code, *pairs)), _BODY),)


def _fields(*pairs: tuple[str, str]) -> Script:
    """A response with exactly these fields, whose stream stays open: the client has to reset it."""
    return (send(headers(fields(*pairs)), data(flags=0)),)


def _block(block: bytes) -> Script:
    return (send(headers(block), _BODY),)


_SECTIONS = (
    *(
        stream_error(f"h2_{name}", "RFC 9113 §8.3", _fields(*pairs))
        for name, pairs in (
            ("no_status", (("server", "x"),)),
            ("two_statuses", ((":status", "200"), (":status", "200"))),
            ("status_behind_a_field", (("server", "x"), (":status", "200"))),
            ("status_of_two_digits", ((":status", "20"),)),
            ("status_of_four_digits", ((":status", "2000"),)),
            ("status_of_letters", ((":status", "2xx"),)),
            ("status_empty", ((":status", ""),)),
            ("status_below_100", ((":status", "099"),)),
            ("pseudo_field_of_requests", ((":status", "200"), (":path", "/"))),
            ("pseudo_field_unknown", ((":status", "200"), (":odd", "x"))),
        )
    ),
    *(
        stream_error(f"h2_name_{name}", "RFC 9113 §8.2.1", _fields((":status", "200"), (field, "x")))
        for name, field in (
            ("in_capitals", "Server"), ("empty", ""), ("with_a_blank", "a b"), ("with_a_colon", "a:b"),
            ("with_a_control_character", "a\x01b"), ("with_a_line_break", "a\nb"), ("with_del", "a\x7fb"),
            ("with_a_byte_beyond_ascii", "caf\xe9"), ("of_a_nul", "a\0"),
        )
    ),
    *(
        stream_error(f"h2_value_{name}", "RFC 9113 §8.2.1", _fields((":status", "200"), ("server", value)))
        for name, value in (
            ("with_a_nul", "a\0b"), ("with_cr", "a\rb"), ("with_lf", "a\nb"), ("begins_with_a_blank", " a"),
            ("ends_with_a_tab", "a\t"),
        )
    ),
    *(
        stream_error(f"h2_connection_specific_{field.replace('-', '_')}", "RFC 9113 §8.2.2",
            _fields((":status", "200"), (field, value)))
        for field, value in (
            ("connection", "close"), ("keep-alive", "timeout=5"), ("proxy-connection", "close"),
            ("transfer-encoding", "chunked"), ("upgrade", "h2c"),
        )
    ),
    good("h2_value_with_bytes_beyond_ascii", "RFC 9110 §5.5", _with(("server", "caf\xe9"))),
    good("h2_value_empty", "RFC 9110 §5.5", _with(("server", ""))),
    good("h2_every_token_character", "RFC 9110 §5.6.2", _with(("!#$%&'*+-.^_`|~09az", "x"))),
    good("h2_status_404", "RFC 9110 §15.5.5", _with(code="404"), results="404"),
    good("h2_status_599", "RFC 9110 §15", _with(code="599"), results="599"),
    good("h2_many_fields", "RFC 9113 §8.2", _with(*[("x", "y")] * 200)),
)  # fmt: skip

_HPACK_ROWS = (
    good("h2_dynamic_table", "RFC 7541 §2.3.2", _block(OK + b"\x40\x03x-a\x01b"), _block(OK + b"\xbe")),
    good("h2_huffman", "RFC 7541 §5.2", _block(OK + bytes.fromhex("408825a849e95ba97d7f8925a849e95bb8e8b4bf"))),
    good("h2_table_size_update", "RFC 7541 §6.3", _block(b"\x20\x3f\xe1\x1f" + OK)),
    connection_error("h2_table_size_update_beyond_the_limit", "RFC 7541 §6.3", _HPACK, _block(b"\x3f\xe2\x1f" + OK)),
    connection_error("h2_index_0", "RFC 7541 §6.1", _HPACK, _block(OK + b"\x80")),
    connection_error("h2_index_beyond_the_table", "RFC 7541 §2.3.3", _HPACK, _block(OK + b"\xbe")),
    connection_error("h2_name_index_beyond_the_table", "RFC 7541 §2.3.3", _HPACK, _block(OK + b"\x7f\x00\x01b")),
    connection_error("h2_string_cut", "RFC 7541 §5.2", _HPACK, _block(OK + b"\x00\x0aab")),
    connection_error("h2_integer_cut", "RFC 7541 §5.1", _HPACK, _block(OK + b"\x7f\xff")),
    connection_error("h2_integer_too_large", "RFC 7541 §5.1", _HPACK, _block(OK + b"\xff" + b"\xff" * 20 + b"\x01")),
    connection_error("h2_huffman_with_its_end", "RFC 7541 §5.2", _HPACK, _block(OK + b"\x00\x01x\x84\xff\xff\xff\xff")),
    connection_error("h2_huffman_padded_too_far", "RFC 7541 §5.2", _HPACK, _block(OK + b"\x00\x01x\x83\x1f\xff\xff")),
    connection_error("h2_huffman_padded_with_zeros", "RFC 7541 §5.2", _HPACK, _block(OK + b"\x00\x01x\x81\x18")),
)  # fmt: skip

_UPLOAD = ("--method", "POST", "--data", "x" * 200_000)
_CONTENT = (
    good("h2_content_length", "RFC 9113 §8.1.1", _with(("content-length", "5"))),
    good("h2_content_length_of_nothing", "RFC 9113 §8.1.1",
            (send(headers(status("200", ("content-length", "0")), WHOLE)),)),
    good("h2_content_length_to_head", "RFC 9110 §9.3.2",
            (send(headers(status("200", ("content-length", "5")), WHOLE)),),
            options=("--method", "HEAD")),
    good("h2_content_length_of_a_304", "RFC 9110 §15.4.5",
            (send(headers(status("304", ("content-length", "5")), WHOLE)),),
            results="304"),
    *(
        connection_error(f"h2_content_length_{name}", "RFC 9113 §8.1.1", _PROTOCOL, _with(("content-length", value)))
        for name, value in (
            ("too_large", "6"), ("too_small", "4"), ("of_no_number", "x"), ("negative", "-5"), ("with_a_sign", "+5"),
            ("of_two_numbers", "5, 6"),
        )
    ),
    good("h2_content_length_without_content", "RFC 9113 §8.1.1",
            (send(headers(status("200", ("content-length", "5")), WHOLE)),), results="http2_protocol"),
    connection_error("h2_two_content_lengths", "RFC 9113 §8.1.1", _PROTOCOL,
            _with(("content-length", "5"), ("content-length", "6"))),
    connection_error("h2_content_length_exceeded_in_two_frames", "RFC 9113 §8.1.1", _PROTOCOL,
            (send(headers(status("200", ("content-length", "5"))), data(flags=0), _BODY),)),
    good("h2_two_equal_content_lengths", "RFC 9110 §8.6", _with(("content-length", "5"), ("content-length", "5"))),
    good("h2_trailers", "RFC 9113 §8.1", (send(_HEAD, data(flags=0), headers(fields(("x-sum", "1")), WHOLE)),)),
    good("h2_trailers_without_content", "RFC 9113 §8.1", (send(_HEAD, headers(fields(("x-sum", "1")), WHOLE)),)),
    connection_error("h2_trailers_that_do_not_end", "RFC 9113 §8.1", _PROTOCOL,
            (send(_HEAD, data(flags=0), headers(fields(("x-sum", "1")))),)),
    good("h2_pseudo_field_in_trailers", "RFC 9113 §8.1", (send(_HEAD, data(flags=0), headers(OK, WHOLE)),),
            results="http2_protocol"),
    good("h2_capitals_in_trailers", "RFC 9113 §8.2.1", (send(_HEAD, headers(fields(("X-Sum", "1")), WHOLE)),),
            results="http2_protocol"),
    connection_error("h2_second_final_head", "RFC 9113 §8.1", _PROTOCOL, (send(_HEAD, _HEAD, _BODY),)),
    connection_error("h2_data_before_the_head", "RFC 9113 §8.1", _PROTOCOL, (send(_BODY),)),
    good("h2_interim", "RFC 9110 §15.2", (send(headers(status("103", ("link", "</a>"))), _HEAD, _BODY),)),
    good("h2_interim_thrice", "RFC 9110 §15.2", (send(*[headers(status("100"))] * 3, _HEAD, _BODY),)),
    connection_error("h2_interim_that_ends", "RFC 9113 §8.1", _PROTOCOL, (send(headers(status("103"), WHOLE)),)),
    connection_error("h2_data_behind_an_interim", "RFC 9113 §8.1", _PROTOCOL, (send(headers(status("103")), _BODY),)),
    stream_error("h2_switching_protocols", "RFC 9113 §8.6", (send(headers(status("101"))),)),
    silent("h2_interim_alone", "RFC 9110 §15.2", (send(headers(status("103"))),)),
    fails("h2_interim_and_fin", "RFC 9110 §15", "closed_without_response", "server_unanswered",
            (send(headers(status("103"))), FIN)),
    silent("h2_half_a_response", "RFC 9113 §8.1", (send(_HEAD, data(flags=0)),)),
    stream_error("h2_body_too_large", "RFC 9113 §8.1", (send(_HEAD, data(bytes(2_001), 0)),), kind="body_too_large",
            code="CANCEL", options=("--max-body", "2000")),
    good("h2_upload", "RFC 9113 §6.9", (ANSWER,), options=_UPLOAD),
    good("h2_answered_before_the_request_is_sent", "RFC 9113 §8.1",
            (send(headers(status("413")), _BODY, rst_stream(0)),), results="413", said="reset:NO_ERROR?",
            greeting=(answer_at_the_head, send(settings())), options=_UPLOAD),
    good("h2_byte_by_byte", "RFC 9113 §4.1",
            (send(_HEAD), Pause(0.001), send(data(b"h", 0)), Pause(0.001), send(_BODY))),
    good("h2_megabyte", "RFC 9113 §6.9", (send(_HEAD, *[data(bytes(16_384), 0)] * 128, _BODY),)),
    good("h2_megabyte_of_padding", "RFC 9113 §6.9.1",
            (send(_HEAD, *[Frame(DATA, b"\xff" + bytes(255), PADDED)] * 600, _BODY),)),
)  # fmt: skip

_FLOODS = (
    fails("h2_flood_of_pings", "RFC 9113 §10.5", "http2_flood", "client_gave_up",
            (send(*[Frame(PING, b"loadgen!", stream=0)] * 2_500),), said=f"goaway:{_CALM} pong:loadgen!?"),
    fails("h2_flood_of_settings", "RFC 9113 §10.5", "http2_flood", "client_gave_up",
            (send(*[settings()] * 2_500),), said=f"goaway:{_CALM}"),
    fails("h2_flood_of_empty_data", "RFC 9113 §10.5", "http2_flood", "client_gave_up",
            (send(_HEAD, *[data(b"", 0)] * 2_500),), said=f"goaway:{_CALM}"),
    fails("h2_flood_of_interim", "RFC 9110 §15.2", "http2_flood", "client_gave_up",
            (send(*[headers(status("103"))] * 2_500),), said=f"goaway:{_CALM}"),
    fails("h2_head_too_large", "RFC 9113 §10.5.1", "head_too_large", "client_gave_up",
            (send(headers(OK + b"\0\1x\1y" * 3_000)),), said=f"goaway:{_CALM}"),
    connection_error("h2_flood_of_continuations", "RFC 9113 §10.5", _PROTOCOL,
            (send(headers(b"", 0), *[Frame(CONTINUATION, b"\0\1x\1y")] * 80),)),
)  # fmt: skip

_ENDS = (
    ends("h2_goaway_with_the_answer", "RFC 9113 §6.8", (answer_and_leave,)),
    ends("h2_goaway_before_the_answer", "RFC 9113 §6.8", (last_stream, Pause(0.002), ANSWER)),
    ends("h2_goaway_and_fin", "RFC 9113 §6.8", (answer_and_leave, FIN)),
    ends("h2_goaway_in_two_steps", "RFC 9113 §6.8",
            (send(goaway(LAST_ID)), Pause(0.002), ANSWER, last_stream)),
    ends("h2_goaway_of_a_higher_stream", "RFC 9113 §6.8", (send(goaway(LAST_ID)), ANSWER)),
    ends("h2_goaway_with_debug_data", "RFC 9113 §6.8", (send(_HEAD, _BODY, goaway(LAST_ID, 0, b"\xff<script>")),)),
    second_fails("h2_goaway_while_idle", "RFC 9113 §6.8", "200 http2_goaway?", "server_announced",
            (ANSWER, Pause(0.004), last_stream), options=_IDLE),
    second_fails("h2_goaway_with_an_error_while_idle", "RFC 9113 §6.8", "200 http2_goaway?", "server_announced",
            (ANSWER, Pause(0.004), send(goaway(LAST_ID, 11))), options=_IDLE),
    fails("h2_goaway_instead_of_an_answer", "RFC 9113 §6.8", "http2_goaway", "server_announced", (send(goaway(0)),)),
    fails("h2_goaway_with_an_error", "RFC 9113 §6.8", "http2_goaway", "server_announced",
            (send(goaway(0, 11, b"calm")),)),
    fails("h2_goaway_with_an_unknown_error", "RFC 9113 §7", "http2_goaway", "server_announced",
            (send(goaway(0, 0xBAD)),)),
    fails("h2_goaway_twice", "RFC 9113 §6.8", "http2_goaway", "server_announced", (send(goaway(LAST_ID), goaway(0)),)),
    fails("h2_goaway_then_fin", "RFC 9113 §6.8", "closed_without_response stale_connection?", "server_announced",
            (send(goaway(LAST_ID)), FIN)),
    connection_error("h2_goaway_on_a_stream", "RFC 9113 §6.8", _PROTOCOL, (send(goaway(0, stream=1)),)),
    connection_error("h2_goaway_of_seven_bytes", "RFC 9113 §4.2", "FRAME_SIZE_ERROR",
            (send(Frame(7, bytes(7), stream=0)),)),
    second_fails("h2_fin_while_idle", "RFC 9113 §9.1",
            "200 stale_connection?", "server_idle_fin server_stale?", (ANSWER, Pause(0.004), FIN),
            options=_IDLE),
    second_fails("h2_rst_while_idle", "RFC 9113 §9.1",
            "200 stale_connection?", "server_idle_rst server_stale?", (ANSWER, Pause(0.004), RST),
            options=_IDLE),
    fails("h2_fin_instead_of_an_answer", "RFC 9113 §9.1", "closed_without_response", "server_unanswered", (FIN,)),
    fails("h2_rst_instead_of_an_answer", "RFC 9113 §9.1", "closed_without_response", "server_unanswered", (RST,)),
    fails("h2_fin_within_the_response", "RFC 9113 §9.1", "truncated", "server_mid_response_fin",
            (send(_HEAD, data(flags=0)), FIN)),
    fails("h2_fin_within_a_frame", "RFC 9113 §9.1", "truncated", "server_mid_response_fin",
            (send(_HEAD, data(b"he", 0), Frame(DATA, b"l", says_bytes=9)), FIN)),
    fails("h2_rst_within_the_response", "RFC 9113 §9.1", "truncated", "server_mid_response_rst",
            (send(_HEAD, data(flags=0)), Pause(0.003), RST)),
    second_fails("h2_fin_at_the_second_request", "RFC 9113 §9.1", "200 stale_connection", "server_stale", (ANSWER,),
            (FIN,)),
    second_fails("h2_goaway_at_the_second_request", "RFC 9113 §6.8", "200 http2_goaway", "server_announced", (ANSWER,),
            (send(goaway(0)),)),
    second_fails("h2_goaway_and_repeated", "RFC 9113 §8.7", "200 http2_goaway", "server_announced", (ANSWER,),
            (send(goaway(0)),), options=("--retry-stale", "--method", "POST", "--data", "x")),
    good("h2_refused_and_repeated", "RFC 9113 §8.7", (ANSWER,), (send(rst_stream(7)),), (ANSWER,),
            results="200 http2_refused_stream?", options=("--retry-stale", "--method", "POST", "--data", "x")),
    declined("h2_declined_in_tls", "RFC 7301 §3.2", (GOOD,), tls=Tls(alpn=("http/1.1",))),
    declined("h2_without_alpn", "RFC 7301 §3.2", (GOOD,), tls=Tls()),
)  # fmt: skip
ROWS: tuple[Row, ...] = (*_SECTIONS, *_HPACK_ROWS, *_CONTENT, *_FLOODS, *_ENDS)
