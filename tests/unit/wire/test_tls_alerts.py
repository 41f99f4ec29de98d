"""Alerts about a client's certificate become kinds of their own, whichever version's words a server has for them."""

from __future__ import annotations

import pytest

from loadgen.model.errors import ErrorKind
from loadgen.wire import tls_alerts
from loadgen.wire.tls_alerts import kind_of_alert

REQUIRED, REFUSED, FAILED = (
    ErrorKind.TLS_CERTIFICATE_REQUIRED,
    ErrorKind.TLS_CERTIFICATE_REFUSED,
    ErrorKind.TLS_FAILED,
)


@pytest.mark.parametrize(
    ("alert", "kinds"),
    [  # Where the server asked for none, asked in vain, and got one.
        (tls_alerts.CERTIFICATE_REQUIRED, (REQUIRED, REQUIRED, REQUIRED)),
        (tls_alerts.HANDSHAKE_FAILURE, (FAILED, REQUIRED, FAILED)),
        (tls_alerts.BAD_CERTIFICATE, (FAILED, REQUIRED, REFUSED)),
        (tls_alerts.UNKNOWN_CA, (FAILED, REQUIRED, REFUSED)),
        (80, (FAILED, FAILED, FAILED)),  # internal_error
    ],
)
def test_kinds(alert: int, kinds: tuple[ErrorKind, ...]) -> None:
    assert tuple(kind_of_alert(alert, certificate) for certificate in (None, "missing", "sent")) == kinds
