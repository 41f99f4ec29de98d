"""Failures are the exceptions that scenarios of Locust's own users catch."""

from __future__ import annotations

import pytest
from requests import exceptions

from loadgen.model.errors import ErrorKind
from loadgen.swarm.request_failures import failure_of_outcome


@pytest.mark.parametrize(
    ("outcome", "text", "kind"),
    [
        (404, "404", exceptions.HTTPError),
        (-ErrorKind.CONNECT_REFUSED, "connect_refused", exceptions.ConnectionError),
        (-ErrorKind.RESPONSE_TIMEOUT, "response_timeout", exceptions.Timeout),
        (-ErrorKind.CONNECT_TIMEOUT, "connect_timeout", exceptions.ConnectionError),
    ],
)
def test_a_failure_is_of_the_kind_that_requests_raises(outcome: int, text: str, kind: type[Exception]) -> None:
    failure = failure_of_outcome(outcome)
    assert isinstance(failure, kind)
    assert isinstance(failure, exceptions.RequestException)
    assert (str(failure), repr(failure)) == (text, text)


def test_a_status_below_400_is_none() -> None:
    assert [failure_of_outcome(outcome) for outcome in (200, 302, 399)] == [None] * 3
