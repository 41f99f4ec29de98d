"""The table of error kinds: numbers that recorded runs rely on, and a whole row for each kind."""

from __future__ import annotations

import errno
import pickle

import pytest

from loadgen.model.errors import ErrorKind, Layer, OthersKind, markdown_table
from loadgen.model.records import ClosedBy, Ending, Phase
from loadgen.model.redaction import redact_url

# What runs have stored so far. A new kind is added at the end; nothing here is ever changed.
NUMBERS = {
    "unfinished": 1, "dns_failed": 2, "connect_refused": 3, "connect_unreachable": 4, "connect_timeout": 5,
    "connect_failed": 6, "no_local_port": 7, "no_file_descriptor": 8, "tls_untrusted": 9, "tls_wrong_name": 10,
    "tls_failed": 11, "tls_timeout": 12, "stale_connection": 13, "closed_without_response": 14, "truncated": 15,
    "send_failed": 16, "malformed": 17, "head_too_large": 18, "body_too_large": 19, "response_timeout": 20,
    "pipeline_dropped": 21, "upgrade_refused": 22, "upgrade_wrong_protocol": 23, "upgrade_timeout": 24,
    "websocket_wrong_accept": 25, "websocket_protocol": 26, "websocket_masked": 27, "websocket_invalid_utf8": 28,
    "websocket_too_large": 29, "websocket_closed": 30, "http2_protocol": 31, "http2_flood": 32,
    "http2_settings_timeout": 33, "http2_goaway": 34, "http2_reset": 35, "proxy_refused": 36,
    "proxy_authentication": 37, "proxy_timeout": 38, "http2_refused_stream": 39, "not_http": 40,
    "crossed_by_close": 41, "tls_certificate_required": 42, "tls_certificate_refused": 43,
    "connect_queue_full": 44,
    "socks_refused": 45,
    "socks_unreachable": 46,
    "proxy_untrusted": 47,
    "proxy_wrong_name": 48,
    "proxy_tls_failed": 49,
    "proxy_certificate_required": 50,
    "proxy_certificate_refused": 51,
    "body_unreadable": 52,
    "tls_expired": 53,
    "proxy_expired": 54,
}  # fmt: skip


def test_numbers_never_change() -> None:
    found = {kind.label: kind.value for kind in ErrorKind}
    new = {label: number for label, number in found.items() if label not in NUMBERS}
    assert not new, f"add to NUMBERS in tests/unit/model/test_errors.py, at its end: {new}"
    assert found == NUMBERS, "a number that runs have stored has changed, or its kind is gone"
    assert list(NUMBERS.values()) == list(range(1, len(NUMBERS) + 1))
    assert all(-kind == -NUMBERS[kind.label] for kind in ErrorKind)  # an outcome in a row is its negative


def test_a_kind_survives_the_way_between_processes() -> None:
    assert pickle.loads(pickle.dumps(ErrorKind.TRUNCATED)) is ErrorKind.TRUNCATED
    assert ErrorKind(15) is ErrorKind.TRUNCATED
    with pytest.raises(ValueError, match="99 is not a valid ErrorKind"):
        ErrorKind(99)


@pytest.mark.parametrize("kind", ErrorKind, ids=lambda kind: kind.label)
def test_every_kind_has_a_whole_row(kind: ErrorKind) -> None:
    assert kind.meaning
    assert isinstance(kind.layer, Layer)
    assert isinstance(kind.ending, Ending)
    assert isinstance(kind.ending_by_reset, Ending)
    assert (kind.pipeline_others, kind.streams_others) != (None, None)
    for text in (kind.meaning, kind.advice):
        # They stand after a colon, and end where the caller ends the sentence.
        assert "\n" not in text
        assert not text.endswith(".")
    assert kind.meaning[0].islower() or kind.meaning.startswith("TLS")


def test_an_errno_and_a_phase_mean_one_kind() -> None:
    numbers = [number for kind in ErrorKind for number in kind.errnos]
    assert len(numbers) == len(set(numbers))
    assert errno.ECONNREFUSED in numbers
    phases = [kind.timeout_in for kind in ErrorKind if kind.timeout_in is not None]
    assert sorted(phases, key=list(Phase).index) == [
        Phase.DNS, Phase.CONNECT, Phase.TUNNEL, Phase.TLS, Phase.UPGRADE,
    ]  # fmt: skip


def test_what_fails_on_the_way_to_the_server_hits_every_policy() -> None:
    """But for a refused CONNECT: policies that send plain requests to the proxy don't ask for one."""
    on_the_way = {Layer.DNS, Layer.TCP, Layer.TLS, Layer.PROXY}
    way = {kind for kind in ErrorKind if kind.layer in on_the_way} - {ErrorKind.PROXY_REFUSED}
    assert {kind for kind in ErrorKind if kind.hits_every_policy} == way | {
        ErrorKind.NO_LOCAL_PORT, ErrorKind.NO_FILE_DESCRIPTOR,
    }  # fmt: skip


def test_no_advice_is_taken_for_a_secret() -> None:
    assert [kind.label for kind in ErrorKind if redact_url(kind.advice) != kind.advice] == []


def test_a_proxy_in_between_is_what_fails_first() -> None:
    assert [kind.label for kind in ErrorKind if kind.is_about_proxy] == [
        "dns_failed", "connect_refused", "connect_unreachable", "connect_timeout", "connect_failed",
        "proxy_refused", "proxy_authentication", "proxy_timeout", "connect_queue_full",
            "socks_refused", "socks_unreachable", "proxy_untrusted", "proxy_wrong_name", "proxy_tls_failed",
        "proxy_certificate_required", "proxy_certificate_refused", "proxy_expired",
    ]  # fmt: skip


def test_who_ended_the_connection() -> None:
    by_server = {kind for kind in ErrorKind if kind.ending.closed_by is ClosedBy.SERVER}
    assert by_server == {
        ErrorKind.STALE_CONNECTION, ErrorKind.CLOSED_WITHOUT_RESPONSE, ErrorKind.TRUNCATED, ErrorKind.SEND_FAILED,
        ErrorKind.WEBSOCKET_CLOSED, ErrorKind.HTTP2_GOAWAY, ErrorKind.CROSSED_BY_CLOSE,
    }  # fmt: skip
    # A reset within the TLS handshake is the server's doing; a check that failed is the client's.
    assert {kind for kind in ErrorKind if kind.ending_by_reset != kind.ending} == {
        ErrorKind.TRUNCATED, ErrorKind.TLS_FAILED,
    }  # fmt: skip


def test_a_close_makes_what_is_behind_stale_and_anything_else_drops_it() -> None:
    stale = {kind for kind in ErrorKind if kind.pipeline_others is OthersKind.STALE}
    assert stale == {
        kind
        for kind in ErrorKind
        if kind.ending.label.startswith(("server_stale", "server_una", "server_mid", "server_idle"))
    }
    assert [kind for kind in ErrorKind if kind.pipeline_others is OthersKind.SAME] == [ErrorKind.UNFINISHED]
    assert {kind for kind in ErrorKind if kind.streams_others is OthersKind.BY_PROGRESS} == stale - {
        ErrorKind.SEND_FAILED, ErrorKind.CROSSED_BY_CLOSE,
    }  # fmt: skip


def test_what_met_the_end_of_an_idle_connection() -> None:
    """These say nothing against the target, and are sent once more with --retry-stale."""
    assert {kind for kind in ErrorKind if kind.is_stale} == {ErrorKind.STALE_CONNECTION, ErrorKind.CROSSED_BY_CLOSE}


def test_a_report_explains_the_protocols_and_not_what_everybody_knows() -> None:
    assert ErrorKind.CONNECT_REFUSED.explanation == ""
    assert ErrorKind.UPGRADE_REFUSED.explanation == (
        "the server answered the upgrade like any request: does this path speak WebSocket?"
    )
    assert ErrorKind.HTTP2_FLOOD.explanation == ErrorKind.HTTP2_FLOOD.meaning


def test_the_page_has_a_line_for_each_kind() -> None:
    head, _, *rows = markdown_table().splitlines()
    assert len(rows) == len(ErrorKind)
    assert {line.count("|") for line in (head, *rows)} == {head.count("|")}
    assert rows[10].startswith("| 11 | `tls_failed` | tls | ")
    assert rows[10].endswith(" | client or server |")
