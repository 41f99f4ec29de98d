"""Where a redirect leads, and with which request: method, credentials, body. Follows nothing and knows no connection.

RFC 9110 §15.4, with the changes of method that clients make, `requests` among them.
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from loadgen.model.exceptions import PlanError
from loadgen.model.target import DEFAULT_PORTS
from loadgen.swarm.scenario_request import ScenarioRequest, split_url

STATUSES = frozenset((301, 302, 303, 307, 308))
_OF_BODY = ("content-length", "content-type", "transfer-encoding")
_OF_ORIGIN = ("authorization", "cookie", "host", "proxy-authorization")


class UnusableRedirect(Exception):
    """A Location that is no http or https URL."""


def redirected(sent: ScenarioRequest, status: int, location: str) -> ScenarioRequest:
    """The request that a redirect asks for. Raises UnusableRedirect.

    Other than with 307 and 308 the body is dropped, and GET takes the place of POST, with 302 and 303 of every method
    but HEAD. Credentials and cookies that the call gave itself don't go to another origin (RFC 9110 §15.4).
    """
    url = urljoin(sent.url, _as_text(location))
    if url.startswith("http") and urlsplit(url).scheme in DEFAULT_PORTS:
        try:
            origin, target = split_url(url)
        except PlanError:
            raise UnusableRedirect from None
    else:
        raise UnusableRedirect
    method = _next_method(sent.method, status)
    dropped: tuple[str, ...] = ()
    keeps_body = status in (307, 308)
    if not keeps_body:
        dropped += _OF_BODY
    same = origin == sent.origin
    if not same:
        dropped += _OF_ORIGIN
    return ScenarioRequest(
        method, origin, target, sent.without(*dropped), sent.body if keeps_body else b"", sent.cookies if same else None
    )


def _next_method(method: str, status: int) -> str:
    if method == "HEAD":
        return method
    if status in (302, 303) or (status == 301 and method == "POST"):
        return "GET"
    return method


def _as_text(location: str) -> str:
    """A Location that is UTF-8, which no URL may hold and servers send, decoded; it comes as Latin-1."""
    try:
        return location.encode("latin-1").decode()
    except UnicodeError:
        return location
