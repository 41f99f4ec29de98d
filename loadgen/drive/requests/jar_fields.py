"""Cookies between a jar of the standard library and header fields (RFC 6265). Knows no user and keeps nothing."""

from __future__ import annotations

from collections.abc import Iterable
from email.message import Message
from http.cookiejar import CookieJar
from typing import Any, cast
from urllib.request import Request as UrlRequest


def jar_request(url: str) -> UrlRequest:
    """A request for this URL, in the form in which a jar takes it; it serves for one call of each function here."""
    return UrlRequest(url)  # noqa: S310 # nothing is opened


def keep_cookies(jar: CookieJar, fields: Iterable[tuple[str, str]], request: UrlRequest) -> None:
    """Have the jar keep what Set-Cookie fields say among these of the response to the request (§5.3)."""
    message = Message()
    for name, value in fields:
        message.add_header(name, value)
    jar.extract_cookies(cast(Any, _Response(message)), request)


def cookies_for(jar: CookieJar, request: UrlRequest) -> str:
    """The value of the request's Cookie field, empty for none (§5.4)."""
    jar.add_cookie_header(request)
    return request.get_header("Cookie") or ""


class _Response:
    """What CookieJar reads of a response."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def info(self) -> Message:
        return self._message
