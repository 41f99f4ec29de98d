"""The WebSocket client against the library websockets as its server, fed by hand: whatever the fragments, the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from loadgen.model.errors import ErrorKind
from loadgen.model.leniency import Leniency
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.head import HeadTooLarge, Malformed
from loadgen.wire.websocket.message import Message
from loadgen.wire.websocket.protocol import WebSocketProtocol
from tests.support.cuts import Cut, either_way, whole
from tests.support.upgrade_servers import BINARY, CLOSE, PING, PONG, TEXT, random_mask, switching, ws_frame

LIMIT_BYTES = 4 << 20
HOST = ("Host", "h")


def text(payload: str, *headers: tuple[str, str]) -> Message:
    return Message(payload.encode(), True, "/chat?room=1", (HOST, *headers))


HELLO = text("hello")


class Pair:
    """A client and its server, bytes carried by hand; cut: how those of the server's come."""

    def __init__(self, cut: Cut = whole, message: Message = HELLO, chosen: str | None = None) -> None:
        self.cut = cut
        self.client = WebSocketProtocol(message, LIMIT_BYTES)
        self.server = ServerProtocol(subprotocols=[chosen] if chosen else None, max_size=None)  # type: ignore[list-item]
        self.server.receive_data(self.client.handshake(message))
        (request,) = self.server.events_received()
        assert isinstance(request, Request)
        self.request = request
        self.server.send_response(self.server.accept(request))

    def opened(self) -> Pair:
        assert self.upgrade(self.say())
        return self

    def upgrade(self, data: bytes) -> bool:
        done = False
        for piece in self.cut(data):
            assert not done
            done = self.client.upgrade(piece)
        return done

    def say(self) -> bytes:
        return b"".join(self.server.data_to_send())

    def feed(self, data: bytes) -> int:
        """How many messages are complete after `data`."""
        return sum(self.client.feed(piece) for piece in self.cut(data))

    def exchange(self, message: Message, *frames: bytes) -> bool:
        """Send a message, let the server say these frames; whether it is answered."""
        self.send(message)
        return self.feed(b"".join(frames)) == 1

    def send(self, message: Message) -> Frame:
        self.server.receive_data(self.client.frame(message))
        (frame,) = [
            one for one in self.server.events_received() if isinstance(one, Frame) and one.opcode is not Opcode.PONG
        ]
        return frame

    def heard(self) -> list[tuple[Opcode, bytes]]:
        """What the client had to say by itself."""
        self.server.receive_data(self.client.take())
        return [(one.opcode, bytes(one.data)) for one in self.server.events_received() if isinstance(one, Frame)]


# The upgrade


@either_way
def test_the_upgrade(cut: Cut) -> None:
    pair = Pair(cut)
    assert (pair.request.path, pair.request.headers["Host"]) == ("/chat?room=1", "h")
    pair.opened()
    assert (pair.client.open, pair.client.closed, pair.client.subprotocol) == (True, None, None)
    head = pair.client.head
    assert head is not None
    assert (head.status, head.persists, head.sets_cookies) == (101, True, False)
    assert pair.server.state is State.OPEN


def test_each_connection_has_its_own_key() -> None:
    keys = {Pair().request.headers["Sec-WebSocket-Key"] for _ in range(5)}
    assert len(keys) == 5


@either_way
def test_interim_responses_come_before(cut: Cut) -> None:
    pair = Pair(cut)
    assert pair.upgrade(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 3 + pair.say())
    assert pair.client.head is not None
    assert pair.client.head.status == 101


@either_way
def test_a_head_that_is_not_to_the_letter_upgrades_too(cut: Cut) -> None:
    """As anywhere else: the library behind it, which knows no leniency, gets a head in order."""
    pair = Pair(cut)
    odd = b"\r\n" + pair.say().replace(b"\r\n", b"\n").replace(b"Upgrade: ", b"X: a\x01\n b\nUpgrade:\n ")
    assert pair.upgrade(odd)
    assert pair.client.head is not None
    assert pair.client.head.notes == Leniency.BARE_LF | Leniency.OBS_FOLD | Leniency.CONTROL_CHARACTER


def test_cookies_and_fields_go_along_and_come_back() -> None:
    pair = Pair(message=text("x", ("Cookie", "a=1"), ("X-Own", "y")))
    assert (pair.request.headers["Cookie"], pair.request.headers["X-Own"]) == ("a=1", "y")
    assert pair.upgrade(pair.say().replace(b"\r\n\r\n", b"\r\nSet-Cookie: b=2\r\n\r\n"))
    assert pair.client.head is not None
    assert pair.client.head.sets_cookies


@either_way
def test_a_subprotocol_is_chosen(cut: Cut) -> None:
    pair = Pair(cut, text("x", ("Sec-WebSocket-Protocol", "chat, superchat")), "superchat").opened()
    assert pair.request.headers["Sec-WebSocket-Protocol"] == "chat, superchat"
    assert pair.client.subprotocol == "superchat"


def head(*lines: str, accept: bool = True) -> Callable[[bytes], bytes]:
    def made(hello: bytes) -> bytes:
        found = switching(hello)
        if not accept:
            found = found.replace(b"Sec-WebSocket-Accept: ", b"Sec-WebSocket-Accept: x")
        return found.replace(b"\r\n\r\n", "".join(f"\r\n{line}" for line in lines).encode() + b"\r\n\r\n")

    return made


def status(line: str, rest: str = "") -> Callable[[bytes], bytes]:
    return lambda _hello: f"HTTP/1.1 {line}\r\n{rest}\r\n".encode()


REFUSALS: dict[str, tuple[Callable[[bytes], bytes], ErrorKind, str]] = {
    "wrong accept": (head(accept=False), ErrorKind.WEBSOCKET_WRONG_ACCEPT, "does not answer our key"),
    "other protocol": (
        lambda hello: switching(hello, b"h2c"), ErrorKind.UPGRADE_WRONG_PROTOCOL, "101, but its field Upgrade is 'h2c'",
    ),
    "no protocol": (
        status("101 Switching Protocols"), ErrorKind.UPGRADE_WRONG_PROTOCOL, "101, but its field Connection is missing",
    ),
    "foreign subprotocol": (head("Sec-WebSocket-Protocol: mqtt"), ErrorKind.UPGRADE_WRONG_PROTOCOL, "subprotocol"),
    "extension": (head("Sec-WebSocket-Extensions: x"), ErrorKind.UPGRADE_WRONG_PROTOCOL, "extensions"),
    "426": (status("426 Upgrade Required"), ErrorKind.UPGRADE_REFUSED, "the server answered 426 Upgrade Required"),
    "403 of a length": (status("403 No", "Content-Length: 99\r\n"), ErrorKind.UPGRADE_REFUSED, "403 No"),
    "200 chunked": (status("200 OK", "Transfer-Encoding: chunked\r\n"), ErrorKind.UPGRADE_REFUSED, "200 OK"),
    "no reason": (status("503"), ErrorKind.UPGRADE_REFUSED, "the server answered 503"),
}  # fmt: skip


@either_way
@pytest.mark.parametrize(("answer", "kind", "words"), REFUSALS.values(), ids=REFUSALS)
def test_refusals(cut: Cut, answer: Callable[[bytes], bytes], kind: ErrorKind, words: str) -> None:
    client = WebSocketProtocol(HELLO, LIMIT_BYTES)
    hello = client.handshake(HELLO)
    with pytest.raises(UpgradeFailure) as caught:
        any(client.upgrade(piece) for piece in cut(answer(hello)))
    assert caught.value.kind is kind
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"SSH-2.0-OpenSSH\r\n", Malformed),
        (b"HTTP/1.1 101 X\r\nno colon\r\n\r\n", Malformed),
        (b"HTTP/1.1 403 \x1b[2J\r\n\r\n", Malformed),
        (b"HTTP/1.1 101 X\r\n" + b"X: y\r\n" * 20_000, HeadTooLarge),
    ],
)
def test_no_head_at_all(said: bytes, error: type[Exception]) -> None:
    client = WebSocketProtocol(HELLO, LIMIT_BYTES)
    client.handshake(HELLO)
    with pytest.raises(error):
        any(client.upgrade(said[at : at + 1000]) for at in range(0, len(said), 1000))


# Messages


MESSAGES = {
    "text": HELLO,
    "not ASCII": text("Grüße 🌍"),
    "binary": Message(b"\xff\0\xfe", False, "/", (HOST,)),
    "empty": text(""),
    "125 bytes": text("x" * 125),
    "126 bytes": text("x" * 126),
    "65,536 bytes": text("x" * 65_536),
}


@either_way
@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_an_echo(cut: Cut, message: Message) -> None:
    pair = Pair(cut, message).opened()
    for _ in range(2):
        frame = pair.send(message)
        assert (frame.opcode is Opcode.TEXT, frame.data) == (message.is_text, message.payload)
        assert not pair.client.begun
        send = pair.server.send_text if message.is_text else pair.server.send_binary
        send(bytes(frame.data))
        assert pair.feed(pair.say()) == 1
        assert (pair.client.begun, pair.client.echoed) == (True, True)


def test_a_message_of_a_megabyte() -> None:
    message = text("0123456789abcdef" * 65_536)
    pair = Pair(message=message).opened()
    frame = pair.send(message)
    pair.server.send_text(bytes(frame.data))
    data = pair.say()
    done = [pair.client.feed(data[at : at + 65_536]) for at in range(0, len(data), 65_536)]
    assert (done[-1], sum(done), pair.client.begun, pair.client.echoed) == (True, 1, True, True)


def test_each_frame_has_a_mask_of_its_own() -> None:
    pair = Pair().opened()
    frames = [pair.client.frame(HELLO) for _ in range(4)]
    assert len({frame[2:6] for frame in frames}) == 4
    assert {frame[:2] for frame in frames} == {b"\x81\x85"}


@either_way
def test_an_answer_that_is_no_echo(cut: Cut) -> None:
    pair = Pair(cut).opened()
    assert pair.exchange(HELLO, ws_frame(TEXT, b"something else"))
    assert not pair.client.echoed


@either_way
def test_fragments_with_a_ping_between(cut: Cut) -> None:
    pair = Pair(cut).opened()
    frames = [ws_frame(TEXT, b"he", fin=False), ws_frame(PING, b"there?"), ws_frame(0, fin=False), ws_frame(PONG)]
    assert not pair.exchange(HELLO, *frames)
    assert pair.heard() == [(Opcode.PONG, b"there?")]
    assert pair.feed(ws_frame(0, b"llo")) == 1
    assert pair.client.echoed


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40), st.data())
def test_any_text_in_any_fragments(payload: str, data: st.DataObject) -> None:
    """Also where a fragment ends within a character, and wherever the bytes are cut."""
    message = text(payload)
    pair = Pair(message=message).opened()
    raw = message.payload
    places = sorted(data.draw(st.sets(st.integers(0, len(raw)), max_size=6)))
    pieces = [raw[begin:end] for begin, end in pairwise([0, *places, len(raw)])]
    frames = b"".join(
        ws_frame(TEXT if at == 0 else 0, piece, fin=at == len(pieces) - 1)
        + (ws_frame(PING) if at < len(pieces) - 1 and data.draw(st.booleans()) else b"")
        for at, piece in enumerate(pieces)
    )
    cuts = sorted(data.draw(st.sets(st.integers(1, len(frames) - 1), max_size=10)))
    pair.send(message)
    done = [pair.client.feed(frames[begin:end]) for begin, end in pairwise([0, *cuts, len(frames)])]
    assert done == [False] * (len(done) - 1) + [True]
    assert pair.client.echoed


@pytest.mark.parametrize("frames", [[b"\xc3("], [b"a\xc3"], [b"a\xc3", b""], [b"\xe2\x82", b"("], [b"\xed\xa0\x80"]])
def test_text_that_is_not_utf8(frames: list[bytes]) -> None:
    pair = Pair().opened()
    said = [ws_frame(TEXT if at == 0 else 0, one, fin=at == len(frames) - 1) for at, one in enumerate(frames)]
    with pytest.raises(UpgradeFailure) as caught:
        pair.exchange(HELLO, *said)
    assert caught.value.kind is ErrorKind.WEBSOCKET_INVALID_UTF8
    assert [(code, data[:2]) for code, data in pair.heard()] == [(Opcode.CLOSE, b"\x03\xef")]
    assert not pair.client.open


def test_binary_may_hold_anything() -> None:
    pair = Pair().opened()
    assert pair.exchange(HELLO, ws_frame(BINARY, b"\xc3("))


@either_way
def test_what_comes_right_behind_the_head_is_no_answer(cut: Cut) -> None:
    pair = Pair()
    assert pair.upgrade(pair.say() + ws_frame(TEXT, b"hello") + ws_frame(PING, b"x"))
    pair.client.feed(b"")
    assert pair.heard() == [(Opcode.PONG, b"x")]
    pair.cut = cut
    assert pair.exchange(HELLO, ws_frame(TEXT, b"hello"))
    assert pair.client.echoed


def test_an_echo_and_a_stranger_behind_it() -> None:
    pair = Pair().opened()
    assert pair.exchange(HELLO, ws_frame(TEXT, b"hello"), ws_frame(TEXT, b"news"))
    assert pair.client.echoed


# The end


@either_way
@pytest.mark.parametrize("code", [1000, 1001, 1011, 3000, 4999])
def test_the_server_closes(cut: Cut, code: int) -> None:
    pair = Pair(cut).opened()
    pair.send(HELLO)
    pair.server.send_close(code, "bye")
    assert pair.feed(pair.say()) == 0
    closed = pair.client.closed
    assert closed is not None
    assert (closed.code, closed.reason, pair.client.open, pair.client.closing) == (code, "bye", False, False)
    assert pair.heard() == [(Opcode.CLOSE, code.to_bytes(2, "big") + b"bye")]
    assert pair.server.state is State.CLOSED or pair.server.close_rcvd is not None


@either_way
def test_the_client_closes(cut: Cut) -> None:
    pair = Pair(cut).opened()
    pair.server.receive_data(pair.client.close())
    assert (pair.client.closing, pair.client.open, pair.client.closed) == (True, False, None)
    assert pair.server.close_rcvd is not None
    assert pair.server.close_rcvd.code == 1000
    assert pair.feed(ws_frame(TEXT, b"one more") + pair.say()) <= 1
    assert pair.client.closed is not None
    assert (pair.client.closed.code, pair.client.closing) == (1000, True)
    assert pair.client.close() == b""


@either_way
def test_an_echo_and_a_close_at_once(cut: Cut) -> None:
    pair = Pair(cut).opened()
    assert pair.exchange(HELLO, ws_frame(TEXT, b"hello"), ws_frame(CLOSE, b"\x03\xe9"))
    assert pair.client.echoed
    assert (pair.client.closed is not None, pair.client.open) == (True, False)


VIOLATIONS: dict[str, tuple[list[bytes], ErrorKind, int]] = {
    "masked": ([ws_frame(TEXT, b"hello", mask=random_mask())], ErrorKind.WEBSOCKET_MASKED, 1002),
    "masked ping": ([ws_frame(PING, mask=random_mask())], ErrorKind.WEBSOCKET_MASKED, 1002),
    **{
        f"reserved bit {bit}": ([ws_frame(TEXT, b"hello", reserved=bit)], ErrorKind.WEBSOCKET_PROTOCOL, 1002)
        for bit in (1, 2, 4)
    },
    **{
        f"opcode {code}": ([ws_frame(code, b"hello")], ErrorKind.WEBSOCKET_PROTOCOL, 1002)
        for code in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    },
    "long ping": ([ws_frame(PING, bytes(126))], ErrorKind.WEBSOCKET_PROTOCOL, 1002),
    "ping in pieces": ([ws_frame(PING, fin=False)], ErrorKind.WEBSOCKET_PROTOCOL, 1002),
    "end of nothing": ([ws_frame(0, b"x")], ErrorKind.WEBSOCKET_PROTOCOL, 1002),
    "message in message": (
        [ws_frame(TEXT, b"x", fin=False), ws_frame(BINARY, b"x")], ErrorKind.WEBSOCKET_PROTOCOL, 1002,
    ),
    "close of one byte": ([ws_frame(CLOSE, b"x")], ErrorKind.WEBSOCKET_PROTOCOL, 1002),
    "close with 1006": ([ws_frame(CLOSE, b"\x03\xee")], ErrorKind.WEBSOCKET_PROTOCOL, 1002),
    "close not UTF-8": ([ws_frame(CLOSE, b"\x03\xe8\xff")], ErrorKind.WEBSOCKET_INVALID_UTF8, 1007),
    "long frame": ([b"\x82\x7f" + (LIMIT_BYTES + 1).to_bytes(8, "big")], ErrorKind.WEBSOCKET_TOO_LARGE, 1009),
    "longest frame": ([b"\x82\x7f" + b"\x7f" + b"\xff" * 7], ErrorKind.WEBSOCKET_TOO_LARGE, 1009),
    "fragments": (
        [ws_frame(BINARY, bytes(LIMIT_BYTES), fin=False), ws_frame(0, b"x")], ErrorKind.WEBSOCKET_TOO_LARGE, 1009,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("frames", "kind", "code"), VIOLATIONS.values(), ids=VIOLATIONS)
def test_violations(frames: list[bytes], kind: ErrorKind, code: int) -> None:
    pair = Pair().opened()
    with pytest.raises(UpgradeFailure) as caught:
        pair.exchange(HELLO, *frames)
    assert caught.value.kind is kind
    assert [(one, data[:2]) for one, data in pair.heard()] == [(Opcode.CLOSE, code.to_bytes(2, "big"))]
    assert not pair.client.open


def test_an_echo_and_a_violation_at_once() -> None:
    """The echo is an answer; what follows ends the connection."""
    pair = Pair().opened()
    assert pair.exchange(HELLO, ws_frame(TEXT, b"hello"), ws_frame(3))
    assert (pair.client.echoed, pair.client.open) == (True, False)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=30), max_size=8), st.booleans())
def test_garbage_fails_in_order(pieces: list[bytes], opened: bool) -> None:
    """Nothing but the failures that the connection knows is raised, whatever comes."""
    pair = Pair()
    if opened:
        pair.opened()
        pair.client.frame(HELLO)
    with suppress(UpgradeFailure, Malformed):
        for piece in pieces:
            if opened:
                pair.client.feed(piece)
            elif pair.client.upgrade(piece):
                break
    pair.client.take()
