"""What a scenario's request returns: Locust's way of looking at a response and of judging it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from json import loads
from types import TracebackType
from typing import Any, Self

from locust.event import EventHook
from locust.exception import CatchResponseError, LocustError, ResponseError

from loadgen.drive.requests.call_result import CallResult
from loadgen.wire.http1.head import ResponseHead


class RequestFailed(Exception):
    """Why a request counts as failed: `503`, `response_timeout`. Nothing else that a target sent is in it."""

    def __repr__(self) -> str:  # what Locust shows of it
        return str(self)


class Headers(Mapping[str, str]):
    """A response's fields. Names are equal whatever their case; lines of the same name are joined (RFC 9110 §5.3)."""

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
        """The values of all lines of that name, in order: what Set-Cookie needs, whose lines can't be joined."""
        return list(self._fields.get(name.lower(), ("", []))[1])


class ReuseResponse:
    """A response with its times. As the value of a `with` block (with catch_response=True) the block judges it.

    status_code: 0 where there is no response; `status` is the same. ok: there is one, and its status is below 400.
    content: the body, decoded from chunks and from no Content-Encoding. phases: ns by name, None where a phase did not
    happen. reused: the connection had served a request before. error: the kind of an error, such as
    `stale_connection`, None where there is a response. request_meta: what `events.request` is fired with.
    """

    __slots__ = (
        "_answer", "_catches", "_entered", "_event", "_headers", "_verdict", "request_meta", "status_code", "url",
    )  # fmt: skip

    def __init__(self, answer: CallResult, url: str, event: EventHook, catches: bool) -> None:
        self._answer = answer
        self._catches = catches
        self._entered = False
        self._event = event
        self._headers: Headers | None = None
        self._verdict: bool | Exception | None = None
        self.request_meta: dict[str, Any]
        self.status_code = answer.outcome if answer.outcome > 0 else 0
        self.url = url

    def __repr__(self) -> str:
        return f"<ReuseResponse [{self.error or self.status_code}]>"

    @property
    def status(self) -> int:
        return self.status_code

    @property
    def ok(self) -> bool:
        return 0 < self.status_code < 400

    @property
    def error(self) -> str | None:
        error = self._answer.error
        return None if error is None else error.label

    @property
    def headers(self) -> Headers:
        if self._headers is None:
            self._headers = Headers(self._answer.head)
        return self._headers

    @property
    def content(self) -> bytes:
        return self._answer.body

    @property
    def text(self) -> str:
        """The body by the charset of its Content-Type, by UTF-8 where that names none that is known."""
        _, _, charset = self.headers.get("content-type", "").lower().partition("charset=")
        try:
            return self.content.decode(charset.partition(";")[0].strip(" \"'") or "utf-8", "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises ValueError where it is none."""
        return loads(self.content)

    @property
    def phases(self) -> dict[str, int | None]:
        return self._answer.phases

    @property
    def reused(self) -> bool:
        return self._answer.reused

    @property
    def elapsed(self) -> timedelta:
        """The sum of the phases, to the microsecond."""
        return timedelta(microseconds=self._answer.latency_ns / 1000)

    def raise_for_status(self) -> None:
        """Raises RequestFailed unless the response is ok, or what `failure` was given; nothing after `success`."""
        if isinstance(self._verdict, Exception):
            raise self._verdict
        failure = why_failed(self._answer) if self._verdict is None else None
        if failure is not None:
            raise failure

    # Judging

    def __enter__(self) -> Self:
        if not self._catches:
            raise LocustError("a request in a with block needs catch_response=True")
        self._entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """As with Locust's own clients: what the block said counts, then a ResponseError that it raised, then status.

        Any other exception of the block's goes on, and the request is not counted.
        """
        if self._verdict is not None:
            self.request_meta["exception"] = None if self._verdict is True else self._verdict
        elif isinstance(error, ResponseError):
            self.request_meta["exception"] = error
        elif error is not None:
            return False
        self._event.fire(**self.request_meta)
        return self._verdict is None or error is None

    def success(self) -> None:
        """Count the request as successful, whatever its status."""
        self._check_entered()
        self._verdict = True

    def failure(self, reason: str | Exception) -> None:
        """Count the request as failed."""
        self._check_entered()
        self._verdict = reason if isinstance(reason, Exception) else CatchResponseError(reason)

    def _check_entered(self) -> None:
        if not self._entered:
            raise LocustError("success() and failure() belong into a with block, with catch_response=True")


def why_failed(answer: CallResult) -> RequestFailed | None:
    """None where the answer is a response with a status below 400."""
    if 0 < answer.outcome < 400:
        return None
    error = answer.error
    return RequestFailed(str(answer.outcome) if error is None else error.label)
