"""HTTP/1.x as bytes (RFC 9112): heads, chunked bodies, messages; and pipelines of them on one connection."""
