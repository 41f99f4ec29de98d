"""Inputs near the edge of a protocol: saved messages, changed in a few places as servers and attackers change them."""

from __future__ import annotations

from hypothesis import strategies as st

_BYTES = [bytes([byte]) for byte in b'\n\r \t\0\x0b\x7f\xff:,;="+-05a']
_LINES = [
    b"HTTP/1.1 200 OK",
    b"HTTP/1.0 200 OK",
    b"HTTP/1.1 100 Continue",
    b"HTTP/1.1 101 Switching Protocols",
    b"Content-Length: 5",
    b"Content-Length: 6",
    b"Content-Length: 5, 5",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: identity",
    b"Connection: close",
    b"Connection: keep-alive",
    b"X: a\r\n b",
    b"0\r\n",
    b"5\r\nhello",
]
_WORDS = [b"\r\n", b"\r\n\r\n", b"HTTP/1.0 ", b';a="b c"', b"FFFFFFFFFFFFFFFF", b"204", b"304", b"101", b"hello"]
_PIECES = _BYTES + _WORDS + [line + b"\r\n" for line in _LINES]
_EDIT = st.tuples(
    st.sampled_from(["insert", "replace", "delete", "repeat", "swap"]),
    st.integers(0, 400),
    st.integers(1, 12),
    st.sampled_from(_PIECES),
)


def mutated(messages: list[bytes], max_edits: int = 4) -> st.SearchStrategy[bytes]:
    """One to three messages behind each other, with up to `max_edits` edits anywhere."""
    return st.builds(
        _edit, st.lists(st.sampled_from(messages), min_size=1, max_size=3), st.lists(_EDIT, max_size=max_edits)
    )


def _edit(messages: list[bytes], edits: list[tuple[str, int, int, bytes]]) -> bytes:
    data = b"".join(messages)
    for kind, place, size, piece in edits:
        at = place % (len(data) + 1)
        before, chosen, after = data[:at], data[at : at + size], data[at + size :]
        if kind == "insert":
            data = before + piece + chosen + after
        elif kind == "replace":
            data = before + piece + after
        elif kind == "delete":
            data = before + after
        elif kind == "repeat":
            data = before + chosen + chosen + after
        else:
            lines = data.split(b"\r\n")
            first, second = place % len(lines), (place + size) % len(lines)
            lines[first], lines[second] = lines[second], lines[first]
            data = b"\r\n".join(lines)
    return data
