"""Several requests of one user at the same time: sent together, awaited together. Knows no connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import gevent

if TYPE_CHECKING:
    from loadgen.swarm.response import ReuseResponse

GatheredRequest = str | tuple[str, str] | tuple[str, str, Mapping[str, Any]]
"""A path to GET; or a method and a path, and with them the options of `request`."""


def gather(request: Callable[..., ReuseResponse], requests: Sequence[GatheredRequest]) -> list[ReuseResponse]:
    """Send each with `request`, wait for all; gives the responses in the order of the requests.

    Where one can't be sent the others are, and then its exception is raised: the first one, in the order of the
    requests. An exception that is thrown into the greenlet abandons what is under way.
    """
    greenlets = [gevent.spawn(_response, request, *_parts(one)) for one in requests]
    try:
        gevent.joinall(greenlets)
    except BaseException:
        gevent.killall(greenlets)
        raise
    responses = []
    for greenlet in greenlets:
        response, error = greenlet.get()
        if error is not None:
            raise error
        responses.append(response)
    return responses


def _parts(request: GatheredRequest) -> tuple[str, str, Mapping[str, Any]]:
    """Method, path and options."""
    if isinstance(request, str):
        return "GET", request, {}
    if len(request) == 2:
        return *request, {}
    return request


def _response(
    request: Callable[..., ReuseResponse], method: str, path: str, options: Mapping[str, Any]
) -> tuple[Any, Exception | None]:
    """An error is a value, for gevent prints one that a greenlet raises."""
    try:
        return request(method, path, **options), None
    except Exception as error:
        return None, error
