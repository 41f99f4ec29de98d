"""Requests of HTTP/2 as lists of fields, and arbitrary frames, for the tests of its client."""

from __future__ import annotations

from hypothesis import strategies as st

FIELDS = ((b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"h"), (b":path", b"/"))


POST = ((b":method", b"POST"), *FIELDS[1:])


FRAME = st.builds(
    lambda kind, flags, stream, body: (
        len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body
    ),
    st.integers(0, 11),
    st.sampled_from([0, 1, 4, 5, 8, 32, 255]),
    st.sampled_from([0, 1, 2, 3, 5]),
    st.one_of(st.binary(max_size=12), st.sampled_from([b"\x88", b"\0\0\0\1", bytes(8), b"\x88\x5f\x01a"])),
)
