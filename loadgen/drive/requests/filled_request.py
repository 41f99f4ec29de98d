"""A request whose places are filled anew each time it is sent. Sends nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from random import Random
from typing import Any
from urllib.parse import quote

from loadgen.drive.requests.user_state import EncodedRequest
from loadgen.model.planned_request import PlannedRequest
from loadgen.model.request_template import NUMBER, USER, UUID, Template, random_range

_MAX_REMEMBERED = 256
_MAX_REMEMBERED_BYTES = 16 * 1024
_RANDOM = Random()  # noqa: S311 # of system entropy, so that workers differ; no secret is made of it


class RequestCounter:
    """How many filled requests this worker has sent."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0

    def next(self) -> int:
        """The number of the next one, from 1."""
        self.number += 1
        return self.number


class FilledRequest:
    """Fills and encodes it. Those that repeat are remembered, as of a CSV's rows."""

    def __init__(
        self,
        request: PlannedRequest,
        encode: Callable[[PlannedRequest], Callable[[bool, str], Any]],
        counter: RequestCounter,
    ) -> None:
        self._request = request
        self._encode = encode
        self._counter = counter
        self._sent = 0
        self._path = Template(request.path)
        self._headers = [(name, Template(text)) for name, text in request.headers]
        self._body = Template(request.body.decode("utf-8", "surrogateescape"))
        self._remembered = lru_cache(_MAX_REMEMBERED)(self._encoded)

    def next(self, user: int, cookies: str) -> EncodedRequest:
        """The request as this user sends it now, with this Cookie field, empty for none."""
        value = _FilledValues(self._request, self._counter.next(), self._sent, user)
        self._sent += 1
        path = self._path.fill(lambda name: quote(value(name), safe=""))
        headers = tuple((name, text.fill(value)) for name, text in self._headers)
        body = self._body.fill(value).encode("utf-8", "surrogateescape")
        make = self._encoded if len(body) > _MAX_REMEMBERED_BYTES else self._remembered
        return make(path, headers, body, cookies)

    def rewrite(self) -> None:
        """What it is made from has changed."""
        self._remembered.cache_clear()

    def _encoded(self, path: str, headers: tuple[tuple[str, str], ...], body: bytes, cookies: str) -> EncodedRequest:
        write = self._encode(replace(self._request, path=path, headers=headers, body=body))
        return EncodedRequest(lambda is_last, _none: write(is_last, cookies))


class _FilledValues:
    """What goes to the places of one request: the same name has the same value everywhere in it."""

    __slots__ = ("_known", "_request", "_sent")

    def __init__(self, request: PlannedRequest, number: int, sent: int, user: int) -> None:
        self._request = request
        self._sent = sent
        self._known = {NUMBER: str(number), USER: str(user)}

    def __call__(self, name: str) -> str:
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._value(name)
        return found

    def _value(self, name: str) -> str:
        values = self._request.values
        if name in values.columns:
            return values.rows[self._sent % len(values.rows)][values.columns.index(name)]
        if name == UUID:
            return str(uuid.UUID(int=_RANDOM.getrandbits(128), version=4))
        return str(_RANDOM.randint(*_range(name)))


_range = lru_cache(64)(random_range)
