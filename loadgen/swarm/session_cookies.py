"""A user's cookies as scenarios see and set them: the jar of `requests`, which tells the engine of each change."""

from __future__ import annotations

from collections.abc import Iterable
from http.cookiejar import Cookie
from typing import Any

from requests.cookies import RequestsCookieJar

from loadgen.drive.requests.cookies import PathCookieState
from loadgen.drive.requests.jar_fields import jar_request, keep_cookies


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
    jar = RequestsCookieJar()
    keep_cookies(jar, [("Set-Cookie", line) for line in lines], jar_request(url))
    return jar
