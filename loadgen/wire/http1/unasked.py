"""What bytes are that came without a request: a server ends an idle connection with a 408, for one. Sans I/O."""

from __future__ import annotations

import re

_STATUS_LINE = re.compile(rb"HTTP/1\.[0-9] ([45][0-9]{2})[ \r\n]")
_BEGINNING = re.compile(rb"H(T(T(P(/(1(\.([0-9]( ([45][0-9]{0,2})?)?)?)?)?)?)?)?)?")


def unasked_status(data: bytes) -> int | None:
    """The status of the error that `data` begins with: 0 where too little has come to tell, None for anything else.

    Empty lines before it are skipped (RFC 9112 §2.2). Only an error says why a server ends a connection: a success that
    no request asked for is a mistake of the server's.
    """
    line = data.lstrip(b"\r\n")
    found = _STATUS_LINE.match(line)
    if found is not None:
        return int(found[1])
    return 0 if _BEGINNING.fullmatch(line) else None
