"""Servers that each break one rule about connections, as a table: which probe has to find it, and with what verdict."""

from __future__ import annotations

from tests.support.violations.closing import CLOSING
from tests.support.violations.http2 import HTTP2
from tests.support.violations.idle import IDLE
from tests.support.violations.limits import LIMITS
from tests.support.violations.messages import MESSAGES
from tests.support.violations.options import OPTIONS
from tests.support.violations.persistence import PERSISTENCE
from tests.support.violations.tls import TLS
from tests.support.violations.versions import VERSIONS
from tests.support.violations.violation import Violation
from tests.support.violations.websocket import WEBSOCKET

VIOLATIONS: tuple[Violation, ...] = (
    *VERSIONS,
    *PERSISTENCE,
    *CLOSING,
    *IDLE,
    *LIMITS,
    *HTTP2,
    *TLS,
    *MESSAGES,
    *WEBSOCKET,
    *OPTIONS,
)
