"""Target URLs: what a URL says about host, port, path and Host field, and which URLs are refused, with which hint."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.target import Target, parse_target

URLS = [
    # URL, scheme, host, port, path, Host field
    ("http://h", "http", "h", 80, "/", "h"),
    ("https://h/", "https", "h", 443, "/", "h"),
    ("HTTP://H.Example/A", "http", "h.example", 80, "/A", "h.example"),
    ("http://h:80/", "http", "h", 80, "/", "h"),
    ("http://h:443/", "http", "h", 443, "/", "h:443"),
    ("https://h:80/", "https", "h", 80, "/", "h:80"),
    ("http://h:/", "http", "h", 80, "/", "h"),
    ("http://h:65535/a?b=c&d", "http", "h", 65535, "/a?b=c&d", "h:65535"),
    ("http://h?x=1", "http", "h", 80, "/?x=1", "h"),
    ("http://h/a#fragment", "http", "h", 80, "/a", "h"),
    ("http://h/%20?q=%C3%BC", "http", "h", 80, "/%20?q=%C3%BC", "h"),
    ("http://h//x", "http", "h", 80, "//x", "h"),
    ("http://h/a?u=http://u:p@x/", "http", "h", 80, "/a?u=http://u:p@x/", "h"),
    ("http://127.0.0.1:8080/", "http", "127.0.0.1", 8080, "/", "127.0.0.1:8080"),
    ("http://[::1]/", "http", "::1", 80, "/", "[::1]"),
    ("https://[2001:db8::1]:8443/x", "https", "2001:db8::1", 8443, "/x", "[2001:db8::1]:8443"),
    ("http://bücher.example/", "http", "xn--bcher-kva.example", 80, "/", "xn--bcher-kva.example"),
    ("http://my_service/", "http", "my_service", 80, "/", "my_service"),
    ("http://BÜCHER.example/", "http", "xn--bcher-kva.example", 80, "/", "xn--bcher-kva.example"),
    ("http://h.example./", "http", "h.example.", 80, "/", "h.example."),
    (f"http://{'a.' * 126}h/", "http", f"{'a.' * 126}h", 80, "/", f"{'a.' * 126}h"),
    ("http://h:0080/", "http", "h", 80, "/", "h"),
    ("http://[::1]:/", "http", "::1", 80, "/", "[::1]"),
    ("http://[::FFFF:127.0.0.1]:81/", "http", "::ffff:127.0.0.1", 81, "/", "[::ffff:127.0.0.1]:81"),
    ("http://1.2.3.h/", "http", "1.2.3.h", 80, "/", "1.2.3.h"),
    ("http://h/@a:b", "http", "h", 80, "/@a:b", "h"),
    ("http://h/?", "http", "h", 80, "/?", "h"),
    ("http://h/ü?ü", "http", "h", 80, "/%C3%BC?%C3%BC", "h"),
    ("http://h/\udcff", "http", "h", 80, "/%FF", "h"),
    ('http://h/"<>^`|?"<>^`|', "http", "h", 80, "/%22%3C%3E%5E%60%7C?%22%3C%3E%5E%60%7C", "h"),
    ("http://h/%22%3c%5E", "http", "h", 80, "/%22%3c%5E", "h"),
    ("http://h/100%?a=%zz%2", "http", "h", 80, "/100%25?a=%25zz%252", "h"),
    ("http://h/a\\b?c[]=1", "http", "h", 80, "/a%5Cb?c[]=1", "h"),
    ("http://h/{x}{size}", "http", "h", 80, "/%7Bx%7D{size}", "h"),
    ("http://h/-._~!$&'()*+,;=:@?/?", "http", "h", 80, "/-._~!$&'()*+,;=:@?/?", "h"),
]


@pytest.mark.parametrize(("url", "scheme", "host", "port", "path", "host_field"), URLS)
def test_a_url_is_taken_apart(url: str, scheme: str, host: str, port: int, path: str, host_field: str) -> None:
    target = parse_target(url)
    assert target == Target(scheme, host, port, path)
    assert target.host_field == host_field
    assert target.is_tls is (scheme == "https")


@pytest.mark.parametrize(
    ("url", "file", "path", "scheme"),
    [
        ("unix:/run/app.sock", "/run/app.sock", "/", "http"),
        ("unix:/run/app.sock:/a?b=1", "/run/app.sock", "/a?b=1", "http"),
        ("unix:@name", "@name", "/", "http"),
        ("http+unix://%2Frun%2Fapp.sock/a", "/run/app.sock", "/a", "http"),
        ("http+unix://%40name", "@name", "/", "http"),
        ("https+unix://%2Frun%2Fa%20b", "/run/a b", "/", "https"),
    ],
)
def test_a_socket_file_as_target(url: str, file: str, path: str, scheme: str) -> None:
    target = parse_target(url)
    assert (target.socket, target.path, target.scheme) == (file, path, scheme)
    assert target.host_field == "localhost"
    assert target.origin == f"{scheme}://localhost"
    assert parse_target(target.url(secrets=True)) == target


def test_a_socket_file_is_found_from_wherever_the_command_runs() -> None:
    assert parse_target("unix:app.sock").socket == f"{Path.cwd() / 'app.sock'}"


@pytest.mark.parametrize("url", ["unix:", "unix:@", "http+unix:///x", f"unix:/{'x' * 120}"])
def test_a_socket_file_that_can_not_be_one(url: str) -> None:
    with pytest.raises(PlanError, match="socket file"):
        parse_target(url)


@pytest.mark.parametrize("url", [row[0] for row in URLS])
def test_a_target_reads_back_from_its_text(url: str) -> None:
    target = parse_target(url)
    assert parse_target(target.url(secrets=True)) == target


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "no scheme"),
        ("h", "write it like http://h"),
        ("localhost:8080/x", "write it like http://localhost:8080/x"),
        ("//h/x", "no scheme"),
        ("ftp://h/", "'ftp' is unknown"),
        ("http://", "names no host"),
        ("http:///x", "names no host"),
        ("http://:80/", "names no host"),
        ("http://h:0/", "bad port"),
        ("http://h:65536/", "bad port"),
        ("http://h:-1/", "bad port"),
        ("http://h:eighty/", "bad port"),
        ("http://a:b:c/", "bad port"),
        ("http://user:secret@h/", "credentials"),
        ("http://user@h/", "credentials"),
        ("http://@h/", "credentials"),
        ("http://h/a b", "percent-encode"),
        ("http://ex ample/", "percent-encode"),
        ("http://h/\r\nX: y", "percent-encode"),
        ("http://h/\x7f", "percent-encode"),
        ("http://h/\x00", "percent-encode"),
        ("http://h/\ud800", "surrogate"),
        ("http://h..x/", "not a host name"),
        ("http://.h/", "not a host name"),
        ("http://./", "not a host name"),
        (f"http://{'a' * 64}/", "not a host name"),
        (f"http://{'a' * 100_000}/", "not a host name"),
        (f"http://{'a.' * 127}h/", "not a host name"),
        (f"http://h:{'1' * 5000}/", "bad port"),
        ("http://[::1/", "not closed"),
        ("http://::1]/", "names no host"),
        ("http://[:::1]/", "not an IPv6 address"),
        ("http://[::1]x:80/", "behind the bracket stands 'x:80'"),
        ("http://[::1]80/", "behind the bracket"),
        ("http://[::1]]:80/", "not closed|behind the bracket"),
        ("http://x[::1]:80/", "not a host name"),
        ("http://[::1]:x/", "bad port"),
        ("http://[::1]:0/", "bad port"),
        ("http://[127.0.0.1]/", "not an IPv6 address"),
        ("http://[v1.x]/", "not an IPv6 address"),
        ("http://[localhost]/", "not an IPv6 address"),
        ("http://[]/", "not an IPv6 address"),
        ("http://[fe80::1%eth0]/", "names a zone"),
        ("http://[fe80::1%25eth0]/", "names a zone"),
        ("http://::1/", r"write \[::1\]"),
        ("http://2001:db8::1/", r"write \[2001:db8::1\]"),
        ("http://h:+80/", "bad port"),
        ("http://h:8_0/", "bad port"),
        ("http://h:٨٠/", "bad port"),
        ("http://h:８０/", "bad port"),
        ("http://h:80:80/", "bad port"),
        ("http://h:80x/", "bad port"),
        ("http://a@b@h/", "credentials"),
        ("http://h\\x/", "not a host name"),
        ("http://h,x/", "not a host name"),
        ("http://*.h/", "not a host name"),
        ("http://a\u3000b/", "not a host name"),
        ("http://127.1/", "not an IPv4 address"),
        ("http://2130706433/", "not an IPv4 address"),
        ("http://0x7f.0.0.1/", "not an IPv4 address"),
        ("http://127.0.0.0x1/", "not an IPv4 address"),
        ("http://127.0.0.010/", "not an IPv4 address"),
        ("http://256.0.0.1/", "not an IPv4 address"),
        ("http://1.2.3.4.5/", "not an IPv4 address"),
        ("1http://h/", "no scheme"),
        ("http:/h/", "no scheme"),
        ("http:h", "no scheme"),
    ],
)
def test_a_bad_url_is_refused_in_one_line(url: str, complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint) as caught:
        parse_target(url)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://h<>/", "http://h%20x/"])
def test_a_host_that_can_be_no_name_is_refused(url: str) -> None:
    """RFC 3986 §3.2.2: neither is a reg-name that could stand in a Host field."""
    with pytest.raises(PlanError):
        parse_target(url)


@pytest.mark.parametrize("url", ["http://user:secret@h/", "http://user:secret/x@h/", "http://secret!x#@h/"])
def test_a_refusal_does_not_repeat_a_password(url: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse_target(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "is_literal"), [("127.0.0.1", True), ("::1", True), ("localhost", False), ("1.2.3", False)]
)
def test_ip_literals_are_told_from_names(host: str, is_literal: bool) -> None:
    assert Target("http", host, 80, "/").is_ip_literal is is_literal
