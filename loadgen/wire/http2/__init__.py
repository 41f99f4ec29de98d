"""HTTP/2 (RFC 9113): the protocol as bytes, header compression, and the connections that carry streams."""
