"""The exceptions of the HTTP/1.x readers. Each message names what was wrong and the rule that it breaks."""

from __future__ import annotations


class Malformed(ValueError):
    """The peer's bytes are not HTTP/1.x, or can't be framed without guessing."""


class NotHttp(Malformed):
    """The first bytes of the peer are of no HTTP/1.x message."""


class HeadTooLarge(Malformed):
    """A head, a trailer section or another part beside the content did not end within MAX_HEAD_BYTES."""


class BodyTooLarge(Malformed):
    """The body is, or claims to be, longer than the reader's limit."""
