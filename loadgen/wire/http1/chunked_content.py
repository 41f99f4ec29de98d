"""A body in chunks (RFC 9112 §7.1) of which any piece can be made alone, so that nothing holds the whole of it."""

from __future__ import annotations

from loadgen.wire.http1.upload import Content

_LAST_CHUNK = b"0\r\n\r\n"


class ChunkedContent:
    """A Content: another one as it goes on the wire."""

    __slots__ = ("_chunk_bytes", "_content", "_framed_bytes", "_full_chunks", "_size_bytes")

    def __init__(self, content: Content, max_chunk_bytes: int) -> None:
        self._content = content
        self._chunk_bytes = max_chunk_bytes
        self._full_chunks, rest = divmod(len(content), max_chunk_bytes)
        self._framed_bytes = _framed_bytes(max_chunk_bytes)
        end = (_framed_bytes(rest) if rest else 0) + len(_LAST_CHUNK)
        self._size_bytes = self._full_chunks * self._framed_bytes + end

    def __len__(self) -> int:
        return self._size_bytes

    def __getitem__(self, piece: slice) -> bytes:
        pieces, at = list[bytes](), piece.start
        while at < piece.stop:
            number = min(at // self._framed_bytes, self._full_chunks)
            begin = number * self._framed_bytes
            found = self._of_chunk(number, at - begin, piece.stop - begin)
            pieces.append(found)
            at += len(found)
        return b"".join(pieces)

    def _of_chunk(self, number: int, start: int, stop: int) -> bytes:
        """The bytes of the chunk with this number, as framed, from `start` to before `stop` or its end.

        The one behind the full chunks is what is left of the content, and the last chunk.
        """
        begin = number * self._chunk_bytes
        size = min(self._chunk_bytes, len(self._content) - begin)
        head = b"%x\r\n" % size if size else b""
        tail = (b"\r\n" if size else b"") + (_LAST_CHUNK if number == self._full_chunks else b"")
        of_content = slice(max(0, start - len(head)), min(size, stop - len(head)))
        content = b""
        if of_content.start < of_content.stop:
            content = self._content[slice(begin + of_content.start, begin + of_content.stop)]
        of_tail = slice(max(0, start - len(head) - size), max(0, stop - len(head) - size))
        return head[start:stop] + content + tail[of_tail]


def _framed_bytes(size: int) -> int:
    """The length of a chunk of this size with its frame."""
    return len(b"%x" % size) + size + 4
