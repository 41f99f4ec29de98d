"""A scenario's request as the arguments of the call describe it: method, URL, header fields, body. Sends nothing.

What the arguments mean is what they mean for `requests`, and so for Locust's HttpUser.
"""

from __future__ import annotations

import json as json_module
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from http.cookiejar import CookieJar
from typing import Any, NamedTuple
from urllib.parse import urlencode

from requests import Request
from requests.cookies import RequestsCookieJar, merge_cookies
from requests.structures import CaseInsensitiveDict

from loadgen.drive.clients.body_stream import BodyStream
from loadgen.drive.requests.builder import FieldPairs
from loadgen.drive.requests.jar_fields import cookies_for, jar_request
from loadgen.model.target import parse_target

Pairs = Mapping[str, Any] | Iterable[tuple[str, Any]]
Timeout = float | tuple[float | None, float | None]
"""Seconds that a request may take; a pair: of its handshake, and of the rest."""
Auth = tuple[str | bytes, str | bytes] | Callable[[Any], Any]
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


class Trust(NamedTuple):
    """How a request's own arguments change the way to its server, as `requests` has them."""

    verify: bool | str | None
    """False: any certificate; a path: the authorities to trust; None: as the run."""
    cert: str | tuple[str, str] | None
    """A client certificate, with its key in the same file or in another."""

    @classmethod
    def of(cls, verify: bool | str | None, cert: str | tuple[str, str] | None) -> Trust | None:
        """None where nothing is changed."""
        return None if verify is None and not cert else cls(verify, tuple(cert) if isinstance(cert, list) else cert)


class SendOptions(NamedTuple):
    """How requests are sent, beside what they are."""

    trust: Trust | None = None
    timeout_s: float = 0.0
    """0: the run's --timeout."""
    streams: bool = False
    """Bodies of responses are read as they come."""

    @classmethod
    def of(cls, trust: Trust | None, timeout: Timeout | None, streams: bool | None) -> SendOptions:
        """A pair of times, for the handshake and the rest, counts as their sum."""
        parts = timeout if isinstance(timeout, tuple | list) else (timeout,)
        return cls(trust, float(sum(part for part in parts if part)), bool(streams))


class ScenarioRequest:
    """One request on its way, redirects included.

    origin: scheme and authority. target: path and query. cookies: those of this request alone, beside the session's.
    """

    __slots__ = ("body", "cookies", "fields", "method", "origin", "stream", "target")

    def __init__(
        self, method: str, origin: str, target: str, fields: FieldPairs = (), body: bytes = b"", cookies: Any = None
    ) -> None:
        self.method = method
        self.origin = origin
        self.target = target
        self.fields = fields
        self.body = body
        self.cookies = cookies
        self.stream: BodyStream | None = None
        """Its response's body, where that is read as it comes."""

    @property
    def url(self) -> str:
        return self.origin + self.target

    @property
    def path_url(self) -> str:
        """The same as target."""
        return self.target

    @property
    def headers(self) -> CaseInsensitiveDict[str]:
        """The fields that the call gave, without those that the client adds."""
        return CaseInsensitiveDict(self.fields)

    def without(self, *names: str) -> FieldPairs:
        """The header fields but for those of these names, in lower case."""
        return tuple(field for field in self.fields if field[0].lower() not in names)


@lru_cache(256)
def split_url(url: str) -> tuple[str, str]:
    """Origin and target of an http or https URL. Raises PlanError, which is a ValueError, for no such URL."""
    target = parse_target(url.replace(" ", "%20"))  # as in a path
    return target.origin, target.path


def with_params(target: str, params: Pairs | str | bytes) -> str:
    """A path with these parameters added to its query, without its fragment."""
    query = _text(params) if isinstance(params, str | bytes) else _urlencoded(params)
    if not query:
        return target
    path, _, _ = target.partition("#")
    return f"{path}{'&' if '?' in path else '?'}{query}"


def encode(sent: ScenarioRequest, data: Any, json: Any, files: Any, auth: Auth | None) -> None:
    """Give a request its body and its credentials."""
    if data or json is not None or files:
        kind, sent.body = encoded_body(data, json, files)
        if kind and not any(name.lower() == "content-type" for name, _ in sent.fields):
            sent.fields = (*sent.fields, ("Content-Type", kind))
    if auth:
        authorised(sent, auth)


def encoded_body(data: Any, json: Any, files: Any) -> tuple[str, bytes]:
    """A body's Content-Type, empty where nothing says one, and the body. json counts where there is no data.

    A file or an iterator is read to its end: the body goes out in one piece, with its length.
    """
    if files:
        prepared = Request("POST", "http://localhost/", files=files, data=data or {}).prepare()
        assert isinstance(prepared.body, bytes), "multipart is built in memory"
        return str(prepared.headers["Content-Type"]), prepared.body
    if not data:
        return ("", b"") if json is None else (_JSON, json_module.dumps(json).encode())
    if isinstance(data, str):
        return "", data.encode()
    if isinstance(data, bytes | bytearray | memoryview):
        return "", bytes(data)
    if hasattr(data, "read"):
        return "", _bytes(data.read())
    if isinstance(data, Mapping | list | tuple):
        return _FORM, _urlencoded(data).encode()
    return "", b"".join(map(_bytes, data))


def merged_fields(defaults: Mapping[str, Any] | None, given: Mapping[str, Any] | None) -> FieldPairs:
    """The session's header fields and the request's, which replace those; a field whose value is None is not sent."""
    if not given and not defaults:
        return ()
    if not defaults:
        assert given is not None, "one of them is there"
        return tuple([(_text(name), _text(value)) for name, value in given.items() if value is not None])
    own = {_text(name).lower() for name in given or ()}
    both = [(name, value) for name, value in defaults.items() if _text(name).lower() not in own]
    return tuple([(_text(name), _text(value)) for name, value in (*both, *(given or {}).items()) if value is not None])


def authorised(outgoing: ScenarioRequest, auth: Auth) -> None:
    """Add credentials: a pair for Basic (RFC 7617), or a callable that changes a PreparedRequest of `requests`.

    Raises ValueError for a callable that has to see the response first, such as HTTPDigestAuth.
    """
    if isinstance(auth, tuple | list):
        user, password = (part if isinstance(part, bytes) else str(part).encode("latin-1") for part in auth)
        value = f"Basic {b64encode(user + b':' + password).decode('ascii')}"
        outgoing.fields = (*outgoing.without("authorization"), ("Authorization", value))
        return
    fields, body = dict(outgoing.fields), outgoing.body or None
    prepared = Request(outgoing.method, outgoing.url, headers=fields, data=body).prepare()
    length = prepared.headers.pop("Content-Length", None)
    hooks = len(prepared.hooks["response"])
    changed = auth(prepared)
    if len(changed.hooks["response"]) > hooks:
        raise ValueError(
            f"{type(auth).__name__} waits for a challenge of the server's, which is not supported; give credentials "
            "that go with the first request: a pair, or a callable that sets a header field"
        )
    if length is not None:
        changed.headers.pop("Content-Length", None)
    outgoing.origin, outgoing.target = split_url(changed.url)
    outgoing.fields = tuple((_text(name), _text(value)) for name, value in changed.headers.items())
    outgoing.body = _bytes(changed.body or b"")


def cookie_field(session: CookieJar | None, given: Any, url: str) -> FieldPairs:
    """The Cookie field of a request that has cookies of its own beside the session's; none where there is no cookie."""
    jar = RequestsCookieJar()
    if session is not None:
        jar.update(session)
    merge_cookies(jar, given)
    cookies = cookies_for(jar, jar_request(url))
    return (("Cookie", cookies),) if cookies else ()


def _urlencoded(pairs: Pairs) -> str:
    """A form or a query. A list as a value stands for several; None for none."""
    found: list[tuple[Any, Any]] = []
    for name, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
        many = value if hasattr(value, "__iter__") and not isinstance(value, str | bytes) else (value,)
        found += [(name, one) for one in many if one is not None]
    return urlencode(found)


def _text(value: Any) -> Any:
    """Bytes as text; what is neither is refused where the request is built."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
