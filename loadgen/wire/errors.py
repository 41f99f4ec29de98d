"""Translates what a socket or a TLS library raises into an ErrorKind. Only this module does. Knows no connection."""

from __future__ import annotations

from loadgen.model.errors import ErrorKind, Layer
from loadgen.model.records import Ending, Phase
from loadgen.wire.http1.head import BodyTooLarge, HeadTooLarge, Malformed, NotHttp
from loadgen.wire.lifecycle import (
    CONNECTING,
    HANDSHAKING,
    RECEIVING,
    RESOLVING,
    SENDING,
    State,
)

_BY_ERRNO = {number: kind for kind in ErrorKind for number in kind.errnos}
# The states from RESOLVING to RECEIVING are the phases from dns to receive, in the same order.
_BY_TIMEOUT: dict[int, ErrorKind] = {
    State(list(Phase).index(kind.timeout_in)): kind for kind in ErrorKind if kind.timeout_in is not None
}


# The error numbers of a connection that its peer has reset.
RESETS = frozenset(ErrorKind.CLOSED_WITHOUT_RESPONSE.errnos)


class Failure(Exception):
    """The peer did what the connection can't go on after; `kind` says what.

    by_peer: the peer ended the connection by it (an alert, a close, a reset); else this side does, for what it found.
    """

    def __init__(self, kind: ErrorKind, detail: str, by_peer: bool = False) -> None:
        super().__init__(detail)
        self.kind = kind
        self.by_peer = by_peer


class TlsFailure(Failure):
    """The TLS handshake or record layer failed."""


class UpgradeFailure(Failure):
    """A proxy, an upgrade or the protocol after it failed."""


# A failure of these layers means that TCP was not connected.
_NEVER_OPENED = frozenset({Layer.CLIENT, Layer.DNS, Layer.TCP})

FAILURES = (OSError, Failure, Malformed)
"""What the peer, or the way to it, can raise."""


def kind_of(error: Exception, state: int, reused: bool, sent_some: bool = False) -> ErrorKind:
    """The kind of `error` raised while a connection was in `state`.

    reused: it served a request before. sent_some: some bytes of the present request were sent.
    """
    if isinstance(error, Failure):
        return error.kind
    if isinstance(error, HeadTooLarge):
        return ErrorKind.HEAD_TOO_LARGE
    if isinstance(error, BodyTooLarge):
        return ErrorKind.BODY_TOO_LARGE
    if isinstance(error, NotHttp) and not reused:
        return ErrorKind.NOT_HTTP
    if not isinstance(error, OSError):
        return ErrorKind.MALFORMED
    if state <= RESOLVING:
        return _BY_ERRNO.get(error.errno or 0, ErrorKind.DNS_FAILED)
    if state == CONNECTING:
        return _BY_ERRNO.get(error.errno or 0, ErrorKind.CONNECT_FAILED)
    return kind_of_close(state, reused, sent_some)


def kind_of_close(state: int, reused: bool, sent_some: bool = False) -> ErrorKind:
    """The kind of a close or reset by the peer in `state`, with a request under way."""
    if state == HANDSHAKING:
        return ErrorKind.TLS_FAILED
    if state == RECEIVING:
        return ErrorKind.TRUNCATED
    if reused:
        return ErrorKind.STALE_CONNECTION
    return ErrorKind.SEND_FAILED if state == SENDING and sent_some else ErrorKind.CLOSED_WITHOUT_RESPONSE


def kind_of_timeout(state: int) -> ErrorKind:
    """The kind of a request whose deadline passed in `state`."""
    return _BY_TIMEOUT.get(max(state, RESOLVING), ErrorKind.RESPONSE_TIMEOUT)


def was_opened(kind: ErrorKind) -> bool:
    """TCP was connected where opening a connection failed with `kind`: the peer accepted it, and then ended it."""
    return kind.layer not in _NEVER_OPENED


def ending_of(error: Exception, state: int, reused: bool) -> Ending | None:
    """How an opened connection ended by `error`, where that is not the usual ending of the error's kind."""
    if isinstance(error, OSError):
        return kind_of(error, state, reused).ending_by_reset
    if isinstance(error, Failure) and error.by_peer:
        return kind_of_close(state, reused).ending_by_reset
    return None
