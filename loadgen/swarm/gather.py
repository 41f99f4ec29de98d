"""Several requests of one user at the same time: sent together, awaited together. Knows no connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from loadgen.swarm.concurrent_calls import call_together

if TYPE_CHECKING:
    from loadgen.swarm.response import ReuseResponse

GatheredRequest = str | tuple[str, str] | tuple[str, str, Mapping[str, Any]]
"""A path to GET; or a method and a path, and with them the options of `request`."""


def gather(request: Callable[..., ReuseResponse], requests: Sequence[GatheredRequest]) -> list[ReuseResponse]:
    """Send each with `request`, wait for all; gives the responses in the order of the requests.

    Where one can't be sent the others are, and then its exception is raised: the first one, in the order of the
    requests. An exception that is thrown into the greenlet abandons what is under way.
    """
    return call_together([partial(_send, request, *_parts(one)) for one in requests])


def _parts(request: GatheredRequest) -> tuple[str, str, Mapping[str, Any]]:
    """Method, path and options."""
    if isinstance(request, str):
        return "GET", request, {}
    if len(request) == 2:
        return *request, {}
    return request


def _send(request: Callable[..., ReuseResponse], method: str, path: str, options: Mapping[str, Any]) -> ReuseResponse:
    return request(method, path, **options)
