"""Servers that break WebSocket or HTTP/2 on purpose: each way has its own error kind, the client says why it closes.

One run meets many of them: every other connection is a good one, so that the load goes on between.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hyperframe.frame import (
    AltSvcFrame,
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from loadgen.drive.block import BlockRunner
from loadgen.drive.engine import Engine
from loadgen.drive.schedule import blocks
from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import TargetError
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.records import COLUMNS
from loadgen.model.target import parse_target
from loadgen.wire.route import Route
from tests.support.fake_network import FakeSink
from tests.support.processes import loadgen, read_request, scripted_server
from tests.support.upgrade_servers import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Http2Side,
    WebSocketSide,
    http2_script,
    random_mask,
    switching,
    ws_frame,
)

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
LIMIT_BYTES = 2000
TIMEOUT = "400ms"


@dataclass(frozen=True, slots=True)
class Bad:
    """One way to be bad: what the server does, the kind that its client counts, and the code it closes with.

    request_index: which of the connection's requests fails.
    code: of the Close frame or the GOAWAY, None where none can come.
    stays: the connection serves its other requests; reset: the code of the RST_STREAM that the client says then.
    """

    does: Callable[[Any], None]
    kind: ErrorKind
    code: int | None = None
    request_index: int = 0
    stays: bool = False
    reset: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request that failed."""

    name: str
    request_index: int
    kind: ErrorKind


class Meeting:
    """A run against all of `bad`, one connection after another, good ones between."""

    def __init__(
        self, folder: Path, bad: Mapping[str, Bad], policy: str, script: Callable[..., Any], *arguments: str,
        block: str = "1500ms",
    ) -> None:  # fmt: skip
        names = list(bad)
        self.sides: dict[str, list[Any]] = {name: [] for name in ("good", *names)}
        lock = threading.Lock()

        def serve(connection: socket.socket, number: int) -> None:
            name = names[number // 2 % len(names)] if number % 2 else "good"
            side = script(connection, bad[name].does if name != "good" else None)
            with lock:
                self.sides[name].append(side)

        with scripted_server(serve) as port:
            self.done = loadgen(
                *("compare", f"http://127.0.0.1:{port}/", "--policies", policy, "--users", "1", "--rounds", "1"),
                *("--block", block, "--warmup", "20ms", "--timeout", TIMEOUT, "--max-body", f"{LIMIT_BYTES}"),
                *("--out", str(folder), "--json", "--no-charts", *arguments),
            )
        assert self.done.returncode == 0, self.done.stderr
        self.summary = json.loads(self.done.stdout)
        self.one = next(iter(self.summary["policies"].values()))
        with np.load(folder / "samples.npz") as samples:
            self.columns = {name: samples[name] for name in COLUMNS if name in samples}
        rows = zip(*(self.columns[name].tolist() for name in ("connection", "nth_on_connection", "error")), strict=True)
        self.outcomes: list[Outcome] = []
        self.answered: dict[str, set[int]] = {name: set() for name in self.sides}
        for number, request_index, error in rows:
            name = names[number // 2 % len(names)] if number % 2 else "good"
            if error < 0:
                self.answered[name].add(request_index)
            else:
                self.outcomes.append(Outcome(name, request_index, ErrorKind(error)))

    def check(self, bad: Mapping[str, Bad]) -> None:
        """Each is met, counted as its own kind, and the sums hold; no good connection failed."""
        found: dict[str, Counter[tuple[str, int]]] = {}
        for one in self.outcomes:
            found.setdefault(one.name, Counter())[(one.kind.label, one.request_index)] += 1
        met = {name: set(kinds) for name, kinds in found.items()}
        assert met == {name: {(one.kind.label, one.request_index)} for name, one in bad.items()}
        for name, one in bad.items():
            assert (self.answered[name] >= {1, 2}) == one.stays, name
        one = self.one
        assert one["started"] == one["requests"] + sum(one["errors"].values()) + one["unfinished"]
        assert one["requests"] > len(bad)
        self.check_phases()

    def check_phases(self) -> None:
        """No phase is negative."""
        for phase in ("queue", "dns", "connect", "tls", "upgrade", "send", "wait", "receive"):
            assert self.columns[phase].min() >= -1, phase


# WebSocket


def websocket_script(connection: socket.socket, does: Callable[[WebSocketSide], None] | None) -> WebSocketSide:
    """A good server echoes; a bad one does what it does, then hears the client out."""
    side = WebSocketSide(connection)
    try:
        if does is None:
            shake(side)
            echo(side)
        else:
            does(side)
            side.listen()
    except OSError:
        pass
    return side


def shake(side: WebSocketSide, more: bytes = b"") -> None:
    side.say(switching(read_request(side.connection)) + more)


def echo(side: WebSocketSide, most: int = 1 << 30) -> None:
    for _ in range(most):
        side.say(ws_frame(TEXT, side.message()))


def refuses(answer: bytes) -> Callable[[WebSocketSide], None]:
    def does(side: WebSocketSide) -> None:
        read_request(side.connection)
        side.say(answer)

    return does


def says(*pieces: bytes, shakes: bool = True) -> Callable[[WebSocketSide], None]:
    """Instead of an echo."""

    def does(side: WebSocketSide) -> None:
        shake(side)
        side.message()
        for piece in pieces:
            side.say(piece)

    return does


def ends(before: bytes = b"", echoes: int = 0, reset: bool = False) -> Callable[[WebSocketSide], None]:
    """Says `before` to a message behind `echoes` good ones, and is gone."""

    def does(side: WebSocketSide) -> None:
        shake(side)
        echo(side, echoes)
        side.message()
        side.say(before)
        if reset:
            side.reset()
        raise ConnectionAbortedError

    return does


def no_answer(side: WebSocketSide) -> None:
    read_request(side.connection)


def hangs_up(side: WebSocketSide) -> None:
    read_request(side.connection)
    raise ConnectionAbortedError


def wrong_accept(side: WebSocketSide) -> None:
    request = read_request(side.connection)
    side.say(switching(request.replace(b"Sec-WebSocket-Key: ", b"Sec-WebSocket-Key: x")))


def switches(protocol: bytes = b"websocket", more: bytes = b"") -> Callable[[WebSocketSide], None]:
    return lambda side: side.say(switching(read_request(side.connection), protocol, more))


def refusal(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nno".encode()


K = ErrorKind
WEBSOCKETS = {
    "wrong accept": Bad(wrong_accept, K.WEBSOCKET_WRONG_ACCEPT),
    "no accept": Bad(
        refuses(b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"), K.WEBSOCKET_WRONG_ACCEPT
    ),
    "other protocol": Bad(switches(b"h2c"), K.UPGRADE_WRONG_PROTOCOL),
    "no protocol": Bad(refuses(b"HTTP/1.1 101 X\r\n\r\n"), K.UPGRADE_WRONG_PROTOCOL),
    "foreign subprotocol": Bad(switches(more=b"Sec-WebSocket-Protocol: mqtt\r\n"), K.UPGRADE_WRONG_PROTOCOL),
    "foreign extension": Bad(
        switches(more=b"Sec-WebSocket-Extensions: permessage-deflate\r\n"), K.UPGRADE_WRONG_PROTOCOL
    ),
    "403": Bad(refuses(refusal("403 Forbidden")), K.UPGRADE_REFUSED),
    "426": Bad(refuses(refusal("426 Upgrade Required")), K.UPGRADE_REFUSED),
    "200": Bad(refuses(refusal("200 OK")), K.UPGRADE_REFUSED),
    "426 without an end": Bad(refuses(b"HTTP/1.1 426 Upgrade Required\r\n\r\nno"), K.UPGRADE_REFUSED),
    "404 of HTTP/1.0": Bad(refuses(b"HTTP/1.0 404 Not Found\r\nContent-Length: 9000000\r\n\r\n"), K.UPGRADE_REFUSED),
    "interim without end": Bad(refuses(b"HTTP/1.1 100 Continue\r\n\r\n" * 200), K.UPGRADE_REFUSED),
    "garbage head": Bad(refuses(b"hello\r\n\r\n"), K.NOT_HTTP),
    "endless head": Bad(refuses(b"HTTP/1.1 101 X\r\n" + b"X: y\r\n" * 20_000), K.HEAD_TOO_LARGE),
    "never answered": Bad(no_answer, K.UPGRADE_TIMEOUT),
    "hangs up": Bad(hangs_up, K.CLOSED_WITHOUT_RESPONSE),
    "masked": Bad(says(ws_frame(TEXT, b"loadg", mask=random_mask())), K.WEBSOCKET_MASKED, 1002),
    "reserved bit": Bad(says(ws_frame(TEXT, b"loadg", reserved=4)), K.WEBSOCKET_PROTOCOL, 1002),
    "reserved opcode": Bad(says(ws_frame(3, b"loadg")), K.WEBSOCKET_PROTOCOL, 1002),
    "reserved control": Bad(says(ws_frame(11, b"loadg")), K.WEBSOCKET_PROTOCOL, 1002),
    "long ping": Bad(says(ws_frame(PING, b"x" * 126)), K.WEBSOCKET_PROTOCOL, 1002),
    "ping in pieces": Bad(says(ws_frame(PING, b"x", fin=False)), K.WEBSOCKET_PROTOCOL, 1002),
    "end of nothing": Bad(says(ws_frame(0, b"loadg")), K.WEBSOCKET_PROTOCOL, 1002),
    "message in message": Bad(
        says(ws_frame(TEXT, b"lo", fin=False), ws_frame(TEXT, b"adg")), K.WEBSOCKET_PROTOCOL, 1002
    ),
    "close of one byte": Bad(says(ws_frame(CLOSE, b"x")), K.WEBSOCKET_PROTOCOL, 1002),
    "close with 1005": Bad(says(ws_frame(CLOSE, b"\x03\xed")), K.WEBSOCKET_PROTOCOL, 1002),
    "close not UTF-8": Bad(says(ws_frame(CLOSE, b"\x03\xe8\xff")), K.WEBSOCKET_INVALID_UTF8, 1007),
    "text not UTF-8": Bad(says(ws_frame(TEXT, b"\xc3(")), K.WEBSOCKET_INVALID_UTF8, 1007),
    "cut character": Bad(says(ws_frame(TEXT, b"a\xc3", fin=False), ws_frame(0, b"")), K.WEBSOCKET_INVALID_UTF8, 1007),
    "long frame": Bad(says(ws_frame(BINARY, bytes(LIMIT_BYTES + 1))), K.WEBSOCKET_TOO_LARGE, 1009),
    "long fragments": Bad(
        says(*[ws_frame(BINARY if at == 0 else 0, bytes(700), fin=False) for at in range(3)]),
        K.WEBSOCKET_TOO_LARGE,
        1009,
    ),
    "masked behind the head": Bad(
        lambda side: shake(side, ws_frame(TEXT, b"x", mask=random_mask())), K.WEBSOCKET_MASKED, 1002
    ),
    "closes": Bad(says(ws_frame(CLOSE, b"\x03\xf3no time")), K.WEBSOCKET_CLOSED, 1011),
    "closes without a code": Bad(says(ws_frame(CLOSE)), K.WEBSOCKET_CLOSED, 0),
    "closes behind the head": Bad(lambda side: shake(side, ws_frame(CLOSE, b"\x03\xf4")), K.WEBSOCKET_CLOSED, 1012),
    "closes in mid-message": Bad(
        says(ws_frame(TEXT, b"lo", fin=False), ws_frame(CLOSE, b"\x03\xe9")), K.WEBSOCKET_CLOSED, 1002
    ),
    "half a message": Bad(says(ws_frame(TEXT, b"lo", fin=False)), K.RESPONSE_TIMEOUT, 1000),
    "no message": Bad(says(), K.RESPONSE_TIMEOUT, 1000),
    "FIN in mid-message": Bad(ends(ws_frame(TEXT, b"loadg")[:4]), K.TRUNCATED),
    "RST in mid-message": Bad(ends(ws_frame(TEXT, b"lo", fin=False), reset=True), K.TRUNCATED),
    "FIN instead": Bad(ends(), K.CLOSED_WITHOUT_RESPONSE),
    "FIN after a message": Bad(ends(echoes=1), K.STALE_CONNECTION, request_index=1),
    "RST after two messages": Bad(ends(echoes=2, reset=True), K.STALE_CONNECTION, request_index=2),
}


# HTTP/2


def before(*pieces: bytes) -> Callable[[Http2Side], None]:
    """Says that instead of its SETTINGS, once the client has asked for something."""

    def does(side: Http2Side) -> None:
        next(side.streams())
        for piece in pieces:
            side.say(piece)

    return does


def instead(*frames: Frame, answers: int = 0) -> Callable[[Http2Side], None]:
    """Says these frames instead of the answer behind `answers` good ones; their stream is made that of the request."""

    def does(side: Http2Side) -> None:
        side.settings()
        for at, number in enumerate(side.streams()):
            if at != answers:
                side.answer(number)
                continue
            for frame in frames:
                if frame.stream_id:
                    frame.stream_id = number
            side.say_frames(*frames)

    return does


def with_fields(*fields: tuple[str, str], body: bytes = b"hello") -> Callable[[Http2Side], None]:
    """Answers the first request so, and leaves its stream open unless it said how long the content is."""

    def does(side: Http2Side) -> None:
        side.settings()
        flags = ["END_STREAM"] if any(name == "content-length" for name, _ in fields) else []
        for at, number in enumerate(side.streams()):
            if at:
                side.answer(number)
            else:
                side.say_frames(side.head(number, *fields), DataFrame(number, body, flags=flags))

    return does


def h2_ends(*frames: Frame, answers: int = 0, reset: bool = False) -> Callable[[Http2Side], None]:
    def does(side: Http2Side) -> None:
        side.settings()
        for at, number in enumerate(side.streams()):
            if at == answers:
                for frame in frames:
                    frame.stream_id = number
                side.say_frames(*frames)
                if reset:
                    side.reset()
                raise ConnectionAbortedError
            side.answer(number)

    return does


def never_acknowledges(side: Http2Side) -> None:
    side.settings(acknowledge=False)
    for number in side.streams():
        side.answer(number)


def endless_head(side: Http2Side) -> None:
    side.settings()
    number = next(side.streams())
    side.say_frames(HeadersFrame(number, b"\x88"))
    side.say_frames(*[ContinuationFrame(number, b"\x0f\x00\x01x" * 4000) for _ in range(80)])


STATUS = b"\x88"  # :status 200
LAST = "END_HEADERS"
HEAD = HeadersFrame(1, STATUS, flags=[LAST])
FRAMES = SettingsFrame(0).serialize()
HTTP2S = {
    "HTTP/1.1": Bad(before(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"), K.HTTP2_PROTOCOL, 1),
    "HTTP/1.1 in pieces": Bad(before(b"HTTP", b"/1.1 400 Bad Request\r\n\r\n"), K.HTTP2_PROTOCOL, 1),
    "garbage": Bad(before(b"hello, who is there? " * 9), K.HTTP2_PROTOCOL, 1),
    "no SETTINGS first": Bad(
        before(HeadersFrame(1, STATUS, flags=[LAST, "END_STREAM"]).serialize()), K.HTTP2_PROTOCOL, 1
    ),
    "only an acknowledgement": Bad(before(SettingsFrame(0, flags=["ACK"]).serialize()), K.HTTP2_PROTOCOL, 1),
    "settings storm": Bad(before(SettingsFrame(0, {3: 100}).serialize() * 3000), K.HTTP2_FLOOD, 11),
    "ping storm": Bad(before(FRAMES + PingFrame(0, b"x" * 8).serialize() * 3000), K.HTTP2_FLOOD, 11),
    "window storm": Bad(before(FRAMES + WindowUpdateFrame(0, 1).serialize() * 3000), K.HTTP2_FLOOD, 11),
    "empty data storm": Bad(instead(HEAD, *[DataFrame(1) for _ in range(3000)]), K.HTTP2_FLOOD, 11),
    "never answers": Bad(lambda side: next(side.streams()), K.HTTP2_SETTINGS_TIMEOUT, 4),
    "never answers a stream": Bad(instead(), K.RESPONSE_TIMEOUT, stays=True, reset=8),
    "half an answer": Bad(instead(HEAD), K.RESPONSE_TIMEOUT, stays=True, reset=8),
    "reset": Bad(instead(RstStreamFrame(1, 2)), K.HTTP2_RESET, stays=True),
    "reset twice": Bad(instead(RstStreamFrame(1, 2), RstStreamFrame(1, 2)), K.HTTP2_RESET, stays=True),
    "refused stream": Bad(instead(RstStreamFrame(1, 7)), K.HTTP2_REFUSED_STREAM, stays=True),
    "unknown error": Bad(instead(RstStreamFrame(1, 0xBAD)), K.HTTP2_RESET, stays=True),
    "goaway": Bad(instead(GoAwayFrame(0, 0, 0)), K.HTTP2_GOAWAY),
    "goaway with an error": Bad(instead(GoAwayFrame(0, 0, 11, b"calm")), K.HTTP2_GOAWAY),
    "goaway after an answer": Bad(instead(GoAwayFrame(0, 1, 0), answers=1), K.HTTP2_GOAWAY, request_index=1),
    "upper case": Bad(with_fields((":status", "200"), ("Server", "x")), K.HTTP2_PROTOCOL, stays=True, reset=1),
    "connection": Bad(with_fields((":status", "200"), ("connection", "close")), K.HTTP2_PROTOCOL, stays=True, reset=1),
    "no status": Bad(with_fields(("server", "x")), K.HTTP2_PROTOCOL, stays=True, reset=1),
    "two statuses": Bad(with_fields((":status", "200"), (":status", "200")), K.HTTP2_PROTOCOL, stays=True, reset=1),
    "status behind": Bad(with_fields(("server", "x"), (":status", "200")), K.HTTP2_PROTOCOL, stays=True, reset=1),
    "status 000": Bad(with_fields((":status", "000")), K.HTTP2_PROTOCOL, stays=True, reset=1),
    "status of four digits": Bad(with_fields((":status", "2000")), K.HTTP2_PROTOCOL, stays=True, reset=1),
    "request's pseudo-field": Bad(
        with_fields((":status", "200"), (":path", "/")), K.HTTP2_PROTOCOL, stays=True, reset=1
    ),
    "line break": Bad(with_fields((":status", "200"), ("server", "x\ny")), K.HTTP2_PROTOCOL, stays=True, reset=1),
    "long body": Bad(
        with_fields((":status", "200"), body=bytes(LIMIT_BYTES + 1)), K.BODY_TOO_LARGE, stays=True, reset=8
    ),
    "too short": Bad(with_fields((":status", "200"), ("content-length", "9")), K.HTTP2_PROTOCOL, 1),
    "too long": Bad(with_fields((":status", "200"), ("content-length", "2")), K.HTTP2_PROTOCOL, 1),
    "no number": Bad(with_fields((":status", "200"), ("content-length", "x")), K.HTTP2_PROTOCOL, 1),
    "data first": Bad(instead(DataFrame(1, b"hello", flags=["END_STREAM"])), K.HTTP2_PROTOCOL, 1),
    "bad block": Bad(
        instead(HeadersFrame(1, b"\xff\xff\xff\xff\xff\xff", flags=[LAST, "END_STREAM"])), K.HTTP2_PROTOCOL, 9
    ),
    "unfinished block": Bad(instead(HeadersFrame(1, STATUS), DataFrame(1)), K.HTTP2_PROTOCOL, 1),
    "endless head": Bad(endless_head, K.HTTP2_PROTOCOL, 1),
    "long frame": Bad(instead(HEAD, DataFrame(1, bytes(20_000))), K.HTTP2_PROTOCOL, 6),
    "push": Bad(instead(PushPromiseFrame(1, 2, STATUS, flags=[LAST])), K.HTTP2_PROTOCOL, 1),
    "connection's window": Bad(instead(WindowUpdateFrame(0, 0x7FFF_FFFF)), K.HTTP2_PROTOCOL, 3),
    "bad setting": Bad(before(b"\0\0\6\4\0\0\0\0\0\0\2\0\0\0\7"), K.HTTP2_PROTOCOL, 1),
    "FIN": Bad(h2_ends(), K.CLOSED_WITHOUT_RESPONSE),
    "FIN in mid-answer": Bad(h2_ends(HEAD), K.TRUNCATED),
    "RST in mid-answer": Bad(h2_ends(HEAD, reset=True), K.TRUNCATED),
    "FIN after an answer": Bad(h2_ends(answers=1), K.STALE_CONNECTION, request_index=1),
    "RST after two answers": Bad(h2_ends(answers=2, reset=True), K.STALE_CONNECTION, request_index=2),
}


def unacknowledged(side: Http2Side) -> None:
    side.settings(acknowledge=False)
    for number in side.streams():
        side.answer(number)


def run(
    script: Callable[[socket.socket, int], None], folder: Path, policies: str, *arguments: str, users: int = 1
) -> dict[str, Any]:
    """A short run against a scripted server; gives its summary."""
    with scripted_server(script) as port:
        done = loadgen(
            *("compare", f"http://127.0.0.1:{port}/", "--policies", policies, "--users", f"{users}", "--rounds", "1"),
            *("--block", "600ms", "--warmup", "20ms", "--out", str(folder / "run"), "--json", "--no-charts"),
            *arguments,
        )
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    for one in summary["policies"].values():
        assert one["started"] == one["requests"] + sum(one["errors"].values()) + one["unfinished"]
    return summary


def rows(folder: Path) -> list[dict[str, int]]:
    """The samples of a run, in the order of their connections and of the requests on each."""
    with np.load(folder / "run" / "samples.npz") as samples:
        columns = {name: samples[name].tolist() for name in COLUMNS if name in samples}
    found = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return sorted(found, key=lambda row: (row["connection"], row["nth_on_connection"]))


def test_settings_that_are_never_acknowledged(tmp_path: Path) -> None:
    """Answers alone don't keep a connection; a request under way when the time is over fails with it."""

    def script(connection: socket.socket, _number: int) -> None:
        http2_script(connection, unacknowledged)

    summary = run(script, tmp_path, "h2-prior", "--timeout", "150ms", "--think", "5ms")
    one = summary["policies"]["h2-prior"]
    assert set(one["errors"]) == {"http2_settings_timeout"}
    assert 0 < one["errors"]["http2_settings_timeout"] <= one["connections"]["opened"] < one["requests"]


def test_goaway_in_mid_flight(tmp_path: Path) -> None:
    """Streams up to the last one named are still answered, the others were not processed; nothing follows them."""
    reached: list[int] = []

    def script(connection: socket.socket, number: int) -> None:
        side = Http2Side(connection)
        side.settings()
        asked: list[int] = []
        for stream in side.streams():
            if number == 0:  # the preflight's
                side.answer(stream)
                if stream >= 15:
                    return
                continue
            asked.append(stream)
            if len(asked) == 6:
                side.say_frames(GoAwayFrame(0, asked[2]))
                for answered in reversed(asked[:3]):
                    side.answer(answered)
            reached.append(len(asked))

    summary = run(script, tmp_path, "h2-prior+streams:6", "--timeout", "400ms")
    one = summary["policies"]["h2-prior+streams:6"]
    assert max(reached) == 6
    by_connection: dict[int, list[tuple[int, int]]] = {}
    for row in rows(tmp_path):
        by_connection.setdefault(row["connection"], []).append((row["status"], row["error"]))
    goaway = (-1, ErrorKind.HTTP2_GOAWAY)
    ended = [outcomes for number, outcomes in by_connection.items() if number > 0]
    assert len(ended) > 5
    assert all(outcomes == [(200, -1)] * 3 + [goaway] * 3 for outcomes in ended[1:-1])
    assert one["connections"]["endings"]["server_announced"] >= len(ended) - 1


def test_a_stream_that_never_ends(tmp_path: Path) -> None:
    """It fails alone when its time is over; the others go on meanwhile, on the same connection."""
    sides: list[Http2Side] = []
    bad: list[int] = []

    def script(connection: socket.socket, _number: int) -> None:
        side = Http2Side(connection)
        sides.append(side)
        side.settings()
        begun = time.monotonic()
        for stream in side.streams():
            if not bad and time.monotonic() - begun > 0.3:  # in the counted window
                bad.append(stream)
                side.say_frames(side.head(stream), DataFrame(stream, b"he"))
            elif len(bad) == 1:
                bad.append(stream)
            else:
                side.answer(stream)

    summary = run(script, tmp_path, "h2-prior+streams:4", "--timeout", "300ms")
    one = summary["policies"]["h2-prior+streams:4"]
    assert one["errors"] == {"response_timeout": 2}
    assert one["connections"]["opened"] == len(sides) == 1
    assert sides[0].resets == dict.fromkeys(bad, 8)
    lost = [row for row in rows(tmp_path) if row["error"] == ErrorKind.RESPONSE_TIMEOUT]
    assert [row["nth_on_connection"] for row in lost] == [(stream - 1) // 2 for stream in bad]
    assert [row["receive"] >= 0 for row in lost] == [True, False]
    last = max(row["nth_on_connection"] for row in rows(tmp_path))
    assert last > lost[1]["nth_on_connection"] + 10


def test_pings_all_the_time(tmp_path: Path) -> None:
    sides: list[Http2Side] = []

    def script(connection: socket.socket, _number: int) -> None:
        side = Http2Side(connection)
        sides.append(side)
        side.settings(max_concurrent_streams=10)
        for stream in side.streams():
            side.say_frames(PingFrame(0, stream.to_bytes(8, "big")), AltSvcFrame(0, b"a", b"b"))
            side.say(b"\0\0\5\xbe\0\0\0\0\0known to nobody"[:14])
            side.answer(stream)

    summary = run(script, tmp_path, "h2-prior+streams:4")
    one = summary["policies"]["h2-prior+streams:4"]
    assert one["errors"] == {}
    (side,) = sides
    assert side.pongs == [number.to_bytes(8, "big") for number in range(1, 2 * len(side.pongs) + 1, 2)]
    assert len(side.pongs) >= one["requests"]


def test_pings_and_messages_that_nobody_asked_for(tmp_path: Path) -> None:
    """A ping is answered also in the middle of a message; a message in the pause is no answer to the next one."""
    sides: list[WebSocketSide] = []

    def script(connection: socket.socket, _number: int) -> None:
        side = WebSocketSide(connection)
        sides.append(side)
        shake(side, ws_frame(TEXT, "Grüß Gott".encode()) + ws_frame(PING, b"first"))
        while True:
            payload = side.message()
            side.say(ws_frame(TEXT, payload[:2], fin=False) + ws_frame(PING, payload) + ws_frame(0, payload[2:]))
            side.say(ws_frame(PONG) + ws_frame(BINARY, b"news"))

    summary = run(script, tmp_path, "websocket", "--think", "2ms", "--data", "hällo")
    one = summary["policies"]["websocket"]
    assert (one["errors"], len(sides)) == ({}, 1)
    assert sides[0].pongs == [b"first", *["hällo".encode()] * (len(sides[0].pongs) - 1)]
    assert len(sides[0].pongs) > one["requests"]


def test_connections_that_end_in_a_pause(tmp_path: Path) -> None:
    """Whatever a server does while nothing is under way costs no request, on either protocol."""

    def websocket(connection: socket.socket, number: int) -> None:
        side = WebSocketSide(connection)
        shake(side)
        echo(side, 1)
        end(side, number, ws_frame(CLOSE, b"\x03\xe9"), ws_frame(3))

    def http2(connection: socket.socket, number: int) -> None:
        side = Http2Side(connection)
        side.settings()
        side.answer(next(side.streams()))
        end(side, number, GoAwayFrame(0, 1).serialize(), DataFrame(9, b"x").serialize())

    def end(side: WebSocketSide | Http2Side, number: int, farewell: bytes, nonsense: bytes) -> None:
        threading.Event().wait(0.01)  # the answer has to be read by itself
        if number % 4 == 0:
            side.say(farewell)
            side.listen()
        elif number % 4 == 1:
            side.say(nonsense)
            side.listen()
        elif number % 4 == 2:
            side.reset()
        else:
            side.connection.shutdown(socket.SHUT_WR)
            side.listen()

    for policy, script in (("websocket", websocket), ("h2-prior", http2)):
        (tmp_path / policy).mkdir()
        summary = run(script, tmp_path / policy, policy, "--think", "40ms", "--block", "900ms", users=2)
        one = summary["policies"][policy]
        assert one["errors"] == {}
        endings = one["connections"]["endings"]
        for label in ("server_announced", "client_gave_up", "server_idle_rst", "server_idle_fin"):
            assert endings[label] > 0, (policy, label, endings)


# h2c: HTTP/2 by an upgrade in clear


H2C_101 = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n"


def h2c_script(connection: socket.socket, does: Callable[[Http2Side], None] | None) -> Http2Side:
    """A good server upgrades and answers; a bad one has read the request that asks for the upgrade."""
    side = Http2Side(connection)
    try:
        assert field_names(read_request(connection)) >= {b"upgrade", b"http2-settings", b"connection"}
        if does is None:
            side.say(H2C_101 % b"h2c")
            side.settings()
            side.answer(1)
            for number in side.streams():
                side.answer(number)
        else:
            does(side)
            side.listen()
    except OSError:
        pass
    return side


def field_names(head: bytes) -> set[bytes]:
    return {line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]}


def sends(data: bytes) -> Callable[[Any], None]:
    return lambda side: side.say(data)


def leaves(data: bytes) -> Callable[[Any], None]:
    def does(side: Http2Side) -> None:
        side.say(data)
        side.connection.shutdown(socket.SHUT_WR)

    return does


def resets_the_first(side: Http2Side) -> None:
    side.say(UPGRADED)
    side.settings()
    side.say_frames(RstStreamFrame(1, 2))
    for number in side.streams():
        side.answer(number)


UPGRADED = H2C_101 % b"h2c"
H2CS = {
    "other protocol": Bad(sends(H2C_101 % b"websocket"), K.UPGRADE_WRONG_PROTOCOL),
    "two protocols": Bad(sends(H2C_101 % b"h2c, websocket"), K.UPGRADE_WRONG_PROTOCOL),
    "no protocol": Bad(sends(b"HTTP/1.1 101 X\r\n\r\n"), K.UPGRADE_WRONG_PROTOCOL),
    "never answered": Bad(sends(b""), K.UPGRADE_TIMEOUT),
    "half a head": Bad(sends(UPGRADED[:40]), K.UPGRADE_TIMEOUT),
    "garbage": Bad(sends(b"hello\r\n\r\n"), K.NOT_HTTP),
    "endless head": Bad(sends(b"HTTP/1.1 101 X\r\n" + b"X: y\r\n" * 20_000), K.HEAD_TOO_LARGE),
    "FIN instead": Bad(leaves(b""), K.CLOSED_WITHOUT_RESPONSE),
    "HTTP/1.1 behind the 101": Bad(sends(UPGRADED + ANSWER), K.HTTP2_PROTOCOL, 1),
    "garbage behind the 101": Bad(sends(UPGRADED + b"hello, world"), K.HTTP2_PROTOCOL, 1),
    "silence behind the 101": Bad(sends(UPGRADED), K.HTTP2_SETTINGS_TIMEOUT, 4),
    "FIN behind the 101": Bad(leaves(UPGRADED), K.CLOSED_WITHOUT_RESPONSE, 0),
    "goaway": Bad(sends(UPGRADED + FRAMES + GoAwayFrame(0, 0).serialize()), K.HTTP2_GOAWAY),
    "reset": Bad(resets_the_first, K.HTTP2_RESET, 0, stays=True),
    "declined, half an answer": Bad(leaves(ANSWER[:-2]), K.TRUNCATED),
    "declined, no answer more": Bad(sends(ANSWER), K.RESPONSE_TIMEOUT, request_index=1),
    "declined, FIN": Bad(leaves(ANSWER), K.STALE_CONNECTION, request_index=1),
}


def test_bad_h2c_servers(tmp_path: Path) -> None:
    meeting = Meeting(tmp_path / "run", H2CS, "h2c-upgrade+recycle:3", h2c_script, block="3000ms")
    meeting.check(H2CS)
    codes = {name: {side.goaway for side in meeting.sides[name]} for name in H2CS}
    assert codes == {name: {one.code} for name, one in H2CS.items()}
    connections = meeting.one["connections"]
    assert connections["upgraded"] > connections["upgrade_declined"] > 0


# What is said of a target whose first request fails


PREFLIGHTS = {
    "websocket": (websocket_script, WEBSOCKETS),
    "h2-prior": (http2_script, HTTP2S),
    "h2c-upgrade": (h2c_script, H2CS),
}
# What only a programmer reads.
NO_WORDS = re.compile(r"<|\[|[a-z]Error\b|object at|None|\bb'|\\x")


@pytest.mark.parametrize("policy", PREFLIGHTS)
def test_each_is_told_in_one_line(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadgen.drive.target_check.PAUSES_S", ())  # each behaviour is met once
    script, table = PREFLIGHTS[policy]
    bad = {name: one for name, one in table.items() if one.request_index == 0}
    names = list(bad)

    def serve(connection: socket.socket, number: int) -> None:
        script(connection, bad[names[number]].does)

    with scripted_server(serve) as port:
        said = {name: preflight(f"http://127.0.0.1:{port}/", policy) for name in names}
    for name, line in said.items():
        assert line.startswith(f"http://127.0.0.1:{port}/: {bad[name].kind.label.replace('_', ' ')}: "), (name, line)
        assert line.isprintable(), (name, line)
        assert not NO_WORDS.search(line), (name, line)


def preflight(url: str, policy: str) -> str:
    """Run the first request alone, as a run does; gives what the run would end with."""
    load = Load(users=1, rounds=1, block_ns=10**9, warmup_ns=0, timeout_ns=150 * 10**6)
    plan = Plan(parse_target(url), parse_policies(policy), load, max_body_bytes=LIMIT_BYTES)
    route = Route.of(plan)
    worker = Engine(plan, route, FakeSink())
    runner = BlockRunner(plan, route, worker, FakeSink(), lambda event: None, monitors_system=False)
    try:
        with pytest.raises(TargetError) as caught:
            runner.run(next(iter(blocks(plan))))
    finally:
        worker.close()
    return str(caught.value)


@pytest.mark.parametrize(("policy", "name"), [("websocket", "403"), ("h2-prior", "HTTP/1.1")])
@pytest.mark.parametrize("passes", [False, True])
def test_a_target_that_is_never_good(tmp_path: Path, policy: str, name: str, passes: bool) -> None:
    """It ends the run with its first request, or else when nothing else came of all the others."""
    script, table = PREFLIGHTS[policy]

    def serve(connection: socket.socket, number: int) -> None:
        script(connection, None if passes and number == 0 else table[name].does)

    with scripted_server(serve) as port:
        done = loadgen(
            *("compare", f"http://127.0.0.1:{port}/", "--policies", f"{policy}+recycle:1", "--users", "2"),
            *(
                "--rounds",
                "2",
                "--block",
                "100ms",
                "--warmup",
                "20ms",
                "--out",
                str(tmp_path / "run"),
                "--json",
                "--no-charts",
            ),
        )
    assert done.returncode == 3
    assert bool(done.stdout) == passes  # its counts of errors, where it made any
    (line,) = done.stderr.splitlines()
    assert line.startswith("loadgen: ")
    assert table[name].kind.label in line.replace(" ", "_")
