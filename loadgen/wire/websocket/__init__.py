"""WebSocket (RFC 6455): the protocol as bytes, and the connection that carries messages."""
