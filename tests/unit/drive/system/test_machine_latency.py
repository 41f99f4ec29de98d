"""The machine's own latencies, with a server in a thread: their number and order, not their size."""

from __future__ import annotations

import socket
import threading

import pytest

from loadgen.drive.system.machine_latency import clock_cost, wake_ups
from loadgen.model.exceptions import TargetError
from loadgen.target.null_server import NullServer

REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


def test_the_clock_has_a_step_and_a_cost() -> None:
    found = clock_cost()
    assert found["resolution_ns"] >= 1
    assert 0 < found["step_ns"] < 1_000_000
    assert 0 < found["read_ns"] < 1_000_000


def test_each_wake_up_is_late_and_each_answer_takes_time() -> None:
    server = NullServer("127.0.0.1", 0)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    late_ns, round_trips_ns = wake_ups(5, ("127.0.0.1", server.port), REQUEST)
    server.end()
    thread.join(10)
    server.close()
    assert len(late_ns) == len(round_trips_ns) == 5
    assert min(late_ns) >= 0
    assert min(round_trips_ns) > 1_000


def test_a_server_that_is_gone_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with pytest.raises(TargetError, match="does not answer: Connection refused"):
        wake_ups(1, address, REQUEST)
