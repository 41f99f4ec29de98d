"""Through a proxy: CONNECT as bytes (RFC 9110, 9.3.6), and the transports that go through the tunnel."""
