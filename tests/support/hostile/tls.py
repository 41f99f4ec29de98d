"""TLS: what RFC 8446, RFC 6066 and RFC 9112 §9.8 ask of a client, one row each."""

from __future__ import annotations

from dataclasses import replace

from tests.support.hostile.behaviour import GOOD, Row, Tls
from tests.support.hostile.http1 import fails, good

IN_TLS = Tls()
ROWS: tuple[Row, ...] = (
    good("tls_well_formed", "RFC 8446 §2", (GOOD,), tls=IN_TLS),
    fails(
        "tls_wrong_name", "RFC 9110 §4.3.4", "tls_wrong_name", "client_gave_up", tls=replace(IN_TLS, name="other.test")
    ),
)
