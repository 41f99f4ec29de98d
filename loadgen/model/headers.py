"""Header fields that a user gives: how they are read, which may be sent. Sends nothing."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

from loadgen.model.characters import has_control, is_token
from loadgen.model.exceptions import PlanError

NEVER_INDEXED = frozenset({"authorization", "proxy-authorization", "cookie"})
"""Fields that HPACK keeps in no index (RFC 7541 §7.1.3). Which are never recorded, redaction.py says."""

# The policy owns Connection and what has to be named in it: Upgrade (RFC 9110 §7.8), HTTP2-Settings (RFC 7540 §3.2.1).
# The engine frames the body, so a length that the user gives could contradict it.
_OWNED_FIELDS = {
    "connection": "the connection policy sets it",
    "keep-alive": "the connection policy sets it",
    "proxy-connection": "the connection policy sets Connection, and this was never a standard field (RFC 9112 §C.2.2)",
    "content-length": "it follows from --data",
    "transfer-encoding": "it follows from --data",
    "upgrade": "the connection policy sets it",
    "http2-settings": "the connection policy sets it",
    # A sender of TE has to name it in Connection (RFC 9110 §10.1.4), and no other transfer coding would be understood.
    "te": "--trailers of compare and sweep sends it, and names it in Connection",
}

# Fields whose value is no list: a sender must not repeat them (RFC 9110 §5.3, RFC 9112 §3.2, RFC 6265 §5.4).
_SINGLE_FIELDS = frozenset({
    "authorization", "content-location", "content-range", "content-type", "cookie", "date", "from", "host",
    "if-modified-since", "if-range", "if-unmodified-since", "max-forwards", "origin", "proxy-authorization", "range",
    "referer", "user-agent",
})  # fmt: skip
_HOST = re.compile(r"[0-9A-Za-z._~!$&'()*+,;=%:\[\]-]+")  # the characters of a host and a port (RFC 3986 §3.2.2)


def parse_header(line: str) -> tuple[str, str]:
    """Split `Name: value`. Raises PlanError where the line is no field or can't be sent."""
    name, colon, value = line.partition(":")
    if not colon:
        first, space, _ = line.partition(" ")  # what follows, or a single word, may be a credential
        raise PlanError(
            f"the header {f'{first!r} …' if space else 'of one word'} has no colon; write it like 'Name: value'"
        )
    pair = name, value.strip(" \t")
    check_header(*pair)
    return pair


def basic_authorization(credentials: str) -> str:
    """The line `Authorization: Basic ...` of `user:password` (RFC 7617 §2). Raises ValueError without their text."""
    if ":" not in credentials:
        raise ValueError("it has no colon; write it like user:password")
    return f"Authorization: Basic {base64.b64encode(credentials.encode()).decode()}"


def check_headers(fields: Iterable[tuple[str, str]]) -> None:
    """Raise PlanError unless these fields can go on the wire together as they stand."""
    seen = set()
    for name, value in fields:
        check_header(name, value)
        low = name.lower()
        if low in seen and low in _SINGLE_FIELDS:
            raise PlanError(f"the header {name!r} is given twice; a request has one at most (RFC 9110 §5.3)")
        seen.add(low)


def check_header(name: str, value: str) -> None:
    """Raise PlanError unless the field can go on the wire as it stands (RFC 9110 §5.1, §5.5)."""
    if not is_token(name):
        raise PlanError(f"the header name {name!r} is not a token (RFC 9110 §5.6.2)")
    if has_control(value, allowed="\t"):
        raise PlanError(f"the value of header {name!r} holds a control character, which could smuggle a second header")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        raise PlanError(f"the value of header {name!r} has characters outside ISO 8859-1") from None
    reason = _OWNED_FIELDS.get(name.lower())
    if reason:
        raise PlanError(f"the header {name!r} can't be given: {reason}")
    if name.lower() == "host" and not _HOST.fullmatch(value):
        raise PlanError(f"the value of header {name!r} is not a host, or a host and a port (RFC 9112 §3.2)")
