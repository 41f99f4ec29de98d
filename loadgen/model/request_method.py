"""Methods of requests: which can be sent, and what they promise (RFC 9110 §9). Sends nothing."""

from __future__ import annotations

from loadgen.model.characters import is_token
from loadgen.model.exceptions import PlanError

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
"""Those that are written in upper case whatever the case was: methods are case-sensitive (RFC 9110 §9.1)."""

IDEMPOTENT = frozenset({
    "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE",
    "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "REPORT", "SEARCH", "QUERY",
})  # fmt: skip
"""Of these a repeated one has the effect of one alone: RFC 9110 §9.2.2, and IANA's registry of HTTP methods."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY"})
"""These ask for no effect at all: RFC 9110 §9.2.1, and the same registry."""

WITH_CONTENT = frozenset({"POST", "PUT", "PATCH", "QUERY"})
"""These give their content a meaning, so they say its length even where it is 0 (RFC 9110 §8.6)."""

_MAX_SHOWN = 60


def as_sent(text: str) -> str:
    """A method as it goes on the wire: `get` is GET, and any other token stays as it is."""
    upper = text.upper()
    return upper if upper in METHODS else text


def check_method(method: str) -> None:
    """Raise PlanError unless a request can have this method."""
    if not is_token(method):
        raise PlanError(
            f"the method {method[:_MAX_SHOWN]!r} is not a token (RFC 9110 §9.1); write it like GET or PURGE"
        )
    if method.upper() == "CONNECT":
        raise PlanError("the method CONNECT asks a proxy for a tunnel; give the proxy as --proxy, and an https URL")
