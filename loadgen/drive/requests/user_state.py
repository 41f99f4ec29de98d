"""What a user keeps beyond one connection: its cookies and its TLS session. Opens nothing."""

from __future__ import annotations

from http.cookiejar import CookieJar
from typing import Any

from loadgen.drive.requests.jar_fields import cookies_for, jar_request, keep_cookies
from loadgen.wire.http1.head import ResponseHead


class EncodedRequest:
    """A request, encoded for its protocol: with more to follow on its connection, and as the last one there."""

    __slots__ = ("_write", "last", "more")

    def __init__(self, write: Any) -> None:
        """write(is_last, cookies) gives the request; `cookies` is the Cookie field's value, empty for none."""
        self._write = write
        self.rewrite()

    def rewrite(self) -> None:
        """Encode it again: what it is made from has changed."""
        self.more: Any = self._write(False, "")
        self.last: Any = self._write(True, "")

    def with_cookies(self, cookies: str) -> EncodedRequest:
        """The same request with a Cookie field."""
        return EncodedRequest(lambda is_last, _none: self._write(is_last, cookies))

    def user_state(self, index: int) -> UserState:
        """That of a user who sends it."""
        return UserState(index, self)


class UserState:
    """One user's number, its requests as it sends them now (cookies included) and its last TLS session."""

    __slots__ = ("_head", "_jar", "_plain", "index", "requests", "session")

    def __init__(self, index: int, requests: EncodedRequest) -> None:
        self.index = index
        self.requests = self._plain = requests
        self.session: Any = None
        self._jar: CookieJar | None = None
        self._head: ResponseHead | None = None

    def take_cookies(self, head: ResponseHead, url: str) -> None:
        """Keep what a response's Set-Cookie fields say (RFC 6265 §5.3), and send it from now on."""
        if head is self._head:
            return  # equal heads are one object, so this one sets what it has set already
        jar = self._jar
        if jar is None:
            jar = self._jar = CookieJar()
        request = jar_request(url)
        keep_cookies(jar, [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers], request)
        cookies = cookies_for(jar, request)
        self.requests = self._plain.with_cookies(cookies) if cookies else self._plain
        self._head = head
