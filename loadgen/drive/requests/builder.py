"""A scenario's requests as bytes: checked once, framed by the engine, and cached, for scenarios repeat themselves.

Sends nothing and keeps no cookie.
"""

from __future__ import annotations

from functools import lru_cache, partial

from loadgen.drive.requests.encoding import (
    WriteStream,
    http1_request,
    request_section,
    stream_writer,
    upgrade_fields,
)
from loadgen.drive.requests.user_state import EncodedRequest
from loadgen.model.characters import has_control
from loadgen.model.exceptions import PlanError
from loadgen.model.headers import check_headers
from loadgen.model.plan import Plan
from loadgen.model.policy import HTTP2, ConnectionPolicy
from loadgen.model.request_method import check_method
from loadgen.model.request_target import origin_form
from loadgen.wire.http1.upload import Upload
from loadgen.wire.websocket.message import Message

FieldPairs = tuple[tuple[str, str], ...]
"""Header fields in order."""

_MAX_CACHED = 256
# A longer body costs more to send than to build, and 256 of them would be much to keep.
_MAX_CACHED_BODY_BYTES = 16 * 1024


class RequestBuilder:
    """Writes requests to one target under a policy, which owns `Connection`. The plan's header fields are defaults.

    Requests that go to a proxy always carry its credentials, without waiting for its challenge (RFC 7617 §2.2).
    """

    def __init__(self, plan: Plan, policy: ConnectionPolicy) -> None:
        self._defaults = plan.headers
        self._plan = plan
        self._policy = policy
        credentials = plan.proxy.authorization if plan.proxy is not None and not plan.tunnels(policy) else ""
        self._proxy_fields: FieldPairs = (("Proxy-Authorization", credentials),) if credentials else ()
        self._cached = lru_cache(_MAX_CACHED)(self._build)

    def requests(self, method: str, path: str, headers: FieldPairs, body: bytes, cookies: str) -> EncodedRequest:
        """The bytes of a request, with more to follow on its connection and as the last one there.

        path: with its query; what a URL can't hold is percent-encoded (RFC 3986 §2.1), and a fragment left out.
        cookies: the Cookie field's value, empty for none. Raises PlanError where the request can't be sent as it is.
        """
        if len(body) > _MAX_CACHED_BODY_BYTES:
            return self._build(method, path, headers, body, cookies)
        return self._cached(method, path, headers, body, cookies)

    def upgrade(self, path: str, headers: FieldPairs, cookies: str) -> Message:
        """What asks for a WebSocket (RFC 6455 §4.1); its payload is empty. Raises PlanError as `requests` does."""
        return Message(b"", True, _checked_target(path), upgrade_fields(self._plan, self._fields(headers, cookies)))

    def _fields(self, headers: FieldPairs, cookies: str) -> FieldPairs:
        """A request's own, and those of the plan's whose names it does not have."""
        for name, value in headers:
            if not (isinstance(name, str) and isinstance(value, str)):
                raise PlanError(f"the header {name!r} has the value {value!r}; both must be text")
        check_headers(headers)
        given = {name.lower() for name, _ in headers}
        fields = tuple(field for field in self._defaults if field[0].lower() not in given) + headers
        return (*fields, ("Cookie", cookies)) if cookies and "cookie" not in given else fields

    def _build(self, method: str, path: str, headers: FieldPairs, body: bytes, cookies: str) -> EncodedRequest:
        check_method(method)
        fields = self._fields(headers, cookies)
        path = _checked_target(path)
        if self._policy.protocol in HTTP2:
            return EncodedRequest(self._stream_writer(method, path, fields, body))
        return EncodedRequest(partial(self._write_http1, method, path, fields, body))

    def _write_http1(
        self, method: str, path: str, fields: FieldPairs, body: bytes, is_last: bool, _cookies: str,
        upgrade: FieldPairs = (),
    ) -> bytes | Upload:  # fmt: skip
        """As WriteHttp1 says; the cookies are among the fields."""
        plan, headers = self._plan, (*fields, *self._proxy_fields)
        transfer = plan.transfer.of_request(has_body=bool(body), has_own=True, chunked=False)
        return http1_request(
            plan, self._policy, method, path, headers, body, transfer, is_last=is_last, upgrade=upgrade
        )

    def _stream_writer(self, method: str, path: str, fields: FieldPairs, body: bytes) -> WriteStream:
        section = request_section(self._plan, method, path, fields, body)
        write_http1 = partial(self._write_http1, method, path, fields, body)
        expects = self._plan.transfer.expects(body)
        return stream_writer(self._policy, lambda _cookies: section, body, write_http1, expects=expects)


def _checked_target(path: str) -> str:
    """The request's target (RFC 9112 §3.2.1), without fragment."""
    if not path.startswith("/"):
        raise PlanError(f"the path {path!r} does not begin with a slash")
    if has_control(path):
        raise PlanError(f"the path {path!r} holds a control character; percent-encode it")
    try:
        return origin_form(path.partition("#")[0])
    except UnicodeEncodeError:
        raise PlanError(f"the path {path!r} holds half of a surrogate pair, which is no character") from None
