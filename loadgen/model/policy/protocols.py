"""What a connection can speak, by name. Knows no policy and no byte of any protocol."""

from __future__ import annotations

HTTP1 = "http/1.1"
"""HTTP/1.x."""
WEBSOCKET = "websocket"
"""WebSocket after an upgrade (RFC 6455)."""
H2C_UPGRADE = "h2c-upgrade"
"""HTTP/2 after an upgrade in clear (RFC 7540 §3.2)."""
H2 = "h2"
"""HTTP/2 by ALPN over TLS (RFC 9113 §3.2), with prior knowledge in clear."""
H2_PRIOR = "h2-prior"
"""HTTP/2 in clear with prior knowledge (RFC 9113 §3.3)."""
HTTP2 = (H2C_UPGRADE, H2, H2_PRIOR)

_SINGLE_USE = {HTTP1: "close", WEBSOCKET: "websocket-close"}


def single_use_policy(protocol: str) -> str:
    """The policy of this protocol with a new connection for each request, as people write it."""
    return _SINGLE_USE.get(protocol, f"{protocol}+recycle:1")
