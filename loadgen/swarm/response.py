"""The response that a scenario gets: read and judged as those of Locust's own clients."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterator
from datetime import timedelta
from http.client import responses as phrases
from io import BytesIO
from json import loads
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from loadgen.drive.requests.call_result import CallResult
from loadgen.model.redaction import redact_url
from loadgen.model.units import NS_PER_MS
from loadgen.swarm.redirects import STATUSES
from loadgen.swarm.request_failures import RequestFailed, failure_of_outcome
from loadgen.swarm.response_body import BodySource, StreamedBody, charset_of, decoded, lines, pieces
from loadgen.swarm.response_headers import Headers
from loadgen.swarm.scenario_request import ScenarioRequest, split_url
from loadgen.swarm.session_cookies import response_cookies

if TYPE_CHECKING:  # Locust patches the standard library of who imports it, and who judges a response has done so
    from locust.event import EventHook
    from requests.cookies import RequestsCookieJar


class ReuseResponse:
    """A response with its times. As the value of a `with` block (with catch_response=True) the block judges it."""

    __slots__ = (
        "_body", "_catches", "_entered", "_event", "_failure", "_headers", "_meta", "_result", "_verdict",
        "encoding", "history", "js", "sent", "source", "status_code", "url",
    )  # fmt: skip

    def __init__(
        self, result: CallResult, url: str, event: EventHook, catches: bool, meta: dict[str, Any] | None = None
    ) -> None:
        """meta: what `event` is fired with, but for the response itself."""
        self._result = result
        self._catches = catches
        self._entered = False
        self._event = event
        self._headers: Headers | None = None
        self._verdict: bool | Exception | None = None
        self._failure: RequestFailed | None = None
        self._body: bytes | None = None
        self._meta: dict[str, Any] = {} if meta is None else meta
        self.status_code = max(result.outcome, 0)
        """0 where there is no response."""
        self.url = url
        """What the response is of: behind redirects, if some were followed."""
        self.history: tuple[ReuseResponse, ...] = ()
        """The redirects that led here, the first one first."""
        self.sent: ScenarioRequest | None = None
        self.source: BodySource | None = None
        self.encoding: str | None = None
        """To be set before `text` is read, where the response names no charset or a wrong one."""
        self.js: Any = None
        """The body as JSON, with `rest`."""

    def __repr__(self) -> str:
        return f"<ReuseResponse [{self.error_kind or self.status_code}]>"

    def __bool__(self) -> bool:
        return self.ok

    @property
    def request_meta(self) -> dict[str, Any]:
        """The arguments that `events.request` is fired with."""
        # Not from the beginning: a response in its own cycle is garbage that the collector has to find.
        self._meta["response"] = self
        return self._meta

    @property
    def status(self) -> int:
        """The same as status_code."""
        return self.status_code

    @property
    def reason(self) -> str:
        """What the status means (RFC 9110 §15): not what the server said, which HTTP/2 has no place for."""
        return phrases.get(self.status_code, "")

    @property
    def request(self) -> ScenarioRequest:
        """The request that this is the response to: behind redirects, if some were followed."""
        if self.sent is None:
            self.sent = ScenarioRequest(self._meta["request_type"], *split_url(self.url))
        return self.sent

    @property
    def ok(self) -> bool:
        """There is a response, and its status is below 400."""
        return 0 < self.status_code < 400 and self._failure is None

    @property
    def is_redirect(self) -> bool:
        """It is a redirect that can be followed."""
        return self.status_code in STATUSES and "location" in self.headers

    @property
    def is_permanent_redirect(self) -> bool:
        return self.status_code in (301, 308) and "location" in self.headers

    @property
    def error(self) -> RequestFailed | None:
        """Why there is no response; None where there is one, of whatever status."""
        return failure_of_outcome(self._result.outcome) if self._result.outcome <= 0 else self._failure

    @property
    def error_kind(self) -> str | None:
        """The kind of an error, such as `stale_connection`; None where there is a response."""
        error = self._result.error
        return None if error is None else error.label

    @property
    def headers(self) -> Headers:
        if self._headers is None:
            self._headers = Headers(self._result.head)
        return self._headers

    @property
    def cookies(self) -> RequestsCookieJar:
        """Those that this response sets."""
        return response_cookies(self.headers.get_all("set-cookie"), self.url)

    # The body

    @property
    def content(self) -> bytes:
        """The body, of which chunks are joined and a Content-Encoding is decoded."""
        if self._body is None:
            raw = self._result.body if self.source is None else self.source.read()
            self._body = decoded(raw, self.headers.get("content-encoding", ""))
        return self._body

    @property
    def text(self) -> str:
        """The body, decoded by `encoding`, the charset of its Content-Type, or UTF-8 where none of these is known."""
        try:
            return self.content.decode(self._charset, "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    @property
    def _charset(self) -> str:
        return self.encoding or charset_of(self.headers.get("content-type", "")) or "utf-8"

    def json(self, **options: Any) -> Any:
        """The body as JSON. Raises JSONDecodeError, a ValueError, for a body that is not JSON."""
        try:
            return loads(self.content, **options)
        except UnicodeDecodeError:
            return loads(self.text, **options)

    @property
    def raw(self) -> Any:
        """The body as a file to be read, with its Content-Encoding."""
        return BytesIO(self._result.body) if self.source is None else self.source

    def iter_content(
        self, chunk_size: int | None = 1, decode_unicode: bool = False, decode_content: bool = False
    ) -> Iterator[Any]:
        """The body in pieces of up to chunk_size bytes; None: as it comes. decode_…: in pieces of text."""
        if self.source is None or self._body is not None or "content-encoding" in self.headers:
            parts = pieces(BytesIO(self.content), chunk_size)
        else:
            parts = pieces(self.source, chunk_size)
        return self._as_text(parts) if decode_unicode or decode_content else parts

    def iter_lines(
        self, chunk_size: int | None = 512, decode_unicode: bool = False, delimiter: str | bytes | None = None
    ) -> Iterator[Any]:
        """The body's lines as they come, without their ends."""
        end = delimiter.encode() if isinstance(delimiter, str) else delimiter
        found = lines(self.iter_content(chunk_size), end)
        return self._as_text(found) if decode_unicode else found

    def _as_text(self, parts: Iterator[bytes]) -> Iterator[str]:
        """In the charset of `text`; a character may be cut where two parts meet."""
        try:
            decoder = getincrementaldecoder(self._charset)("replace")
        except LookupError:
            decoder = getincrementaldecoder("utf-8")("replace")
        return (decoder.decode(part) for part in parts)

    def close(self) -> None:
        """Read no more of a body that is on its way: its connection is closed."""
        if self.source is not None:
            self.source.close()

    # Times and the connection

    @property
    def phases(self) -> dict[str, int | None]:
        """ns by name; None for a phase that did not happen."""
        return self._result.phases

    @property
    def reused(self) -> bool:
        """The connection had served a request before."""
        return self._result.reused

    @property
    def elapsed(self) -> timedelta:
        """The sum of the phases, to the microsecond."""
        return timedelta(microseconds=self._result.latency_ns / 1000)

    def raise_for_status(self) -> None:
        """Raises RequestFailed unless the response is ok; after `failure` its exception, after `success` nothing."""
        if isinstance(self._verdict, Exception):
            raise self._verdict
        failure = (self._failure or failure_of(self._result)) if self._verdict is None else None
        if failure is not None:
            raise failure

    def answer(self, sent: ScenarioRequest) -> None:
        """Be the response to this request, and have its body as it comes where the request says so."""
        self.sent = sent
        if sent.stream is not None and self.status_code:
            self.source = StreamedBody(sent.stream)
            length = self.headers.get("content-length", "")
            self._meta["response_length"] = int(length) if length.isdecimal() else 0

    def fail(self, failure: RequestFailed) -> None:
        """Count the request as failed, for a reason that the response does not show."""
        self._failure = self._meta["exception"] = failure

    def count_as(self, method: str, name: str, url: str, latency_ns: int) -> None:
        """Count it with the redirects before it as the one request that the scenario made."""
        self._meta |= {"request_type": method, "name": name, "url": url, "response_time": latency_ns / NS_PER_MS}
        if self.history:
            self._meta["context"]["redirects"] = [
                {"url": redact_url(one.url), "status": one.status_code, "phases": one.phases, "reused": one.reused}
                for one in self.history
            ]

    def report(self) -> None:
        """Fire the event."""
        self._event.fire(**{**self._meta, "response": self})

    # Judging

    def __enter__(self) -> Self:
        if not self._catches:
            from locust.exception import LocustError

            raise LocustError("a request in a with block needs catch_response=True")
        self._entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """As with Locust's own clients: the verdict of the block counts, then a ResponseError from it, then the status.

        Any other exception of the block is raised again, and the request is not counted.
        """
        from locust.exception import ResponseError

        if self._verdict is not None:
            self._meta["exception"] = None if self._verdict is True else self._verdict
        elif isinstance(error, ResponseError):
            self._meta["exception"] = error
        elif error is not None:
            return False
        self.report()
        return self._verdict is None or error is None

    def success(self) -> None:
        """Count the request as successful, whatever its status."""
        self._check_entered()
        self._verdict = True

    def failure(self, reason: str | Exception) -> None:
        """Count the request as failed."""
        from locust.exception import CatchResponseError

        self._check_entered()
        self._verdict = reason if isinstance(reason, Exception) else CatchResponseError(reason)

    def _check_entered(self) -> None:
        if not self._entered:
            from locust.exception import LocustError

            raise LocustError("success() and failure() belong in a with block, with catch_response=True")


def failure_of(result: CallResult) -> RequestFailed | None:
    """None for a response with a status below 400."""
    return None if 0 < result.outcome < 400 else failure_of_outcome(result.outcome)
