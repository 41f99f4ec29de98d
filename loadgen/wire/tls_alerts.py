"""What an alert by which a server ends a connection means for the client's certificate. Knows no connection.

With TLS 1.3 such an alert comes after the client's handshake is done, in place of the first response.
"""

from __future__ import annotations

from loadgen.model.errors import ErrorKind

# RFC 8446 §6.2, RFC 5246 §7.2.2.
HANDSHAKE_FAILURE = 40
BAD_CERTIFICATE, UNSUPPORTED_CERTIFICATE, CERTIFICATE_REVOKED, CERTIFICATE_EXPIRED = 42, 43, 44, 45
CERTIFICATE_UNKNOWN, UNKNOWN_CA, ACCESS_DENIED, DECRYPT_ERROR = 46, 48, 49, 51
CERTIFICATE_REQUIRED = 116

_ABOUT_CERTIFICATE = frozenset({
    BAD_CERTIFICATE, UNSUPPORTED_CERTIFICATE, CERTIFICATE_REVOKED, CERTIFICATE_EXPIRED, CERTIFICATE_UNKNOWN,
    UNKNOWN_CA, ACCESS_DENIED, DECRYPT_ERROR,
})  # fmt: skip


def kind_of_alert(alert: int, client_certificate: str | None) -> ErrorKind:
    """The kind of a failure by an alert of the server's.

    client_certificate: `sent`, `missing` where the server asked for one in vain, None where it asked for none.
    """
    if alert == CERTIFICATE_REQUIRED:
        return ErrorKind.TLS_CERTIFICATE_REQUIRED
    # TLS 1.2 has no alert of its own for that: servers take one of these.
    if client_certificate == "missing" and (alert == HANDSHAKE_FAILURE or alert in _ABOUT_CERTIFICATE):
        return ErrorKind.TLS_CERTIFICATE_REQUIRED
    if client_certificate == "sent" and alert in _ABOUT_CERTIFICATE:
        return ErrorKind.TLS_CERTIFICATE_REFUSED
    return ErrorKind.TLS_FAILED
