"""Translates what a socket or a TLS library raises into an ErrorKind: once, here. Knows no connection."""

from __future__ import annotations

import errno

from loadgen.model.records import Ending, ErrorKind
from loadgen.wire.http1.head import BodyTooLarge, HeadTooLarge, Malformed
from loadgen.wire.lifecycle import (
    CONNECTING,
    HANDSHAKING,
    RECEIVING,
    RESOLVING,
    SENDING,
    TUNNELLING,
    UPGRADING,
    State,
)

_BY_ERRNO = {
    errno.ECONNREFUSED: ErrorKind.CONNECT_REFUSED,
    errno.ENETUNREACH: ErrorKind.CONNECT_UNREACHABLE,
    errno.EHOSTUNREACH: ErrorKind.CONNECT_UNREACHABLE,
    errno.ETIMEDOUT: ErrorKind.CONNECT_TIMEOUT,
    errno.EADDRNOTAVAIL: ErrorKind.NO_LOCAL_PORT,
    errno.EMFILE: ErrorKind.NO_FILE_DESCRIPTOR,
    errno.ENFILE: ErrorKind.NO_FILE_DESCRIPTOR,
}
_TIMEOUTS = {
    CONNECTING: ErrorKind.CONNECT_TIMEOUT,
    TUNNELLING: ErrorKind.PROXY_TIMEOUT,
    HANDSHAKING: ErrorKind.TLS_TIMEOUT,
    UPGRADING: ErrorKind.UPGRADE_TIMEOUT,
}


class Failure(Exception):
    """What the peer did can't go on; `kind` says in what way."""

    def __init__(self, kind: ErrorKind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class TlsFailure(Failure):
    """The TLS handshake or record layer failed."""


class UpgradeFailure(Failure):
    """A proxy, an upgrade or the protocol after it failed."""


FAILURES = (OSError, Failure, Malformed)
"""Whatever the peer, or the way to it, can do to us."""


def kind_of(error: Exception, state: State, reused: bool) -> ErrorKind:
    """The kind of `error` raised while a connection was in `state`; `reused` where it served a request before."""
    if isinstance(error, Failure):
        return error.kind
    if isinstance(error, HeadTooLarge):
        return ErrorKind.HEAD_TOO_LARGE
    if isinstance(error, BodyTooLarge):
        return ErrorKind.BODY_TOO_LARGE
    if not isinstance(error, OSError):
        return ErrorKind.MALFORMED
    if state <= RESOLVING:
        return _BY_ERRNO.get(error.errno or 0, ErrorKind.DNS_FAILED)
    if state == CONNECTING:
        return _BY_ERRNO.get(error.errno or 0, ErrorKind.CONNECT_FAILED)
    if state == HANDSHAKING:
        return ErrorKind.TLS_FAILED
    return kind_of_close(state, reused)


def kind_of_close(state: State, reused: bool) -> ErrorKind:
    """The kind of a close or reset by the peer in `state`, with a request under way."""
    if state == HANDSHAKING:
        return ErrorKind.TLS_FAILED
    if state == RECEIVING:
        return ErrorKind.TRUNCATED
    if reused:
        return ErrorKind.STALE_CONNECTION
    return ErrorKind.SEND_FAILED if state == SENDING else ErrorKind.CLOSED_WITHOUT_RESPONSE


def kind_of_timeout(state: State) -> ErrorKind:
    """The kind of a request whose deadline passed in `state`."""
    if state <= RESOLVING:
        return ErrorKind.DNS_FAILED
    return _TIMEOUTS.get(state, ErrorKind.RESPONSE_TIMEOUT)


_ENDINGS = {
    ErrorKind.STALE_CONNECTION: Ending.SERVER_STALE,
    ErrorKind.CLOSED_WITHOUT_RESPONSE: Ending.SERVER_UNANSWERED,
    ErrorKind.SEND_FAILED: Ending.SERVER_UNANSWERED,
    ErrorKind.WEBSOCKET_CLOSED: Ending.SERVER_ANNOUNCED,
    ErrorKind.HTTP2_GOAWAY: Ending.SERVER_ANNOUNCED,
}


def ending_of(kind: ErrorKind, reset: bool) -> Ending:
    """How an opened connection ended whose exchange failed with `kind`; `reset` where by RST rather than FIN.

    A reset in the TLS handshake is the server's doing, a failed check the client's.
    """
    if kind is ErrorKind.TRUNCATED:
        return Ending.SERVER_MID_RESPONSE_RST if reset else Ending.SERVER_MID_RESPONSE_FIN
    if kind is ErrorKind.TLS_FAILED and reset:
        return Ending.SERVER_UNANSWERED
    return _ENDINGS.get(kind, Ending.CLIENT_GAVE_UP)
