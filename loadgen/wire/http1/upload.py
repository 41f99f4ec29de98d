"""A request whose body is sent in pieces, after its head (RFC 9110 §10.1.1, RFC 9112 §6). Knows no socket."""

from __future__ import annotations

from typing import Protocol


class Content(Protocol):
    """Bytes of a known number, of which a piece at a time is needed."""

    def __len__(self) -> int: ...

    def __getitem__(self, piece: slice) -> bytes:
        """Those from `start` to before `stop`, of which neither is missing. May raise a Failure."""


class Upload:
    """Bytes as they go on the wire: those of the head, then those of the body as it is framed."""

    __slots__ = ("_body", "_size_bytes", "expects", "head")

    def __init__(self, head: bytes, body: Content, expects: bool = False) -> None:
        """expects: the body is to wait for 100 Continue."""
        self.head = head
        self.expects = expects
        self._body = body
        self._size_bytes = len(head) + len(body)

    def __len__(self) -> int:
        return self._size_bytes

    def __getitem__(self, piece: slice) -> bytes:
        """The bytes from `start` to before `stop`, fewer where it ends before that."""
        head = self.head
        begin, end, size = piece.start, min(piece.stop, self._size_bytes), len(head)
        if end <= size:
            return head[begin:end]
        body = self._body[slice(max(0, begin - size), end - size)]
        return head[begin:] + body if begin < size else body
