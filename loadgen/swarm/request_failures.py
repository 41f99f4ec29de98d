"""Why a request counts as failed, as exceptions: also those of `requests`, which scenarios catch. Judges nothing."""

from __future__ import annotations

from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import HTTPError, RequestException, Timeout, TooManyRedirects

from loadgen.model.errors import ErrorKind

_TIMEOUTS = frozenset(kind for kind in ErrorKind if kind.label.endswith("_timeout"))


class RequestFailed(RequestException):
    """Its text is short, such as `503` or `response_timeout`, and holds nothing that a target sent."""

    def __repr__(self) -> str:  # Locust shows this one
        return str(self)


class BadStatus(RequestFailed, HTTPError):
    """A response from 400 on."""


class Unanswered(RequestFailed, RequestsConnectionError):
    """The request got no response."""


class UnansweredInTime(Unanswered, Timeout):
    """It got none in time."""


class BadRedirect(RequestFailed, TooManyRedirects):
    """A redirect too many, or one that leads to no URL of http or https."""


def failure_of_outcome(outcome: int) -> RequestFailed | None:
    """outcome: the status code, or -ErrorKind. None for a status below 400."""
    if outcome > 0:
        return None if outcome < 400 else BadStatus(str(outcome))
    kind = ErrorKind(-outcome)
    return (UnansweredInTime if kind in _TIMEOUTS else Unanswered)(kind.label)
