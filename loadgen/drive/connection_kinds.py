"""Which class of connection a protocol has. Modules of HTTP/2 and WebSocket, with their libraries, wait until a policy
needs them: they take a quarter of the time in which a worker starts. Opens nothing.
"""

from __future__ import annotations

from loadgen.model.policy import H2C_UPGRADE, HTTP1, HTTP2, WEBSOCKET
from loadgen.wire.connection import Connection


def kind_of(protocol: str, *, expects: bool = False) -> type[Connection]:
    """The class for one of the protocols of policies, loaded if nobody has.

    expects: bodies wait for 100 Continue, where HTTP/2 has a class of its own for that.
    """
    if protocol == HTTP1:
        return Connection
    if protocol == WEBSOCKET:
        from loadgen.wire.websocket.connection import WebSocketConnection

        return WebSocketConnection
    if protocol == H2C_UPGRADE:
        from loadgen.wire.http2.h2c import H2cConnection

        return H2cConnection
    assert protocol in HTTP2, protocol
    if expects:
        from loadgen.wire.http2.expecting_connection import ExpectingHttp2Connection

        return ExpectingHttp2Connection
    from loadgen.wire.http2.connection import Http2Connection

    return Http2Connection
