"""Recognises response heads that differ from a parsed one only in values that decide nothing. Knows no body, no socket.

The heads of one server repeat but for a date, a request id or a length. A head is parsed once, by head.py, and its
lines become a template. A later head that fits the template is not parsed: the parser would say the same of it.
"""

from __future__ import annotations

import re

from loadgen.wire.http1.head import MAX_HEAD_BYTES, ResponseHead

MAX_KNOWN_HEADS = 8
# Some servers' heads fit no template but their own. To save work there, each of the first heads that were not
# recognised gets a template, and later only one of each 64.
_FIRST_HEADS = 2 * MAX_KNOWN_HEADS
_HEADS_PER_TEMPLATE = 64
# One head is tried before all templates, by comparing bytes. A head that fitted a template takes its place only once
# in 16 times: where every head differs, the copies would be wasted.
_FITS_PER_COPY = 16

# Stand in a template for any field value and for a number. No head with such a byte gets a template.
_ANY_VALUE = 1
_NUMBER = 2
# The parser takes more digits, but not every number of them fits the C integers of the compiled module.
_MAX_DIGITS = 15
_MAX_FRAMING = 10**_MAX_DIGITS

_FIELD_VALUE = rb"[\t\x20-\x7e\x80-\xff]*+"  # RFC 9110 §5.5
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [\x20-\x7e\x80-\xff]*+")
_FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]++):" + _FIELD_VALUE)
_LENGTH_LINE = re.compile(rb"([^:]++: ?)[0-9]{1,%d}" % _MAX_DIGITS)
# Fields whose values decide something, in head.py or for the owner of the connection.
_DECIDING_FIELDS = frozenset({
    b"connection", b"content-length", b"expect", b"keep-alive", b"proxy-authenticate", b"proxy-connection", b"server",
    b"set-cookie", b"trailer", b"transfer-encoding", b"upgrade",
})  # fmt: skip

# In C the walk over a template is faster than a regular expression; in pure Python it is slower.
_WALKS = not __file__.endswith(".py")


class KnownHead:
    """A head that was parsed, and the template for heads like it."""

    __slots__ = (
        "_is_exact", "_pattern", "framing", "has_number", "head", "number", "persists", "raw", "sets_cookies", "status",
        "template",
    )  # fmt: skip

    def __init__(self, raw: bytes, head: ResponseHead, template: bytes) -> None:
        self.raw = raw
        """The bytes that were parsed, with the empty line."""
        self.head = head
        """What the parser said of them. For a recognised head it is true but for the values in `headers` that may
        differ, and for `framing`: see HeadMemory."""
        self.status: int = head.status
        """As in `head`, for C; so are the next three."""
        self.framing: int = head.framing
        self.persists: bool = head.persists
        self.sets_cookies: bool = head.sets_cookies
        self.template = template
        """`raw` with _ANY_VALUE or _NUMBER in place of each value that may differ."""
        self.has_number: bool = _NUMBER in template
        """The template has a _NUMBER, which is the Content-Length."""
        self.number = 0
        """That number in the head that fitted last."""
        self._is_exact: bool = template == raw
        self._pattern = None if _WALKS or self._is_exact else _pattern(template)

    def match(self, buffer: bytearray, size: int) -> int:
        """The length of the head at the start of buffer[:size] if it fits the template, else 0. Sets `number`."""
        if self._is_exact:
            length = len(self.template)
            return length if length <= size and buffer.startswith(self.template) else 0
        if self._pattern is None:
            return self.walk(buffer, size)
        match = self._pattern.match(buffer, 0, size)
        if match is None:
            return 0
        if self.has_number:
            self.number = int(match[1])
        return match.end()

    def walk(self, buffer: bytearray, size: int) -> int:
        """The same as `match`, byte by byte. Compiled, `data` and `template` are C pointers: no bound is checked."""
        data = buffer
        template = self.template
        end = len(self.template)
        size = min(size, len(buffer))
        at = 0
        number = 0
        for place in range(end):
            wanted = template[place]
            if wanted == _ANY_VALUE:
                while at < size and (data[at] >= 0x80 or 0x20 <= data[at] < 0x7F or data[at] == 0x09):
                    at += 1
            elif wanted == _NUMBER:
                begin = at
                while at < size and at - begin < _MAX_DIGITS and 0x30 <= data[at] <= 0x39:
                    number = number * 10 + data[at] - 0x30
                    at += 1
                if at == begin:
                    return 0
            elif at < size and data[at] == wanted:
                at += 1
            else:
                return 0
        self.number = number
        return at


class HeadMemory:
    """The heads of one server that were parsed lately.

    exact: recognise only heads of the very same bytes, for an owner that reads all values in `found.head.headers`.
    deciding: the name, in lower case, of a field whose value it reads there too; empty for none.
    """

    __slots__ = (
        "_deciding", "_exact", "_fits", "_known", "_missed", "_recent", "_recent_framing", "_recent_known", "found",
        "framing",
    )  # fmt: skip

    def __init__(self, exact: bool = False, deciding: bytes = b"") -> None:
        self.found: KnownHead | None = None
        """What `find` recognised, once it has returned a length."""
        self.framing = 0
        """The framing of the head that was recognised: the length of its own body, or UNTIL_CLOSE or CHUNKED."""
        self._exact = exact
        self._deciding = deciding
        # The most recently used one first.
        self._known: list[KnownHead] = []
        # The head that is tried before any template: its bytes, what they fit, its framing.
        self._recent = b""
        self._recent_known: KnownHead | None = None
        self._recent_framing = 0
        # How many heads were not recognised, and how many fitted a template.
        self._missed = 0
        self._fits = 0

    def find(self, buffer: bytearray, size: int) -> int:
        """The length of the head at the start of buffer[:size] if it is whole and known, else 0.

        Sets `found` and `framing`.
        """
        length = len(self._recent)
        if 0 < length <= size and buffer.startswith(self._recent):
            self.found = self._recent_known
            self.framing = self._recent_framing
            return length
        for place in range(len(self._known)):
            known = self._known[place]
            length = known.match(buffer, size)
            if length == 0 or length > MAX_HEAD_BYTES:
                continue
            if place > 0:
                self._known.insert(0, self._known.pop(place))
            self.found = known
            self.framing = known.number if known.has_number else known.framing
            self._fits += 1
            if self._fits % _FITS_PER_COPY == 1:
                self._keep_recent(bytes(buffer[:length]), known, self.framing)
            return length
        return 0

    def learn(self, raw: bytes, head: ResponseHead) -> None:
        """Remember `head`, which parse_response_head made of `raw`, in place of one with the same template."""
        self._missed += 1
        if self._missed > _FIRST_HEADS and self._missed % _HEADS_PER_TEMPLATE:
            return
        template = _template(raw, head, self._deciding)
        if template is None:
            return
        known = KnownHead(raw, head, raw if self._exact else template)
        # A reader also parses heads that it could have found: those whose body comes in parts, for example.
        self._known = [known] + [other for other in self._known if other.template != known.template]
        del self._known[MAX_KNOWN_HEADS:]
        self._keep_recent(raw, known, head.framing)

    def _keep_recent(self, raw: bytes, known: KnownHead, framing: int) -> None:
        self._recent = raw
        self._recent_known = known
        self._recent_framing = framing


def _template(raw: bytes, head: ResponseHead, deciding: bytes = b"") -> bytes | None:
    """`raw` with a mark for each value that may differ; None for a head with a line that is out of the ordinary."""
    if len(raw) > MAX_HEAD_BYTES or not raw.endswith(b"\r\n\r\n") or head.framing > _MAX_FRAMING:
        return None
    status_line, *field_lines = raw[: len(raw) - 4].split(b"\r\n")
    if not _STATUS_LINE.fullmatch(status_line):
        return None
    lines = [status_line]
    for line in field_lines:
        match = _FIELD_LINE.fullmatch(line)
        if match is None:
            return None
        name = match[1].lower()
        if name not in _DECIDING_FIELDS and name != deciding:
            line = match[1] + b":%c" % _ANY_VALUE
        elif name == b"content-length" and head.framing >= 0 and head.status >= 200 and head.status not in (204, 304):
            line = _LENGTH_LINE.sub(rb"\1%c" % _NUMBER, line) if _LENGTH_LINE.fullmatch(line) else line
        lines.append(line)
    template = b"\r\n".join([*lines, b"", b""])
    # The parser takes two lengths that are equal; those of the next head may be others, or differ.
    return template if template.count(_NUMBER) <= 1 else None


def _pattern(template: bytes) -> re.Pattern[bytes]:
    """A regular expression for a template. re.escape leaves the marks as they are."""
    pattern = re.escape(template).replace(b"%c" % _ANY_VALUE, _FIELD_VALUE)
    return re.compile(pattern.replace(b"%c" % _NUMBER, rb"([0-9]{1,%d}+)" % _MAX_DIGITS))
