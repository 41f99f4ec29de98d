"""The response that a scenario gets: read and judged as those of Locust's own clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from json import loads
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from loadgen.drive.requests.call_result import CallResult
from loadgen.wire.http1.head import ResponseHead

if TYPE_CHECKING:  # Locust patches the standard library of who imports it, and who judges a response has done so
    from locust.event import EventHook


class RequestFailed(Exception):
    """Why a request counts as failed: `503`, `response_timeout`. Holds no text that a target sent."""

    def __repr__(self) -> str:  # Locust shows this one
        return str(self)


class Headers(Mapping[str, str]):
    """A response's fields. The case of names does not matter; lines of one name are joined (RFC 9110 §5.3)."""

    def __init__(self, head: ResponseHead | None) -> None:
        self._fields: dict[str, tuple[str, list[str]]] = {}
        for raw_name, raw_value in head.headers if head is not None else ():
            name = raw_name.decode("latin-1")
            _, values = self._fields.setdefault(name.lower(), (name, []))
            values.append(raw_value.decode("latin-1"))

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._fields[name.lower()][1])

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def get_all(self, name: str) -> list[str]:
        """The values of all lines of that name, in order: needed for Set-Cookie, whose lines can't be joined."""
        return list(self._fields.get(name.lower(), ("", []))[1])


class ReuseResponse:
    """A response with its times. As the value of a `with` block (with catch_response=True) the block judges it."""

    __slots__ = (
        "_catches", "_entered", "_event", "_headers", "_meta", "_result", "_verdict", "status_code", "url",
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
        self._meta: dict[str, Any] = {} if meta is None else meta
        self.status_code = max(result.outcome, 0)
        """0 where there is no response."""
        self.url = url

    def __repr__(self) -> str:
        return f"<ReuseResponse [{self.error or self.status_code}]>"

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
    def ok(self) -> bool:
        """There is a response, and its status is below 400."""
        return 0 < self.status_code < 400

    @property
    def error(self) -> str | None:
        """The kind of an error, such as `stale_connection`; None where there is a response."""
        error = self._result.error
        return None if error is None else error.label

    @property
    def headers(self) -> Headers:
        if self._headers is None:
            self._headers = Headers(self._result.head)
        return self._headers

    @property
    def content(self) -> bytes:
        """The body: chunks are joined, a Content-Encoding is not decoded."""
        return self._result.body

    @property
    def text(self) -> str:
        """The body, decoded by the charset of its Content-Type, or by UTF-8 where that names none that is known."""
        _, _, charset = self.headers.get("content-type", "").lower().partition("charset=")
        try:
            return self.content.decode(charset.partition(";")[0].strip(" \"'") or "utf-8", "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises ValueError for a body that is not JSON."""
        return loads(self.content)

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
        failure = failure_of(self._result) if self._verdict is None else None
        if failure is not None:
            raise failure

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
    if 0 < result.outcome < 400:
        return None
    error = result.error
    return RequestFailed(str(result.outcome) if error is None else error.label)
