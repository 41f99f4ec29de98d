"""The HTTP client of a scenario: called as Locust's clients are, sends with the engine. Knows no run.

Each exchange is measured on its own, those of redirects too; what Locust's statistics count is the call.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from typing import Any, Unpack

from loadgen.drive.clients.body_stream import BodyStream
from loadgen.drive.requests.call_result import CallResult
from loadgen.model.exceptions import PlanError
from loadgen.model.redaction import redact_url
from loadgen.model.units import NS_PER_MS
from loadgen.swarm.client_options import BodyOptions, JsonOptions, Options
from loadgen.swarm.client_session import ClientSession
from loadgen.swarm.gather import GatheredRequest, gather
from loadgen.swarm.redirect_chain import RedirectChain
from loadgen.swarm.request_failures import BadRedirect
from loadgen.swarm.response import ReuseResponse, failure_of
from loadgen.swarm.reuse_websocket import ReuseWebSocket, WebSocketLabels, WebSocketOptions, http_url
from loadgen.swarm.scenario_request import (
    Auth,
    Pairs,
    ScenarioRequest,
    SendOptions,
    Timeout,
    Trust,
    cookie_field,
    encode,
    merged_fields,
    split_url,
    with_params,
)

_USUAL = SendOptions()
_ABSOLUTE = ("http://", "https://")


class ReuseClient(ClientSession):
    """One user's client: its requests go over connections that live as the policy says."""

    def get(self, url: str, **options: Unpack[BodyOptions]) -> ReuseResponse:
        return self.request("GET", url, **options)

    def options(self, url: str, **options: Unpack[BodyOptions]) -> ReuseResponse:
        return self.request("OPTIONS", url, **options)

    def head(self, url: str, **options: Unpack[BodyOptions]) -> ReuseResponse:
        """Redirects are not followed, as with HttpUser."""
        options.setdefault("allow_redirects", False)
        return self.request("HEAD", url, **options)

    def delete(self, url: str, **options: Unpack[BodyOptions]) -> ReuseResponse:
        return self.request("DELETE", url, **options)

    def post(self, url: str, data: Any = None, json: Any = None, **options: Unpack[Options]) -> ReuseResponse:
        return self.request("POST", url, data=data, json=json, **options)

    def put(self, url: str, data: Any = None, **options: Unpack[JsonOptions]) -> ReuseResponse:
        return self.request("PUT", url, data=data, **options)

    def patch(self, url: str, data: Any = None, **options: Unpack[JsonOptions]) -> ReuseResponse:
        return self.request("PATCH", url, data=data, **options)

    def iter_lines(self, url: str, method: str = "GET", **options: Any) -> Iterator[str]:
        """The lines of a response as they come, as FastHttpUser's client has it. Raises RequestFailed without one."""
        response = self.request(method, url, stream=True, **options)
        response.raise_for_status()
        lines: Iterator[str] = response.iter_lines(None, decode_unicode=True)
        return lines

    def gather(self, *requests: GatheredRequest) -> list[ReuseResponse]:
        """Send several requests at the same time, and wait for all: the responses come in the order of the requests.

        Each is a path to GET, `(method, path)`, or `(method, path, options)` with the options of `request`. Each has an
        event of its own, and with `catch_response` a `with` block of its own afterwards. The policy says how many are
        in flight at a time, and on how many connections. Raises what `request` raises, once all others have ended.
        """
        return gather(self.request, requests)

    def websocket(self, url: str, **options: Unpack[WebSocketOptions]) -> ReuseWebSocket:
        """A WebSocket on a connection of its own, for a `with` block: it opens at its begin and closes at its end.

        url: as in `request`, or with the scheme ws or wss.
        """
        sent = self._outgoing("GET", http_url(url), None, options.get("headers"), None)
        name = options.get("name") or self.request_name or _name_of(sent.target)
        labels = WebSocketLabels(name, sent.url, self._policy, options.get("context") or {})
        client = self._clients.of(sent.origin, Trust.of(self.verify, self.cert))
        return ReuseWebSocket(self._user, partial(client.websocket, sent.target, sent.fields), labels)

    def request(
        self,
        method: str,
        url: str,
        name: str | None = None,
        catch_response: bool = False,
        context: Mapping[str, Any] | None = None,
        *,
        data: Any = None,
        json: Any = None,
        params: Pairs | str | bytes | None = None,
        headers: Mapping[str, str | bytes | None] | None = None,
        cookies: Any = None,
        files: Any = None,
        auth: Auth | None = None,
        timeout: Timeout | None = None,
        allow_redirects: bool = True,
        stream: bool | None = None,
        verify: bool | str | None = None,
        cert: str | tuple[str, str] | None = None,
        hooks: Mapping[str, Any] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> ReuseResponse:
        """Send a request, wait for the response, and fire `events.request`.

        url: a path with its query, or a whole URL
        name: the request's name in the statistics; else path and query, without secrets
        catch_response: the response is the value of a `with` block that judges it
        context: passed on with the event, beside `phases`, `reused`, `policy`, and `redirects` if some were followed
        data: the body; str is sent as UTF-8, pairs as a form, a file or an iterator as what it gives
        json: a value to be sent as JSON, where there is no data
        params: added to the query
        cookies, auth: of this request alone; auth is a pair, or a callable as `requests` has it
        files: sent as multipart/form-data
        timeout: seconds that the request may take, a pair for the handshake and the rest; else --timeout
        allow_redirects: follow them; each is an exchange of its own with its own phases
        stream: return when the head has come; the body is read as it comes
        verify, cert: as `requests` has them; connections of each kind are kept apart
        hooks: {"response": a callable or several}, called with the response

        No response, or one with a status from 400 on, is a failure in the statistics and raises nothing. Raises
        ValueError where the request can't be sent, such as one with a header field that the connection policy sets.
        """
        method = method.upper()
        start_time = time.time()
        sent: ScenarioRequest | None = None
        way = _USUAL
        if (
            headers is None and data is None and json is None and params is None and files is None and cookies is None
            and auth is None and timeout is None and verify is None and cert is None and proxies is None
            and not stream and self._headers is None and self.auth is None and self.params is None
            and self.timeout is None and self.verify is None and self.cert is None and url[:1] == "/"
        ):  # fmt: skip
            target = self._base + url
            full_url = self._origin + target
            result = self._call(method, target)
        else:
            if proxies:
                raise ValueError("a proxy of one request is not supported; --proxy is that of all requests of a run")
            sent = self._outgoing(method, url, params, headers, cookies)
            encode(sent, data, json, files, auth or self.auth)
            target, full_url = sent.target, sent.url
            timeout = self.timeout if timeout is None else timeout
            verify = self.verify if verify is None else verify
            if stream or timeout is not None or verify is not None or cert or self.cert:
                way = SendOptions.of(Trust.of(verify, cert or self.cert), timeout, stream)
            result = self._send(sent, way)
        name = name or self.request_name
        if 300 < result.outcome < 400 and allow_redirects:
            chain = RedirectChain(sent or ScenarioRequest(method, self._origin, target), result)
            response = self._follow(chain, way, name, start_time, context, catch_response)
        else:
            meta = self._meta(result, method, name or _name_of(target), full_url, start_time, context)
            response = ReuseResponse(result, full_url, self._event, catch_response, meta)
            if sent is not None:
                response.answer(sent)
        if hooks:
            _call_hooks(hooks, response)
        if not catch_response:
            response.report()
        return response

    # Inside

    def _outgoing(
        self, method: str, url: str, params: Pairs | str | bytes | None, headers: Mapping[str, Any] | None, cookies: Any
    ) -> ScenarioRequest:
        """The request without body and credentials."""
        if isinstance(url, bytes):
            url = url.decode()
        if url[:8].lower().startswith(_ABSOLUTE):
            origin, target = split_url(url)
        else:
            origin = self._origin
            target = self._base + (f"/{url}" if url[:1] in ("", "?", "#") else url)
        for more in (self.params, params):
            if more:
                target = with_params(target, more)
        return ScenarioRequest(method, origin, target, merged_fields(self._headers, headers), b"", cookies)

    def _send(self, sent: ScenarioRequest, way: SendOptions) -> CallResult:
        fields = sent.fields
        if sent.cookies:
            fields += cookie_field(self._clients.jar, sent.cookies, sent.url)
        if way is _USUAL and sent.origin == self._origin:
            result: CallResult = self._call(sent.method, sent.target, fields, sent.body)
            return result
        client = self._clients.of(sent.origin, way.trust)
        if way.streams:
            sent.stream = BodyStream()
        elif not way.timeout_s:
            return client.call(sent.method, sent.target, fields, sent.body)
        return client.call(sent.method, sent.target, fields, sent.body, way.timeout_s, sent.stream)

    def _follow(
        self, chain: RedirectChain, way: SendOptions, name: str | None, start_time: float,
        context: Mapping[str, Any] | None, catches: bool,
    ) -> ReuseResponse:  # fmt: skip
        """The response at the end of the redirects, with those before it, which are reported if each is a request."""
        first = chain.sent
        history: list[ReuseResponse] = []
        while (following := self._next_request(chain, way)) is not None:
            hop = self._hop(chain, name, start_time, context, False)
            history.append(hop)
            if self.each_redirect:
                hop.report()
                start_time = time.time()
            if chain.sent.stream is not None:
                chain.sent.stream.read()  # to its end: the connection is needed
            chain.add(following, self._send(following, way))
        response = self._hop(chain, name, start_time, context, catches)
        response.history = tuple(history)
        if chain.failure is not None:
            response.fail(chain.failure)
        if not self.each_redirect:
            response.count_as(first.method, name or _name_of(first.target), first.url, chain.latency_ns)
        return response

    def _next_request(self, chain: RedirectChain, way: SendOptions) -> ScenarioRequest | None:
        """What is sent next; None at the end, also where the policy can't be had at the place of the redirect."""
        following = chain.next_request(self.max_redirects)
        if following is not None:
            try:
                self._clients.of(following.origin, way.trust)
            except PlanError:
                chain.failure = BadRedirect("unusable_redirect")
                return None
        return following

    def _hop(
        self,
        chain: RedirectChain,
        name: str | None,
        start_time: float,
        context: Mapping[str, Any] | None,
        catches: bool,
    ) -> ReuseResponse:
        """The response to the chain's last request, as one that is reported by itself."""
        sent = chain.sent
        if name and chain.followed:
            name = f"{name} (redirect {chain.followed})"
        meta = self._meta(chain.result, sent.method, name or _name_of(sent.target), sent.url, start_time, context)
        response = ReuseResponse(chain.result, sent.url, self._event, catches, meta)
        response.answer(sent)
        return response

    def _meta(
        self, result: CallResult, method: str, name: str, url: str, start_time: float,
        context: Mapping[str, Any] | None,
    ) -> dict[str, Any]:  # fmt: skip
        """What the event is fired with, but for the response."""
        outcome = result.outcome
        return {
            "request_type": method,
            "name": name,
            "response_time": result.latency_ns / NS_PER_MS,
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


def _name_of(target: str) -> str:
    """The name of a request that has none, as HttpUser has it: path and query. Without secrets."""
    return _redacted(target) if "?" in target or "#" in target else target


@lru_cache(256)
def _redacted(target: str) -> str:
    return redact_url(target.partition("#")[0])


def _call_hooks(hooks: Mapping[str, Any], response: ReuseResponse) -> None:
    found = hooks.get("response") or ()
    for hook in (found,) if callable(found) else found:
        hook(response)
