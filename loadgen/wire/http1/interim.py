"""Takes interim responses from the begin of a response (RFC 9110 §15.2). Reads no final one; knows no socket."""

from __future__ import annotations

from loadgen.wire.http1.final_head import LINE_END_BYTES, SWITCHING_PROTOCOLS, first_empty_line
from loadgen.wire.http1.head import MAX_HEAD_BYTES, Malformed, parse_response_head

_BEGINS = (b"HTTP/1.1 1", b"HTTP/1.0 1")
CONTINUE = 100
_BEGIN_BYTES = len(_BEGINS[0])
# More of them are left to the reader, which knows how many are too many.
_MAX_INTERIM = 100


class InterimFilter:
    """Of one response: takes bytes in any fragments until the final response begins."""

    __slots__ = ("_count", "_kept")

    def __init__(self) -> None:
        self._count = 0
        self._kept = b""

    @property
    def has_part(self) -> bool:
        """Some bytes of a response have come, and not all."""
        return bool(self._kept.strip(LINE_END_BYTES))

    @property
    def has_only_interim(self) -> bool:
        """Interim responses have come, each of them whole, and no byte of what follows."""
        return self._count > 0 and not self.has_part

    def feed(self, data: bytes) -> tuple[list[int], bytes]:
        """The statuses of the interim responses that are whole by now, and the first bytes of what is none."""
        data = self._kept + data
        self._kept = b""
        statuses: list[int] = []
        while data and self._count < _MAX_INTERIM:
            head = data.lstrip(LINE_END_BYTES)
            if not any(begin.startswith(head[:_BEGIN_BYTES]) for begin in _BEGINS) or len(head) > MAX_HEAD_BYTES:
                break
            end = first_empty_line(head)
            if end == 0:
                self._kept = data
                return statuses, b""
            status = _status(head[:end])
            if status == 0:
                break
            statuses.append(status)
            self._count += 1
            data = head[end:]
        return statuses, data


def _status(head: bytes) -> int:
    """That of an interim response; 0 where it is none, or one that only a reader can judge."""
    try:
        status = parse_response_head(head).status
    except Malformed:
        return 0
    return 0 if status == SWITCHING_PROTOCOLS else status
