"""Counts of trailer fields (RFC 9110 §6.5), and the fields that may not be among them. Reads no message."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # see loadgen.model.plan
    from loadgen.model.block_facts import TrailerFacts

MAX_NAMES = 50
OTHER = "other"
"""Counts the names beyond MAX_NAMES together: a server that makes names up must not fill the memory."""

FORBIDDEN = frozenset({
    "connection", "keep-alive", "proxy-connection", "upgrade",  # of this connection, not of the response
    "content-length", "transfer-encoding", "trailer", "te",  # framing
    "host", "max-forwards",  # routing
    "authorization", "proxy-authenticate", "proxy-authorization", "www-authenticate", "cookie", "set-cookie",
    "expect", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "range",
    "age", "cache-control", "expires", "location", "pragma", "retry-after", "vary",  # response controls
    "content-encoding", "content-range", "content-type",  # content format
})  # fmt: skip
"""Fields that are needed before the content, so that no sender may put them into trailers (RFC 9110 §6.5.1)."""


class TrailerCounts:
    """Counts of one block: responses with a trailer section that was not empty, and each field in them."""

    __slots__ = ("_fields", "_responses")

    def __init__(self) -> None:
        self._responses = 0
        self._fields: dict[bytes, int] = {}

    def note(self, section: Iterable[tuple[bytes, bytes]]) -> None:
        """A response ended with these fields, at least one."""
        self._responses += 1
        fields = self._fields
        for name, _ in section:
            if name in fields:
                fields[name] += 1
            elif len(fields) < MAX_NAMES:
                fields[name] = 1
            else:
                fields[b""] = fields.get(b"", 0) + 1

    def take(self) -> TrailerFacts:
        """The counts since the last call, as JSON values: `responses`, and `fields` by lower-case name."""
        fields: dict[str, int] = {}
        for name, count in self._fields.items():
            written = name.decode("latin-1").lower() or OTHER
            fields[written] = fields.get(written, 0) + count
        found: TrailerFacts = {"responses": self._responses, "fields": fields}
        self._responses, self._fields = 0, {}
        return found


def add_trailers(counted: Iterable[TrailerFacts | None]) -> TrailerFacts:
    """The sum of the counts of several blocks; of more than MAX_NAMES names the most frequent ones."""
    responses, total = 0, dict[str, int]()
    for one in counted:
        if one:
            responses += one["responses"]
            for name, count in one["fields"].items():
                total[name] = total.get(name, 0) + count
    other = total.pop(OTHER, 0)
    # Forbidden fields are kept before all others.
    ordered = sorted(total, key=lambda name: (name not in FORBIDDEN, -total[name], name))
    fields = {name: total[name] for name in ordered[:MAX_NAMES]}
    other += sum(total[name] for name in ordered[MAX_NAMES:])
    return {"responses": responses, "fields": fields | ({OTHER: other} if other else {})}
