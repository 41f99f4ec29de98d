"""A shop as locustfiles know them: a login with a cookie, redirects, uploads, a stream, errors. Counts its requests."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LINES = 5


class Shop(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ShopServer

    def answer(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        self.server.asked[f"{self.command} {url.path}"] += 1
        first, _, rest = url.path[1:].partition("/")
        match first:
            case "login":
                known = parse_qs(body.decode()) == {"user": ["me"], "password": ["secret"]}
                self.redirect(303, "/account", "Set-Cookie: session=1; Path=/" if known else "")
            case "account":
                self.say(200 if "session=1" in self.headers.get("Cookie", "") else 403)
            case "logout":
                self.say(200, b"bye", "Set-Cookie: session=; Path=/; Max-Age=0")
            case "redirect":
                self.redirect(302, f"/redirect/{int(rest) - 1}" if int(rest) > 1 else "/found")
            case "kept":
                self.redirect(307, "/echo")
            case "loop":
                self.redirect(302, "/loop")
            case "away":
                self.redirect(302, f"{self.server.other}/found")
            case "status":
                self.say(int(rest))
            case "echo":
                self.say(200, f"{self.command} ".encode() + body)
            case "upload":
                self.say(200 if b'filename="a.txt"' in body and b"content of a" in body else 400)
            case "json":
                self.say(200, json.dumps({"got": json.loads(body or b"{}")}).encode())
            case "cookies":
                self.say(200, "; ".join(sorted(self.headers.get("Cookie", "").split("; "))).encode())
            case "fields":
                self.say(200, self.headers.get("X-Own", "none").encode())
            case "private":
                self.say(200 if self.headers.get("Authorization") == "Basic bWU6c2VjcmV0" else 401)
            case "lines":
                self.stream()
            case "silent":
                self.close_connection = True
            case "slow":
                self.server.over.wait(10)
                self.close_connection = True
            case _:
                self.say(200, url.path.encode() + b"?" + url.query.encode())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def say(self, status: int, body: bytes = b"hello", *fields: str) -> None:
        self.send_response(status)
        for field in fields:
            name, value = field.split(": ", 1)
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(body)

    def redirect(self, status: int, location: str, field: str = "") -> None:
        self.say(status, b"", f"Location: {location}", *filter(None, [field]))

    def stream(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(LINES):
            self.wfile.write(b"7\r\nline %d\n\r\n" % number)
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        pass


class ShopServer(ThreadingHTTPServer):
    """asked: how often each method and path was asked for. accepted: connections.

    other: the origin of another shop. over: the test is.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Shop)
        self.asked: Counter[str] = Counter()
        self.accepted = 0
        self.other = ""
        self.over = threading.Event()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.accepted += 1
        super().process_request(request, client_address)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def shops() -> Iterator[tuple[ShopServer, ShopServer]]:
    """Two shops, the first of which knows the second."""
    one, two = ShopServer(), ShopServer()
    one.other = two.url
    threads = [threading.Thread(target=shop.serve_forever, args=(0.05,)) for shop in (one, two)]
    for thread in threads:
        thread.start()
    try:
        yield one, two
    finally:
        for shop, thread in zip((one, two), threads, strict=True):
            shop.over.set()
            shop.shutdown()
            thread.join()
            shop.server_close()
