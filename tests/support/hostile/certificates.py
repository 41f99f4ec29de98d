"""Certificates for hostile servers: good ones, and those that a client must refuse. Made once for all rows."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import trustme

from tests.support.hostile.behaviour import Tls

_NAMES = ("localhost", "127.0.0.1")


@lru_cache
def _authority(_is_trusted: bool) -> trustme.CA:
    return trustme.CA()


def write_authority(folder: Path) -> Path:
    """The file of the authority that a client is to trust."""
    path = folder / "ca.pem"
    _authority(True).cert_pem.write_to_path(path)
    return path


@lru_cache
def server_context(tls: Tls) -> ssl.SSLContext:
    """A server's context as `tls` says."""
    until = datetime.now(UTC) - timedelta(days=1) if tls.expired else None
    names = (tls.name,) if tls.name else _NAMES
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _authority(tls.trusted).issue_cert(*names, not_after=until).configure_cert(context)
    if tls.alpn:
        context.set_alpn_protocols(list(tls.alpn))
    if tls.max_version:
        context.maximum_version = ssl.TLSVersion[tls.max_version]
    return context
