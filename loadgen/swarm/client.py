"""The HTTP client of a scenario: called as Locust's clients are, sends with the engine. Knows no run.

Redirects are not followed: each exchange is measured on its own, and a scenario can request a redirect's Location.
"""

from __future__ import annotations

import json as json_module
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypedDict, Unpack
from urllib.parse import urlencode

from loadgen.drive.clients.shared_client import SharedClient
from loadgen.drive.requests.builder import FieldPairs
from loadgen.drive.requests.greenlet_client import GreenletClient
from loadgen.model.redaction import redact_url
from loadgen.model.target import parse_target
from loadgen.swarm.gather import GatheredRequest, gather
from loadgen.swarm.response import ReuseResponse, failure_of

if TYPE_CHECKING:  # Locust patches the standard library of who imports it, and who imports this has done so
    from locust import User

Pairs = Mapping[str, Any] | Iterable[tuple[str, Any]]
_NS_PER_MS = 1e6
_FORM: FieldPairs = (("Content-Type", "application/x-www-form-urlencoded"),)
_JSON: FieldPairs = (("Content-Type", "application/json"),)


class Options(TypedDict, total=False):
    """Options of every request; see `ReuseClient.request`."""

    name: str | None
    headers: Mapping[str, str] | None
    params: Pairs | str | None
    catch_response: bool
    context: Mapping[str, Any] | None


class BodyOptions(Options, total=False):
    """Options of a request that seldom has a body."""

    data: bytes | str | Pairs | None
    json: Any


class ReuseClient:
    """One user's client: its requests go one at a time, over a connection that lives as the policy says.

    origin: scheme and authority of the target. base: goes before each path, as the path of Locust's host does.
    """

    def __init__(self, user: User, client: GreenletClient | SharedClient, origin: str, base: str, policy: str) -> None:
        self._user = user
        self._call = client.call
        self._event = user.environment.events.request
        self._origin = origin
        self._base = base
        self._policy = policy

    def get(self, path: str, **options: Unpack[BodyOptions]) -> ReuseResponse:
        return self.request("GET", path, **options)

    def head(self, path: str, **options: Unpack[BodyOptions]) -> ReuseResponse:
        return self.request("HEAD", path, **options)

    def options(self, path: str, **options: Unpack[BodyOptions]) -> ReuseResponse:
        return self.request("OPTIONS", path, **options)

    def delete(self, path: str, **options: Unpack[BodyOptions]) -> ReuseResponse:
        return self.request("DELETE", path, **options)

    def post(self, path: str, data: Any = None, json: Any = None, **options: Unpack[Options]) -> ReuseResponse:
        return self.request("POST", path, data=data, json=json, **options)

    def put(self, path: str, data: Any = None, json: Any = None, **options: Unpack[Options]) -> ReuseResponse:
        return self.request("PUT", path, data=data, json=json, **options)

    def patch(self, path: str, data: Any = None, json: Any = None, **options: Unpack[Options]) -> ReuseResponse:
        return self.request("PATCH", path, data=data, json=json, **options)

    def gather(self, *requests: GatheredRequest) -> list[ReuseResponse]:
        """Send several requests at the same time, and wait for all: the responses come in the order of the requests.

        Each is a path to GET, `(method, path)`, or `(method, path, options)` with the options of `request`. Each has an
        event of its own, and with `catch_response` a `with` block of its own afterwards. The policy says how many are
        in flight at a time, and on how many connections. Raises what `request` raises, once all others have ended.
        """
        return gather(self.request, requests)

    def request(
        self,
        method: str,
        path: str,
        *,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
        data: bytes | str | Pairs | None = None,
        json: Any = None,
        params: Pairs | str | None = None,
        catch_response: bool = False,
        context: Mapping[str, Any] | None = None,
    ) -> ReuseResponse:
        """Send a request, wait for the response, and fire `events.request`; a redirect is not followed.

        path: with its query, or a URL of the user's own host
        name: the request's name in the statistics; else `path`, without secrets
        data: the body; str is sent as UTF-8, pairs as a form
        json: a value to be sent as JSON, where there is no data
        params: added to the query
        catch_response: the response is the value of a `with` block that judges it
        context: passed on with the event, beside `phases`, `reused` and `policy`

        No response, or one with a status from 400 on, is a failure in the statistics and raises nothing. Raises
        ValueError where the request can't be sent: another host, a header field that the connection policy sets.
        """
        method = method.upper()
        start_time = time.time()
        target = self._base + path if path[:1] == "/" and not params else self._target(path, params)
        fields = tuple(headers.items()) if headers else ()
        body = b""
        if data or json is not None:
            fields, body = _encoded(fields, data, json)
        result = self._call(method, target, fields, body)
        url = self._origin + target
        outcome = result.outcome
        meta = {
            "request_type": method,
            "name": name or (redact_url(path) if "?" in path else path),
            "response_time": result.latency_ns / _NS_PER_MS,
            "response_length": len(result.body),
            "exception": None if 0 < outcome < 400 else failure_of(result),
            "context": {
                **self._user.context(),
                **(context or {}),
                "phases": result.phases,
                "reused": result.request_index > 0,
                "policy": self._policy,
            },
            "start_time": start_time,
            "url": url,
        }
        response = ReuseResponse(result, url, self._event, catch_response, meta)
        if not catch_response:
            response.report()
        return response

    def _target(self, path: str, params: Pairs | str | None) -> str:
        """The path and query to be sent."""
        if "://" in path.partition("?")[0]:
            target = _path_of(self._origin, path)
        else:
            target = self._base + (f"/{path}" if path[:1] in ("", "?", "#") else path)
        if not params:
            return target
        query = params if isinstance(params, str) else urlencode(_as_list(params), doseq=True)
        target = target.partition("#")[0]
        return f"{target}{'&' if '?' in target else '?'}{query}"


@lru_cache(256)
def _path_of(origin: str, url: str) -> str:
    """The path and query of a URL. Raises ValueError for no URL, and for one of another host."""
    target = parse_target(url.replace(" ", "%20"))  # as in a path
    if target.origin != origin:
        raise ValueError(f"the URL {redact_url(url)!r} is another host's; a user's requests go to {origin}")
    return target.path


def _encoded(fields: FieldPairs, data: bytes | str | Pairs | None, json: Any) -> tuple[FieldPairs, bytes]:
    """Header fields and body, with the Content-Type of the body's kind unless the scenario has set one."""
    kind: FieldPairs = ()
    if not data:
        body, kind = json_module.dumps(json).encode(), _JSON
    elif isinstance(data, str):
        body = data.encode()
    elif isinstance(data, bytes | bytearray | memoryview):
        body = bytes(data)
    else:
        body, kind = urlencode(_as_list(data), doseq=True).encode(), _FORM
    if any(name.lower() == "content-type" for name, _ in fields):
        kind = ()
    return fields + kind, body


def _as_list(pairs: Pairs) -> list[tuple[str, Any]]:
    return list(pairs.items() if isinstance(pairs, Mapping) else pairs)
