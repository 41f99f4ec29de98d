"""Cookies from header fields into a jar, and from there into a Cookie field."""

from __future__ import annotations

from http.cookiejar import CookieJar

from loadgen.drive.requests.jar_fields import cookies_for, jar_request, keep_cookies

FIELDS = (("Server", "x"), ("Set-Cookie", "a=1; Path=/in"), ("set-cookie", "b=2; Path=/"), ("Set-Cookie", "c=3"))


def test_a_jar_keeps_what_fields_set_and_says_what_a_request_carries() -> None:
    jar = CookieJar()
    answered = jar_request("http://h:81/in/x")
    assert cookies_for(jar, jar_request("http://h:81/")) == ""
    keep_cookies(jar, FIELDS, answered)
    assert sorted(cookies_for(jar, answered).split("; ")) == ["a=1", "b=2", "c=3"]
    sent = {url: cookies_for(jar, jar_request(url)) for url in ("http://h:81/out", "http://other/in/x")}
    assert sent == {"http://h:81/out": "b=2", "http://other/in/x": ""}
