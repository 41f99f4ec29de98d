"""Several requests, encoded for a policy; which is next follows from the connection (model/request_choice.py).

Sends nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from loadgen.drive.requests.cookies import PathCookieState
from loadgen.drive.requests.filled_request import FilledRequest, RequestCounter
from loadgen.drive.requests.user_state import EncodedRequest
from loadgen.model.plan import Plan
from loadgen.model.planned_request import PlannedRequest
from loadgen.model.request_choice import number_at_origin, point, upper_edges

_MAX_REMEMBERED = 256

Encoder = Callable[[PlannedRequest], Callable[[bool, str], Any]]
"""Gives what encodes a request, from whether it is the last on its connection and the Cookie field's value."""


class TemplateRequest:
    """One that is filled anew each time."""

    __slots__ = ("_filled", "is_head", "path")

    def __init__(self, filled: FilledRequest, path: str, is_head: bool) -> None:
        self._filled = filled
        self.path = path
        self.is_head = is_head

    def encoded(self, user: int, cookies: str) -> EncodedRequest:
        """As this user sends it now."""
        return self._filled.next(user, cookies)

    def rewrite(self) -> None:
        """What it is made from has changed."""
        self._filled.rewrite()


class MixedRequest:
    """One of them, encoded."""

    __slots__ = ("_by_cookies", "is_head", "path", "plain")

    def __init__(self, write: Callable[[bool, str], Any], path: str, is_head: bool) -> None:
        self.plain = EncodedRequest(write)
        self.path = path
        self.is_head = is_head
        self._by_cookies: dict[str, EncodedRequest] = {}

    def encoded(self, _user: int, cookies: str) -> EncodedRequest:
        """It with this Cookie field, empty for none; the same for all users."""
        if not cookies:
            return self.plain
        found = self._by_cookies.get(cookies)
        if found is None:
            if len(self._by_cookies) >= _MAX_REMEMBERED:
                self._by_cookies.clear()
            found = self._by_cookies[cookies] = self.plain.with_cookies(cookies)
        return found

    def rewrite(self) -> None:
        """Encode it again."""
        self.plain.rewrite()
        self._by_cookies.clear()


class RequestMix:
    """The requests of a plan that has several. `next_connection` gives the number of the next connection.

    counter: of the requests that are filled, over all blocks. origins: how many the run's requests have; the plan's
    requests are those of one of them, and every `origins`-th number is one of its connections.
    """

    def __init__(
        self,
        plan: Plan,
        encoder: Encoder,
        next_connection: Callable[[], int],
        counter: RequestCounter,
        origins: int = 1,
    ) -> None:
        self.next_connection = next_connection
        self._origins = origins
        self._edges = upper_edges([one.weight for one in plan.requests])
        self._counter = counter
        self._requests = [self._of(one, encoder, (one.method or plan.method) == "HEAD") for one in plan.requests]
        self.origin = plan.target.origin

    def _of(self, request: PlannedRequest, encoder: Encoder, is_head: bool) -> MixedRequest | TemplateRequest:
        if request.is_template:
            return TemplateRequest(FilledRequest(request, encoder, self._counter), request.path, is_head)
        return MixedRequest(encoder(request), request.path, is_head)

    def chosen(self, connection: int, request_index: int) -> MixedRequest | TemplateRequest:
        """The request that goes on this connection (its number) at this place (an index from 0)."""
        return self._requests[
            bisect_right(self._edges, point(number_at_origin(connection, self._origins), request_index))
        ]

    def rewrite(self) -> None:
        """Encode all again: what they are made from has changed."""
        for one in self._requests:
            one.rewrite()

    def user_state(self, index: int) -> MixedUserState:
        """That of a user who sends them."""
        return MixedUserState(index, self.origin, self)


class MixedUserState(PathCookieState):
    """A user's, whose cookies go by the path of each request."""

    __slots__ = ("mix",)

    def __init__(self, index: int, origin: str, mix: RequestMix) -> None:
        PathCookieState.__init__(self, index, origin)
        self.mix = mix
