"""A user whose requests differ: each carries the cookies that belong to its own path. Opens nothing."""

from __future__ import annotations

from http.cookiejar import CookieJar

from loadgen.drive.requests.jar_fields import cookies_for, jar_request
from loadgen.drive.requests.user_state import EncodedRequest, UserState
from loadgen.wire.http1.head import ResponseHead

_MAX_REMEMBERED = 256


class PathCookieState(UserState):
    """Cookies by RFC 6265. path: that of the request under way, with its query; origin: scheme and authority."""

    __slots__ = ("_by_path", "_noted_path", "_origin", "path")

    def __init__(self, index: int, origin: str) -> None:
        UserState.__init__(self, index, EncodedRequest(lambda _is_last, _cookies: b""))
        self.path = "/"
        self._origin = origin
        self._noted_path = ""
        self._by_path: dict[str, str] = {}

    def take_cookies(self, head: ResponseHead, url: str) -> None:
        """Keep what the response to the present request sets; `url` is the plan's, which has another path."""
        if self.path != self._noted_path or self._some_expire:
            self._head = None  # the same head may set other cookies for this path, or set expired ones again
        if head is not self._head:
            self._by_path.clear()
            self._noted_path = self.path
            UserState.take_cookies(self, head, self._origin + self.path)

    def cookies(self) -> str:
        """The Cookie field's value for a request to `path`, empty for none (RFC 6265 §5.4)."""
        if self._jar is None:
            return ""
        known = self._by_path.get(self.path)
        if known is not None:
            return known
        may_expire = self._some_expire  # asked first: the jar drops one that expires while it is read, and gives it
        cookies = cookies_for(self._jar, jar_request(self._origin + self.path))
        if not may_expire:
            if len(self._by_path) >= _MAX_REMEMBERED:
                self._by_path.clear()
            self._by_path[self.path] = cookies
        return cookies

    def take_cookies_of(self, path: str, head: ResponseHead, url: str) -> None:
        """The same for the response to a request of another path, beside the present one."""
        present, self.path = self.path, path
        self.take_cookies(head, url)
        self.path = present

    def cookies_of(self, path: str) -> str:
        """The same for a request to another path, beside the present one."""
        present, self.path = self.path, path
        found = self.cookies()
        self.path = present
        return found

    @property
    def jar(self) -> CookieJar | None:
        """The cookies; None where there were none yet."""
        return self._jar

    def use_jar(self, jar: CookieJar) -> CookieJar | None:
        """Keep cookies in this jar from now on; gives the one before, which has those so far."""
        before, self._jar = self._jar, jar
        self.forget()
        return before

    def forget(self) -> None:
        """The jar was changed by someone else: what was read of it holds no longer."""
        self._by_path.clear()
        self._head = None

    @property
    def _some_expire(self) -> bool:
        return self._jar is not None and any(cookie.expires is not None for cookie in self._jar)
