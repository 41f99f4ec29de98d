"""A user's cookies as scenarios see and set them: the jar of `requests`, which tells the engine of each change."""

from __future__ import annotations

from collections.abc import Iterable
from email.message import Message
from http.cookiejar import Cookie, CookieJar
from typing import Any, cast
from urllib.request import Request as UrlRequest

from requests.cookies import RequestsCookieJar

from loadgen.drive.requests.cookies import PathCookieState


class SessionCookies(RequestsCookieJar):
    """The cookies of one user, of all origins."""

    def __init__(self) -> None:
        self._states: list[PathCookieState] = []
        super().__init__()

    def serve(self, state: PathCookieState) -> None:
        """Be the jar of this state, with the cookies that it has."""
        known = state.use_jar(self)
        self._states.append(state)
        for cookie in known or ():
            self.set_cookie(cookie)

    def set_cookie(self, cookie: Cookie, *arguments: Any, **options: Any) -> None:
        super().set_cookie(cookie, *arguments, **options)
        self._changed()

    def clear(self, domain: str | None = None, path: str | None = None, name: str | None = None) -> None:
        super().clear(domain, path, name)
        self._changed()

    def copy(self) -> RequestsCookieJar:
        """A jar of its own, which no state has."""
        jar = RequestsCookieJar()
        jar.update(self)
        return jar

    def _changed(self) -> None:
        for state in self._states:
            state.forget()


def response_cookies(lines: Iterable[str], url: str) -> RequestsCookieJar:
    """What a response's Set-Cookie lines set."""
    message = Message()
    for line in lines:
        message.add_header("Set-Cookie", line)
    jar = RequestsCookieJar()
    request = UrlRequest(url)  # noqa: S310 # nothing is opened: the jar takes a URL in this form
    CookieJar.extract_cookies(jar, cast(Any, _SetCookies(message)), request)
    return jar


class _SetCookies:
    """What CookieJar reads of a response."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def info(self) -> Message:
        return self._message
