"""A greenlet's stream over a real socket: what came, how the server ended it, and when."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import gevent
import pytest

from loadgen.model.units import NS_PER_S
from loadgen.probe import probe_stream
from loadgen.probe.failures import OpenFailure
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.trace import Traces
from loadgen.wire import poller
from loadgen.wire.transport import TcpTransport
from tests.support.processes import reset_at_close, scripted_server


def opened(port: int, traces: Traces | None = None) -> ProbeStream:
    kept = Traces(0) if traces is None else traces
    stream = ProbeStream(TcpTransport(poller.of_hub()), kept.new("test", 0))
    stream.open((socket.AF_INET, ("127.0.0.1", port)), soon())
    return stream


def soon(wait_s: float = 5) -> int:
    return poller.of_hub().monotonic_ns() + int(wait_s * NS_PER_S)


def resets(connection: socket.socket, _number: int) -> None:
    connection.recv(9)
    reset_at_close(connection)


def echoes(connection: socket.socket, _number: int) -> None:
    connection.sendall(connection.recv(9))


@pytest.mark.parametrize(("script", "data", "how"), [(echoes, b"some", "fin"), (resets, b"", "reset")])
def test_what_came_and_how_it_ended(script: Callable[[socket.socket, int], None], data: bytes, how: str) -> None:
    traces = Traces(0)
    with scripted_server(script) as port, opened(port, traces) as stream:
        sent_ns = stream.send(b"some", soon())
        assert stream.wait_end(soon()) == (data, True)
        assert stream.ended == how
        assert stream.opening_ns <= stream.opened_ns <= sent_ns <= stream.ended_ns
        again = stream.receive(soon())
        assert again is not None
        assert (again.data, again.ended, again.at_ns) == (b"", how, stream.ended_ns)
    (record,) = traces.records()
    events = [one["event"] for one in record["events"]]
    assert events == ["opened", "sent", *(["received"] if data else []), how, "closed"]


def test_what_came_by_the_end_of_a_wait_can_be_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_stream, "_AT_ONCE_NS", NS_PER_S // 5)
    begin, done = threading.Event(), threading.Event()

    def speaks(connection: socket.socket, _number: int) -> None:
        begin.wait(5)
        connection.sendall(b"late")
        done.set()
        connection.recv(9)

    with scripted_server(speaks) as port, opened(port) as stream:
        assert stream.receive(soon(0.25)) is None
        begin.set()
        assert done.wait(5)
        chunk = stream.receive(soon(0))
        assert chunk is not None
        assert chunk.data == b"late"


def test_a_server_that_never_stops_is_left_in_time_and_holds_nobody_up() -> None:
    def floods(connection: socket.socket, _number: int) -> None:
        while True:
            connection.sendall(bytes(1 << 16))

    turns: list[int] = []

    def others() -> None:
        while True:
            turns.append(1)
            gevent.sleep(0.001)

    with scripted_server(floods) as port, opened(port) as stream:
        other = gevent.spawn(others)
        begun_ns = soon(0)
        data, has_ended = stream.wait_end(soon(0.15))
        assert 0.15 <= (soon(0) - begun_ns) / NS_PER_S < 2
        other.kill()
    assert (len(data), has_ended) == (1 << 16, False)
    assert len(turns) > 1


def test_nothing_comes_in_time() -> None:
    over = threading.Event()
    with scripted_server(lambda _connection, _number: over.wait(10) and None) as port, opened(port) as stream:
        begun_ns = soon(0)
        assert stream.receive(soon(0.05)) is None
        assert 50_000_000 <= soon(0) - begun_ns < NS_PER_S
        assert stream.wait_end(soon(0.05)) == (b"", False)
        over.set()


def test_a_refused_connection_names_its_stage(closed_port: int) -> None:
    with pytest.raises(OpenFailure, match="Connection refused") as refused:
        opened(closed_port)
    assert refused.value.stage == "connect"
