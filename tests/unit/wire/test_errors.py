"""From exceptions, closes and deadlines to error kinds, by where the connection was and whether it served before."""

from __future__ import annotations

import errno

import pytest

from loadgen.model.errors import ErrorKind
from loadgen.model.records import Ending
from loadgen.wire.errors import (
    TlsFailure,
    UpgradeFailure,
    ending_of,
    kind_of,
    kind_of_close,
    kind_of_timeout,
    was_opened,
)
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
    ("state", "sent_some", "new", "reused"),
    [
        (HANDSHAKING, False, K.TLS_FAILED, K.TLS_FAILED),
        (SENDING, False, K.CLOSED_WITHOUT_RESPONSE, K.STALE_CONNECTION),
        (SENDING, True, K.SEND_FAILED, K.STALE_CONNECTION),
        (WAITING, True, K.CLOSED_WITHOUT_RESPONSE, K.STALE_CONNECTION),
        (RECEIVING, True, K.TRUNCATED, K.TRUNCATED),
    ],
)
def test_a_close(state: State, sent_some: bool, new: ErrorKind, reused: ErrorKind) -> None:
    assert (kind_of_close(state, False, sent_some), kind_of_close(state, True, sent_some)) == (new, reused)


RESET = OSError(errno.ECONNRESET, "reset")
ALERT = TlsFailure(K.TLS_FAILED, "alert", by_peer=True)


@pytest.mark.parametrize(
    ("error", "state", "reused", "ending"),
    [
        (RESET, CONNECTING, False, Ending.SERVER_UNANSWERED),
        (RESET, HANDSHAKING, False, Ending.SERVER_UNANSWERED),
        (RESET, WAITING, True, Ending.SERVER_STALE),
        (RESET, RECEIVING, False, Ending.SERVER_MID_RESPONSE_RST),
        (ALERT, HANDSHAKING, False, Ending.SERVER_UNANSWERED),
        (ALERT, WAITING, True, Ending.SERVER_STALE),
        (ALERT, RECEIVING, True, Ending.SERVER_MID_RESPONSE_RST),
        (UpgradeFailure(K.PROXY_AUTHENTICATION, "x", by_peer=True), TUNNELLING, False, Ending.SERVER_UNANSWERED),
    ],
)
def test_the_end_of_a_connection_that_the_peer_ended(
    error: Exception, state: State, reused: bool, ending: Ending
) -> None:
    assert ending_of(error, state, reused) is ending


@pytest.mark.parametrize(
    "error", [TlsFailure(K.TLS_UNTRUSTED, "x"), UpgradeFailure(K.HTTP2_GOAWAY, "x"), Malformed("x")]
)
def test_any_other_failure_ends_the_connection_as_its_kind_says(error: Exception) -> None:
    assert ending_of(error, WAITING, False) is None


@pytest.mark.parametrize("number", [errno.ECONNRESET, errno.EPIPE])
def test_a_reset_while_connecting_is_of_an_open_connection(number: int) -> None:
    kind = kind_of(OSError(number, "x"), CONNECTING, False)
    assert (kind, was_opened(kind)) == (K.CLOSED_WITHOUT_RESPONSE, True)


@pytest.mark.parametrize(
    "kind", [K.DNS_FAILED, K.CONNECT_REFUSED, K.CONNECT_FAILED, K.NO_LOCAL_PORT], ids=lambda kind: kind.label
)
def test_a_failure_to_connect_is_of_none(kind: ErrorKind) -> None:
    assert not was_opened(kind)
