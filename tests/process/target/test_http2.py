"""The embedded target's HTTP/2 (RFC 9113, and the upgrade of RFC 7540 §3.2): curl, h2load, and h2 fed by hand."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    InformationalResponseReceived,
    PingAckReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.settings import SettingCodes
from hyperframe.frame import GoAwayFrame, PingFrame, SettingsFrame

from tests.support.targets import Target

Start = Callable[..., Target]
Field = tuple[bytes, bytes]
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
PING = PingFrame(0, b"8 octets").serialize()


def goaway_frame(code: ErrorCodes) -> bytes:
    """By hand: the h2 library's client would take nothing any more once it has sent one."""
    return GoAwayFrame(0, error_code=code).serialize()


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def curl(*arguments: str) -> str:
    done = subprocess.run(
        [program("curl"), "-s", "-i", "--max-time", "30", *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def fields(path: str = "/", method: str = "GET", *more: Field) -> list[Field]:
    pseudo = [(b":method", method.encode()), (b":scheme", b"http"), (b":authority", b"a"), (b":path", path.encode())]
    return [*pseudo, *more]


class Client:
    """The h2 library's client on a blocking socket; what has happened stays in `events`."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self.events: list[Event] = []
        self.ended = False

    def begin(self) -> None:
        self.h2.initiate_connection()
        self.send()

    def ask(self, *request: Field, body: bytes | None = None) -> int:
        stream_id = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream_id, list(request) or fields(), end_stream=body is None)
        if body is not None:
            self.h2.send_data(stream_id, body, end_stream=True)
        return stream_id

    def send(self) -> None:
        self.sock.sendall(self.h2.data_to_send())

    def receive(self, until: Callable[[Event], bool], give_back: bool = True) -> Event:
        """Read until such an event has come, or fail when the server closes."""
        while True:
            data = self.sock.recv(65536)
            assert data, f"closed; there were {self.events}"
            found = [event for event in self.take(data, give_back) if until(event)]
            if found:
                return found[0]

    def take(self, data: bytes, give_back: bool = True) -> list[Event]:
        events = self.h2.receive_data(data)
        self.events += events
        for event in events:
            if isinstance(event, DataReceived) and give_back:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        answer = self.h2.data_to_send()
        if answer and not any(isinstance(event, ConnectionTerminated) for event in self.events):
            self.sock.sendall(answer)
        return events

    def to_end(self) -> None:
        while data := self.sock.recv(65536):
            self.take(data)

    def await_end(self, stream_id: int) -> None:
        if not any(isinstance(event, StreamEnded) and event.stream_id == stream_id for event in self.events):
            self.receive(lambda event: isinstance(event, StreamEnded) and event.stream_id == stream_id)

    def exchange(self, *request: Field) -> int:
        """Ask and wait for the answer's end."""
        stream_id = self.ask(*request)
        self.send()
        self.await_end(stream_id)
        return stream_id

    def body(self, stream_id: int) -> bytes:
        parts = [event for event in self.events if isinstance(event, DataReceived) and event.stream_id == stream_id]
        return b"".join(part.data for part in parts)

    def head(self, stream_id: int) -> dict[bytes, bytes]:
        (found,) = [e for e in self.events if isinstance(e, ResponseReceived) and e.stream_id == stream_id]
        return dict(found.headers)

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


@contextmanager
def prior_knowledge(target: Target) -> Iterator[Client]:
    with socket.create_connection(("127.0.0.1", target.port), timeout=20) as sock:
        client = Client(sock)
        client.begin()
        yield client


def test_curl_with_prior_knowledge(share_target: Start) -> None:
    answer = curl("--http2-prior-knowledge", share_target().url)
    assert answer.startswith("HTTP/2 200")
    assert "server: loadgen" in answer
    assert answer.endswith("\n\nloadg")


def test_curl_upgrades(share_target: Start) -> None:
    target = share_target()
    answer = curl("--http2", f"{target.url}?size=100000", f"{target.url}?size=7", "-H", "X: y")
    assert answer.startswith("HTTP/1.1 101 ")
    assert answer.count("HTTP/2 200") == 2
    stats = target.stats()
    assert stats["requests_per_connection"] == {"2": 1}
    assert stats["protocols"] == {"http/1.1": 0, "h2": 0, "h2c": 1, "websocket": 0}


@pytest.mark.parametrize(("option", "version"), [("--http2", "2"), ("--http1.1", "1.1"), ("--no-alpn", "1.1")])
def test_curl_over_tls_gets_what_it_offers(share_target: Start, option: str, version: str) -> None:
    target = share_target("--tls")
    assert curl(option, "--cacert", str(target.ca_file), target.url).startswith(f"HTTP/{version} 200")


def test_h2load(share_target: Start) -> None:
    target = share_target()
    done = subprocess.run(
        [program("h2load"), "-n2000", "-c5", "-m20", target.url], capture_output=True, text=True, check=True, timeout=60
    )
    assert "2000 succeeded, 0 failed, 0 errored" in done.stdout
    stats = target.stats()
    assert stats["requests"] == 2000
    assert stats["protocols"]["h2"] == stats["accepted"] == 5


def test_many_streams_at_once_with_bodies_beyond_their_windows(share_target: Start) -> None:
    with prior_knowledge(share_target()) as client:
        streams = [client.ask(*fields(f"/?size={300_000 + number}")) for number in range(10)]
        client.send()
        for number, stream_id in enumerate(streams):
            client.await_end(stream_id)
            assert len(client.body(stream_id)) == 300_000 + number
            assert client.head(stream_id)[b"content-length"] == b"%d" % (300_000 + number)


def test_nothing_is_sent_beyond_a_window(share_target: Start) -> None:
    """Streams that wait for their windows hold up no other, and go on where they were."""
    with prior_knowledge(share_target()) as client:
        client.h2.increment_flow_control_window(1 << 20)  # the connection's; a stream's stays as it is
        large = client.ask(*fields("/?size=200000"))
        client.send()
        while len(client.body(large)) < 65535:
            client.receive(lambda event: isinstance(event, DataReceived), give_back=False)
        small = client.exchange()
        assert (len(client.body(large)), client.body(small)) == (65535, b"loadg")
        client.h2.increment_flow_control_window(1 << 20, large)
        client.send()
        client.await_end(large)
        assert len(client.body(large)) == 200_000


def test_byte_by_byte(share_target: Start) -> None:
    with socket.create_connection(("127.0.0.1", share_target().port), timeout=20) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(sock)
        client.h2.initiate_connection()
        stream_id = client.ask(*fields("/", "POST"), body=b"some bytes")
        for byte in client.h2.data_to_send():
            sock.sendall(bytes([byte]))
        client.await_end(stream_id)
        assert client.body(stream_id) == b"loadg"


def test_one_read_is_answered_in_one_write(share_target: Start) -> None:
    with prior_knowledge(share_target()) as client:
        client.exchange()
        streams = [client.ask() for _ in range(20)]
        client.send()
        # The first of them comes in the same segment as the last.
        client.await_end(streams[0])
        assert client.body(streams[-1]) == b"loadg"


def read_head(sock: socket.socket) -> bytes:
    """The head of an HTTP/1.1 response, and nothing behind it."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        more = sock.recv(1)
        assert more, f"closed after {head!r}"
        head += more
    return head


def upgrade(settings: str = "AAMAAABkAAQAoAAA", options: str = "Upgrade, HTTP2-Settings", more: str = "") -> bytes:
    return (
        f"GET /?size=9 HTTP/1.1\r\nHost: a\r\nConnection: {options}\r\nUpgrade: h2c\r\n"
        f"HTTP2-Settings: {settings}\r\n{more}\r\n"
    ).encode()


@pytest.mark.parametrize("at_once", [True, False])
def test_the_upgraded_request_is_stream_1(share_target: Start, at_once: bool) -> None:
    target = share_target()
    with socket.create_connection(("127.0.0.1", target.port), timeout=20) as sock:
        client = Client(sock)
        settings = client.h2.initiate_upgrade_connection()
        assert settings is not None
        # Without the padding: token68 has none here (RFC 7540 §3.2.1).
        request = upgrade(settings.decode().rstrip("="))
        if at_once:
            sock.sendall(request + client.h2.data_to_send())
        else:
            sock.sendall(request)
        assert read_head(sock) == b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
        client.send()
        client.await_end(1)
        assert client.body(1) == b"loadgen l"
        second = client.exchange()
        assert client.body(second) == b"loadg"
    assert target.stats()["requests_per_connection"] == {"2": 1}


@pytest.mark.parametrize(
    "request_bytes",
    [
        upgrade(options="Upgrade"),
        upgrade(options="HTTP2-Settings"),
        upgrade("AAMAAABk", more="HTTP2-Settings: AAMAAABk\r\n"),
        upgrade("AAMAAAB"),  # no whole setting
        upgrade("AAX___8A"),  # MAX_FRAME_SIZE beyond what is allowed
        upgrade().replace(b"HTTP/1.1", b"HTTP/1.0"),
        upgrade().replace(b"Upgrade: h2c", b"Upgrade: h2"),  # to be ignored in clear (RFC 7540 §3.2)
    ],
)
def test_an_upgrade_that_is_none_is_ignored(share_target: Start, request_bytes: bytes) -> None:
    with socket.create_connection(("127.0.0.1", share_target().port), timeout=20) as sock:
        sock.sendall(request_bytes)
        assert read_head(sock).startswith(b"HTTP/1.1 200 ")


def test_no_h2c_over_tls(share_target: Start) -> None:
    target = share_target("--tls")
    context = ssl.create_default_context(cafile=target.ca_file)
    with (
        socket.create_connection(("127.0.0.1", target.port), timeout=20) as sock,
        context.wrap_socket(sock, server_hostname="localhost") as stream,
    ):
        stream.sendall(upgrade())
        assert stream.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_declined_upgrade(share_target: Start) -> None:
    answer = curl("--http2", share_target("--decline", "h2c").url)
    assert answer.startswith("HTTP/1.1 200")


def test_declined_h2(share_target: Start) -> None:
    target = share_target("--decline", "h2,websocket")
    with socket.create_connection(("127.0.0.1", target.port), timeout=20) as sock:
        sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert sock.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert curl("--http2", target.url).startswith("HTTP/1.1 101"), "h2c is another thing"


def test_declined_h2_over_tls(share_target: Start) -> None:
    target = share_target("--tls", "--decline", "h2")
    assert curl("--http2", "--cacert", str(target.ca_file), target.url).startswith("HTTP/1.1 200")


def test_head_has_no_content(share_target: Start) -> None:
    with prior_knowledge(share_target()) as client:
        stream_id = client.exchange(*fields("/?size=1000", "HEAD"))
        assert client.head(stream_id)[b"content-length"] == b"1000"
        assert client.of(DataReceived) == []


@pytest.mark.parametrize("size", [0, 5, 100_000])
def test_trailers_where_they_are_wanted(share_target: Start, size: int) -> None:
    with prior_knowledge(share_target("--size", str(size))) as client:
        for request_index in (1, 2):
            stream_id = client.exchange(*fields("/", "GET", (b"te", b"trailers")))
            assert len(client.body(stream_id)) == size
            (found,) = [e for e in client.events if isinstance(e, TrailersReceived) and e.stream_id == stream_id]
            assert list(found.headers) == [(b"x-loadgen-served", b"%d" % request_index)]
        client.exchange()


def test_trailers_declined(share_target: Start) -> None:
    with prior_knowledge(share_target("--decline", "trailers")) as client:
        client.exchange(*fields("/", "GET", (b"te", b"trailers")))
        assert client.of(TrailersReceived) == []


def test_request_bodies_are_taken_and_dropped(share_target: Start) -> None:
    """Far beyond the windows, which the target opens again and again; and a trailer section behind one."""
    target = share_target()
    with prior_knowledge(target) as client:
        client.exchange(*fields("/", "POST"))
        stream_id = client.h2.get_next_available_stream_id()
        client.h2.send_headers(stream_id, fields("/", "POST"))
        left = 1_000_000
        while left:
            room = min(client.h2.local_flow_control_window(stream_id), client.h2.max_outbound_frame_size, left)
            if room:
                client.h2.send_data(stream_id, b"x" * room)
                client.send()
                left -= room
            else:
                client.receive(lambda _: True)
        client.h2.send_headers(stream_id, [(b"checksum", b"1")], end_stream=True)
        client.send()
        client.await_end(stream_id)
        assert client.body(stream_id) == b"loadg"
    assert target.stats()["requests"] == 2


def test_who_expects_100_continue_gets_it(share_target: Start) -> None:
    with prior_knowledge(share_target()) as client:
        stream_id = client.h2.get_next_available_stream_id()
        client.h2.send_headers(stream_id, fields("/", "POST", (b"expect", b"100-continue")))
        client.send()
        client.receive(lambda event: isinstance(event, InformationalResponseReceived))
        client.h2.send_data(stream_id, b"x", end_stream=True)
        client.send()
        client.await_end(stream_id)
        assert client.head(stream_id)[b":status"] == b"200"


def test_a_malformed_request_is_a_stream_error(share_target: Start) -> None:
    """RFC 9113 §8.1.1: the connection goes on."""
    with socket.create_connection(("127.0.0.1", share_target().port), timeout=20) as sock:
        client = Client(sock)
        client.h2.config.validate_outbound_headers = client.h2.config.normalize_outbound_headers = False
        client.begin()
        for bad in ((b"connection", b"close"), (b"Upper", b"case"), (b"te", b"gzip"), (b":late", b"pseudo")):
            stream_id = client.ask(*fields("/", "GET", (b"x", b"y"), bad))
            client.send()
            reset = client.receive(lambda event: isinstance(event, StreamReset))
            assert isinstance(reset, StreamReset)
            assert (reset.stream_id, reset.error_code) == (stream_id, ErrorCodes.PROTOCOL_ERROR)
        client.exchange()


@pytest.mark.parametrize(
    ("raw", "way"),
    [
        *((PREFACE + PING, way) for way in ("whole", "byte by byte", "upgraded")),
        (PREFACE + SettingsFrame(0, flags=["ACK"]).serialize(), "whole"),
        (PREFACE[:20] + b"OTHER", "upgraded"),
    ],
    ids=["ping", "ping_byte_by_byte", "ping_upgraded", "acknowledgement", "no_preface"],
)
def test_settings_must_come_first(share_target: Start, raw: bytes, way: str) -> None:
    """RFC 9113 §3.4."""
    with socket.create_connection(("127.0.0.1", share_target().port), timeout=20) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(sock)
        if way == "upgraded":
            client.h2.initiate_upgrade_connection()
            sock.sendall(upgrade())
            read_head(sock)
        else:
            client.h2.initiate_connection()
        for piece in [bytes([byte]) for byte in raw] if way == "byte by byte" else [raw]:
            sock.sendall(piece)
        client.h2.clear_outbound_data_buffer()
        goaway = client.receive(lambda event: isinstance(event, ConnectionTerminated))
        assert isinstance(goaway, ConnectionTerminated)
        assert goaway.error_code == ErrorCodes.PROTOCOL_ERROR
        client.to_end()
        assert client.of(PingAckReceived) == []


def test_a_frame_that_is_too_long_is_refused_at_its_head(share_target: Start) -> None:
    """RFC 9113 §4.2: 16,384 bytes are allowed, and one more is refused before any of them has come."""
    with prior_knowledge(share_target()) as client:
        client.exchange()  # with the settings out of the way, nothing is sent but what is written here
        stream_id = client.h2.get_next_available_stream_id()
        client.h2.send_headers(stream_id, fields("/", "POST"))
        client.send()
        frame_head = b"\x00\x01" + stream_id.to_bytes(4, "big")  # DATA that ends the stream
        client.sock.sendall(PING + (1 << 14).to_bytes(3, "big") + frame_head)
        client.receive(lambda event: isinstance(event, PingAckReceived))
        client.sock.sendall(b"x" * (1 << 14))
        client.await_end(stream_id)
        client.sock.sendall(((1 << 14) + 1).to_bytes(3, "big"))
        goaway = client.receive(lambda event: isinstance(event, ConnectionTerminated))
        assert isinstance(goaway, ConnectionTerminated)
        assert goaway.error_code == ErrorCodes.FRAME_SIZE_ERROR


@pytest.mark.parametrize(
    "raw", [b"\x00\x00\x05\x00\x01\x00\x00\x00\x00hello", b"\x00\x00\x03\x03\x00\x00\x00\x00\x01abc"]
)
def test_a_broken_connection_ends_with_goaway(share_target: Start, raw: bytes) -> None:
    with prior_knowledge(share_target()) as client:
        client.sock.sendall(raw)
        client.to_end()
        (goaway,) = client.of(ConnectionTerminated)
        assert isinstance(goaway, ConnectionTerminated)
        assert goaway.error_code != ErrorCodes.NO_ERROR


def test_max_streams_is_announced(share_target: Start) -> None:
    with prior_knowledge(share_target("--max-streams", "7", "--delay", "20ms")) as client:
        # Nothing has been acknowledged yet: what was sent before the settings came is answered all the same.
        early = [client.ask() for _ in range(20)]
        client.send()
        settings = client.receive(lambda event: isinstance(event, RemoteSettingsChanged))
        assert isinstance(settings, RemoteSettingsChanged)
        assert settings.changed_settings[SettingCodes.MAX_CONCURRENT_STREAMS].new_value == 7
        for stream_id in early:
            client.await_end(stream_id)


def test_streams_in_service_do_not_wait_for_each_other(share_target: Start) -> None:
    with prior_knowledge(share_target("--delay", "200ms")) as client:
        begun = time.monotonic()
        streams = [client.ask() for _ in range(50)]
        client.send()
        for stream_id in streams:
            client.await_end(stream_id)
        assert 0.2 <= time.monotonic() - begun < 5  # one after the other would take 10 s


def test_a_reset_stream_is_not_answered(share_target: Start) -> None:
    target = share_target("--delay", "100ms")
    with prior_knowledge(target) as client:
        kept, dropped, at_once = client.ask(), client.ask(), client.ask()
        client.h2.reset_stream(at_once, ErrorCodes.CANCEL)
        client.send()
        client.h2.reset_stream(dropped, ErrorCodes.CANCEL)
        client.send()
        client.await_end(kept)
        last = client.exchange()
        assert [e.stream_id for e in client.events if isinstance(e, ResponseReceived)] == [kept, last]
    assert target.stats()["requests"] == 2


@pytest.mark.parametrize("options", [(), ("--delay", "50ms")])
def test_what_was_asked_before_a_goaway_is_answered(share_target: Start, options: tuple[str, ...]) -> None:
    """RFC 9113 §6.8; also what waits for a window that the client opens later. Then the target closes."""
    target = share_target(*options)
    with prior_knowledge(target) as client:
        streams = [client.ask(*fields("/?size=200000")), client.ask()]
        client.sock.sendall(client.h2.data_to_send() + goaway_frame(ErrorCodes.NO_ERROR) + PING)
        client.to_end()
        assert [len(client.body(stream_id)) for stream_id in streams] == [200_000, 5]
        assert len(client.of(StreamEnded)) == 2
        assert len(client.of(PingAckReceived)) == 1
        assert client.of(ConnectionTerminated) == [], "who is done itself is not told so"
    assert target.stats()["requests_per_connection"] == {"2": 1}


def test_a_request_that_is_half_sent_at_a_goaway_is_answered(share_target: Start) -> None:
    with prior_knowledge(share_target()) as client:
        stream_id = client.h2.get_next_available_stream_id()
        client.h2.send_headers(stream_id, fields("/", "POST"))
        client.sock.sendall(client.h2.data_to_send() + goaway_frame(ErrorCodes.NO_ERROR) + PING)
        client.receive(lambda event: isinstance(event, PingAckReceived))
        client.h2.send_data(stream_id, b"x", end_stream=True)
        client.send()
        client.to_end()
        assert client.body(stream_id) == b"loadg"


def test_a_goaway_before_any_request_ends_it(share_target: Start) -> None:
    with prior_knowledge(share_target()) as client:
        client.sock.sendall(PING + goaway_frame(ErrorCodes.NO_ERROR) + PING)
        client.to_end()
        assert len(client.of(PingAckReceived)) == 2
        assert client.of(ConnectionTerminated) == []


def test_after_a_goaway_with_an_error_nothing_is_answered(share_target: Start) -> None:
    target = share_target()
    with prior_knowledge(target) as client:
        client.ask()
        before = client.h2.data_to_send()
        client.ask()
        client.sock.sendall(before + goaway_frame(ErrorCodes.INTERNAL_ERROR) + client.h2.data_to_send())
        client.to_end()
        assert client.of(ResponseReceived) == []
    assert target.stats()["requests_per_connection"] == {"0": 1}


@pytest.mark.parametrize("end", ["goaway", "garbage", "close"])
def test_a_client_that_leaves_while_it_is_served(
    share_target: Start, end: str, capfd: pytest.CaptureFixture[str]
) -> None:
    target = share_target("--delay", "50ms")
    with prior_knowledge(target) as client:
        client.ask()
        client.ask()
        client.send()
        if end == "goaway":
            client.sock.sendall(goaway_frame(ErrorCodes.PROTOCOL_ERROR))
        elif end == "garbage":
            client.sock.sendall(b"\x00\x00\x03\x03\x00\x00\x00\x00\x01abc")
        if end != "close":
            client.to_end()
    with prior_knowledge(target) as client:
        client.exchange()  # takes as long: the others would have been answered by now
        assert target.stats()["open"] == 1
    assert capfd.readouterr().err == ""
    assert target.stats()["requests"] == 1


def test_close_after_says_goaway(share_target: Start) -> None:
    """Exactly that number is answered, also out of many at once, and GOAWAY names the last that was looked at."""
    target = share_target("--close-after", "3", "--delay", "10ms")
    with prior_knowledge(target) as client:
        streams = [client.ask(*fields("/?size=50000")) for _ in range(8)]
        client.send()
        client.to_end()
        (goaway,) = client.of(ConnectionTerminated)
        assert isinstance(goaway, ConnectionTerminated)
        assert goaway.error_code == ErrorCodes.NO_ERROR
        assert goaway.last_stream_id == streams[2]
        assert sorted(e.stream_id for e in client.events if isinstance(e, StreamEnded)) == streams[:3]
    assert target.stats()["requests_per_connection"] == {"3": 1}


def test_behind_a_stream_that_was_not_looked_at_none_is(share_target: Start) -> None:
    """Else GOAWAY, which names the last that was, would claim it as well: its client could not ask again."""
    target = share_target("--close-after", "3", "--delay", "50ms")
    with prior_knowledge(target) as client:
        streams = [client.ask() for _ in range(4)]
        client.h2.reset_stream(streams[0], ErrorCodes.CANCEL)  # there is room again
        client.ask()
        client.send()
        client.to_end()
        (goaway,) = client.of(ConnectionTerminated)
        assert isinstance(goaway, ConnectionTerminated)
        assert goaway.last_stream_id == streams[2]
        assert sorted(e.stream_id for e in client.events if isinstance(e, StreamEnded)) == streams[1:3]
    assert target.stats()["requests_per_connection"] == {"2": 1}


def test_goaway_comes_also_when_all_that_was_looked_at_is_reset(share_target: Start) -> None:
    with prior_knowledge(share_target("--close-after", "1", "--delay", "1m")) as client:
        first, _ = client.ask(), client.ask()
        client.h2.reset_stream(first, ErrorCodes.CANCEL)
        client.send()
        client.to_end()
        (goaway,) = client.of(ConnectionTerminated)
        assert isinstance(goaway, ConnectionTerminated)
        assert goaway.last_stream_id == first


@pytest.mark.parametrize("parts", [True, False])
def test_who_is_done_is_told_which_were_not_looked_at(share_target: Start, parts: bool) -> None:
    with prior_knowledge(share_target("--close-after", "1", "--delay", "20ms")) as client:
        first, _ = client.ask(), client.ask()
        client.sock.sendall(client.h2.data_to_send() + (goaway_frame(ErrorCodes.NO_ERROR) if parts else b""))
        client.to_end()
        (goaway,) = client.of(ConnectionTerminated)
        assert isinstance(goaway, ConnectionTerminated)
        assert goaway.last_stream_id == first


def test_a_silent_target_says_no_goaway(share_target: Start) -> None:
    with prior_knowledge(share_target("--close-after", "1", "--silent")) as client:
        stream_id = client.ask()
        client.send()
        client.to_end()
        assert client.body(stream_id) == b"loadg"
        assert client.of(ConnectionTerminated) == []


@pytest.mark.parametrize(("options", "goaways"), [((), 1), (("--silent",), 0)])
def test_idle_connections_are_closed(share_target: Start, options: tuple[str, ...], goaways: int) -> None:
    with prior_knowledge(share_target("--idle-timeout", "100ms", *options)) as client:
        client.to_end()
        assert len(client.of(ConnectionTerminated)) == goaways


def test_fields_and_account(start_target: Start) -> None:
    target = start_target()
    with prior_knowledge(target) as client:
        stream_id = client.exchange(*fields("/.loadgen/fields?a=1", "GET", (b"x-one", b"1"), (b"x-one", b"2")))
        seen = json.loads(client.body(stream_id))
        assert seen.pop("connection") >= 1  # its number
        assert seen == {
            "version": "2",
            "target": "/.loadgen/fields?a=1",
            "fields": [["x-one", "1"], ["x-one", "2"]],
        }
        assert client.head(stream_id)[b"content-type"] == b"application/json"
    assert target.stats()["accepted"] == 0
    account = curl("--http2-prior-knowledge", f"{target.url}.loadgen/stats")
    assert json.loads(account.partition("\n\n")[2])["accepted"] == 0
