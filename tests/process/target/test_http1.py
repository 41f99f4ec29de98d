"""The embedded target's HTTP/1.x: trailer sections, what it tells of a request, request-targets, its options."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadgen.model.target import FIELDS_PATH
from loadgen.target.behaviour import DECLINABLE, Behaviour
from loadgen.target.process import EmbeddedTarget
from loadgen.target.requests import FIELDS, STATS, HeadReader, Request
from loadgen.wire.http1.response_reader import ResponseReader
from tests.support.processes import loadgen
from tests.support.targets import Target

Start = Callable[..., Target]


class Answer:
    """A whole response, read by the wire's own reader."""

    def __init__(self, reader: ResponseReader, body: bytes) -> None:
        assert reader.head is not None
        self.status = reader.head.status
        self.fields = dict(reader.head.headers)
        self.trailers = list(reader.trailers)
        self.body = body


@contextmanager
def connected(target: Target) -> Iterator[Callable[[str], Answer]]:
    """Gives a function that sends a request head, its lines split by `|`, and reads the response."""
    with socket.create_connection(("127.0.0.1", target.port), timeout=20) as sock:

        def ask(lines: str) -> Answer:
            sock.sendall(lines.replace("|", "\r\n").encode() + b"\r\n\r\n")
            reader, parts = ResponseReader(1 << 30), []
            reader.no_body = lines.startswith("HEAD")
            while not reader.feed(sock.recv(65536), parts.append):
                pass
            return Answer(reader, b"".join(parts))

        yield ask


@pytest.mark.parametrize("size", [0, 5, 100_000])
def test_trailers_where_they_are_wanted(share_target: Start, size: int) -> None:
    with connected(share_target()) as ask:
        for request_index in (1, 2):
            answer = ask(f"GET /?size={size} HTTP/1.1|Host: a|TE: deflate;q=0.5, Trailers|Connection: keep-alive, te")
            assert len(answer.body) == size
            assert answer.fields[b"Transfer-Encoding"] == b"chunked"
            assert answer.fields[b"Trailer"] == b"X-Loadgen-Served"
            assert answer.trailers == [(b"X-Loadgen-Served", b"%d" % request_index)]


@pytest.mark.parametrize(
    "lines",
    [
        "GET / HTTP/1.1|Host: a|TE: trailers",  # not named in Connection (RFC 9110 §10.1.4)
        "GET / HTTP/1.1|Host: a|TE: deflate|Connection: TE",
        "GET / HTTP/1.0|TE: trailers|Connection: TE, keep-alive",
        "HEAD / HTTP/1.1|Host: a|TE: trailers|Connection: TE",
    ],
)
def test_no_trailers_where_they_are_not(share_target: Start, lines: str) -> None:
    with connected(share_target()) as ask:
        answer = ask(lines)
        assert answer.fields[b"Content-Length"] == b"5"
        assert b"Trailer" not in answer.fields
        assert answer.body == (b"" if lines.startswith("HEAD") else b"loadg")


def test_trailers_declined(share_target: Start) -> None:
    with connected(share_target("--decline", "trailers")) as ask:
        answer = ask("GET / HTTP/1.1|Host: a|TE: trailers|Connection: TE")
        assert (answer.fields[b"Content-Length"], answer.trailers) == (b"5", [])


@pytest.mark.parametrize(("option", "says"), [("keep-alive", b"keep-alive"), ("close", b"close")])
def test_the_fields_of_a_request(share_target: Start, option: str, says: bytes) -> None:
    target = share_target("--delay", "1m")
    with connected(target) as ask:
        answer = ask(f"GET {FIELDS_PATH}?a=1 HTTP/1.1|Host: a|x-ONE:  1 |x-one: 2|Empty:|Connection: {option}, x-one")
        seen = json.loads(answer.body)
        assert seen.pop("connection") >= 1  # its number
        assert seen == {
            "version": "1.1",
            "target": f"{FIELDS_PATH}?a=1",
            "fields": [
                ["Host", "a"],
                ["x-ONE", "1"],
                ["x-one", "2"],
                ["Empty", ""],
                ["Connection", f"{option}, x-one"],
            ],
        }
        assert answer.fields[b"Connection"] == says + b", X-Loadgen-Hop"
        assert answer.fields[b"X-Loadgen-Hop"] == b"response"
        assert target.stats()["accepted"] == 0, "reading the account is not counted"


@pytest.mark.parametrize("form", ["http://a", "HTTP://a:80", "https://user@[::1]:8443"])
def test_a_target_in_absolute_form(share_target: Start, form: str) -> None:
    """RFC 9112 §3.2.2."""
    target = share_target()
    with connected(target) as ask:
        assert ask(f"GET {form}/?size=7 HTTP/1.1|Host: a").body == b"loadgen"
        assert ask(f"GET {form} HTTP/1.1|Host: a").body == b"loadg"
        assert ask(f"GET {form}?size=7 HTTP/1.1|Host: a").body == b"loadgen"
        accounts = [ask(f"GET {before}/.loadgen/stats HTTP/1.1|Host: a").body for before in (form, "")]
        assert accounts[0] == accounts[1]
        assert (target.stats()["accepted"], target.stats()["requests"]) == (1, 3)
        assert json.loads(ask(f"GET {form}{FIELDS_PATH} HTTP/1.1|Host: a").body)["target"] == form + FIELDS_PATH


def test_head_of_the_targets_own_pages(share_target: Start) -> None:
    with connected(share_target()) as ask:
        for path in (FIELDS_PATH, "/.loadgen/stats"):
            answer = ask(f"HEAD {path} HTTP/1.1|Host: a")
            assert answer.body == b""
            assert int(answer.fields[b"Content-Length"]) > 0


def test_the_account(share_target: Start) -> None:
    target = share_target()
    with connected(target) as ask:
        ask("GET / HTTP/1.1|Host: a")
        ask("GET / HTTP/1.1|Host: a")
        assert target.stats() == {
            "accepted": 1,
            "open": 1,
            "requests": 2,
            "requests_per_connection": {"2": 1},
            "protocols": {"http/1.1": 1, "h2": 0, "h2c": 0, "websocket": 0},
        }


def test_a_post_that_begins_like_the_http2_preface(share_target: Start) -> None:
    with socket.create_connection(("127.0.0.1", share_target().port), timeout=20) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc":
            sock.sendall(bytes([byte]))
        assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_what_is_not_quite_the_http2_preface(share_target: Start) -> None:
    with socket.create_connection(("127.0.0.1", share_target().port), timeout=20) as sock:
        sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSX")
        assert sock.recv(65536).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("decline", ["websockets", "h2c,x", ","])
def test_an_unknown_word_is_one_line(decline: str) -> None:
    done = loadgen("target", "--port", "0", "--decline", decline)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "--decline" in done.stderr
    if decline != ",":
        assert all(word in done.stderr for word in DECLINABLE)


def test_no_streams_at_all_is_one_line() -> None:
    done = loadgen("target", "--port", "0", "--max-streams", "0")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "--max-streams" in done.stderr


def test_a_behaviour_declines_only_what_there_is() -> None:
    with pytest.raises(ValueError, match="gopher"):
        Behaviour(declines=frozenset({"h2", "gopher"}))


def test_an_embedded_target_takes_options(tmp_path: Path) -> None:
    embedded = EmbeddedTarget(False, tmp_path, ("--size", "11", "--decline", "trailers"))
    try:
        with connected(Target(embedded.url, None)) as ask:
            assert ask("GET / HTTP/1.1|Host: a|TE: trailers|Connection: TE").body == b"loadgen loa"
    finally:
        embedded.stop()


HEADS = (
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\r\nPOST /?size=3 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nGET ",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://a/.loadgen/stats?x HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n",
    b"GET /.loadgen/fields HTTP/1.1\r\nHost: a\r\nUpgrade: h2c,,Websocket\r\nUPGRADE: x\r\nConnection: upgrade\r\n\r\n",
)


def taken(pieces: list[bytes]) -> list[Request]:
    reader, found = HeadReader(1 << 20), []
    for piece in pieces:
        reader.feed(piece)
        while (request := reader.take()) is not None:
            found.append(request)
    return found


def test_requests_are_the_same_however_they_arrive() -> None:
    whole = taken(list(HEADS))
    assert taken([b"".join(HEADS)]) == whole
    assert taken([bytes([byte]) for byte in b"".join(HEADS)]) == whole
    assert [request.simple for request in whole] == [True, True, True, True, False, False]
    assert whole[2].size_bytes == 3
    assert (whole[4].resource, whole[4].trailers, whole[5].resource) == (STATS, True, FIELDS)
    assert whole[5].upgrade == (b"h2c", b"websocket", b"x")


def test_what_follows_a_request_can_be_taken_away() -> None:
    reader = HeadReader(1 << 20)
    reader.feed(HEADS[0] + b"something else")
    assert reader.take() is not None
    assert reader.rest() == b"something else"
    assert reader.take() is None
