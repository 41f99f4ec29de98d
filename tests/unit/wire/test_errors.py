"""From exceptions, closes and deadlines to error kinds, by where the connection was and whether it served before."""

from __future__ import annotations

import errno

import pytest

from loadgen.model.errors import ErrorKind
from loadgen.model.records import Ending
from loadgen.wire.errors import TlsFailure, UpgradeFailure, ending_of, kind_of, kind_of_close, kind_of_timeout
from loadgen.wire.http1.head import BodyTooLarge, HeadTooLarge, Malformed, NotHttp
from loadgen.wire.lifecycle import (
    CONNECTING,
    HANDSHAKING,
    IDLE,
    NEW,
    RECEIVING,
    RESOLVING,
    SENDING,
    TUNNELLING,
    UPGRADING,
    WAITING,
    State,
)

K = ErrorKind


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (NEW, K.DNS_FAILED),
        (RESOLVING, K.DNS_FAILED),
        (CONNECTING, K.CONNECT_TIMEOUT),
        (TUNNELLING, K.PROXY_TIMEOUT),
        (HANDSHAKING, K.TLS_TIMEOUT),
        (UPGRADING, K.UPGRADE_TIMEOUT),
        (SENDING, K.RESPONSE_TIMEOUT),
        (WAITING, K.RESPONSE_TIMEOUT),
        (RECEIVING, K.RESPONSE_TIMEOUT),
        (IDLE, K.RESPONSE_TIMEOUT),
    ],
)
def test_a_deadline(state: State, kind: ErrorKind) -> None:
    assert kind_of_timeout(state) is kind


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ECONNREFUSED, K.CONNECT_REFUSED),
        (errno.ENETUNREACH, K.CONNECT_UNREACHABLE),
        (errno.EHOSTUNREACH, K.CONNECT_UNREACHABLE),
        (errno.ETIMEDOUT, K.CONNECT_TIMEOUT),
        (errno.EADDRNOTAVAIL, K.NO_LOCAL_PORT),
        (errno.EMFILE, K.NO_FILE_DESCRIPTOR),
        (errno.ENFILE, K.NO_FILE_DESCRIPTOR),
        (errno.EPERM, K.CONNECT_FAILED),
        (None, K.CONNECT_FAILED),
    ],
)
def test_an_error_number_while_connecting(number: int | None, kind: ErrorKind) -> None:
    error = OSError("no number") if number is None else OSError(number, "x")
    assert kind_of(error, CONNECTING, False) is kind


@pytest.mark.parametrize(
    ("error", "state", "kind"),
    [
        (OSError("no such host"), RESOLVING, K.DNS_FAILED),
        (OSError(errno.ECONNRESET, "reset"), HANDSHAKING, K.TLS_FAILED),
        (TlsFailure(K.TLS_UNTRUSTED, "x"), HANDSHAKING, K.TLS_UNTRUSTED),
        (UpgradeFailure(K.PROXY_REFUSED, "x"), TUNNELLING, K.PROXY_REFUSED),
        (HeadTooLarge("x"), RECEIVING, K.HEAD_TOO_LARGE),
        (BodyTooLarge("x"), RECEIVING, K.BODY_TOO_LARGE),
        (Malformed("x"), RECEIVING, K.MALFORMED),
        (NotHttp("x"), RECEIVING, K.NOT_HTTP),
        (OSError(errno.ECONNRESET, "reset"), RECEIVING, K.TRUNCATED),
        (OSError(errno.ECONNREFUSED, "late"), WAITING, K.CLOSED_WITHOUT_RESPONSE),
    ],
)
def test_an_exception(error: Exception, state: State, kind: ErrorKind) -> None:
    assert kind_of(error, state, False) is kind


@pytest.mark.parametrize(
    ("state", "new", "reused"),
    [
        (HANDSHAKING, K.TLS_FAILED, K.TLS_FAILED),
        (SENDING, K.SEND_FAILED, K.STALE_CONNECTION),
        (WAITING, K.CLOSED_WITHOUT_RESPONSE, K.STALE_CONNECTION),
        (RECEIVING, K.TRUNCATED, K.TRUNCATED),
    ],
)
def test_a_close(state: State, new: ErrorKind, reused: ErrorKind) -> None:
    assert (kind_of_close(state, False), kind_of_close(state, True)) == (new, reused)


@pytest.mark.parametrize(
    ("kind", "by_fin", "by_reset"),
    [
        (K.TRUNCATED, Ending.SERVER_MID_RESPONSE_FIN, Ending.SERVER_MID_RESPONSE_RST),
        (K.TLS_FAILED, Ending.CLIENT_GAVE_UP, Ending.SERVER_UNANSWERED),
        (K.STALE_CONNECTION, Ending.SERVER_STALE, Ending.SERVER_STALE),
        (K.SEND_FAILED, Ending.SERVER_UNANSWERED, Ending.SERVER_UNANSWERED),
        (K.HTTP2_GOAWAY, Ending.SERVER_ANNOUNCED, Ending.SERVER_ANNOUNCED),
        (K.RESPONSE_TIMEOUT, Ending.CLIENT_GAVE_UP, Ending.CLIENT_GAVE_UP),
    ],
)
def test_the_end_of_the_connection(kind: ErrorKind, by_fin: Ending, by_reset: Ending) -> None:
    assert (ending_of(kind, False), ending_of(kind, True)) == (by_fin, by_reset)
