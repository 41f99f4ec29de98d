"""A connection on which frames go both ways, with a protocol in which every byte is a frame."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_S
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.failures import Loss
from loadgen.probe.frame_link import FrameLink
from loadgen.probe.session import AuditState, ProbeSession
from tests.support.processes import reset_at_close, scripted_server

SOON_NS = NS_PER_S // 10


class Echo(FrameLink):
    """It answers each byte by itself."""

    came = b""

    def take(self, data: bytes) -> None:
        self.came += data
        self.send(data)

    def farewell(self) -> bytes:
        return b"bye"


@contextmanager
def connected(script: Callable[[socket.socket, int], None]) -> Iterator[tuple[ProbeSession, Echo]]:
    with scripted_server(script) as port:
        plan = AuditPlan(target=parse_target(f"http://127.0.0.1:{port}/"), timeout_ns=SOON_NS)
        session = ProbeSession(AuditState.of(plan), "test", 0, 1)
        with Echo(session, session.open(), 0) as link:
            yield session, link


def test_a_wait_answers_what_comes_and_says_goodbye_at_its_end() -> None:
    heard: list[bytes] = []
    ended = threading.Event()

    def script(connection: socket.socket, _number: int) -> None:
        connection.sendall(b"ab")
        while data := connection.recv(64):
            heard.append(data)
        ended.set()

    with connected(script) as (session, link):
        assert link.wait(lambda: link.came == b"ab", session.timeout_at_ns)
        assert 0 < link.at_ns <= session.now_ns()
        link.send(b"")
        assert not link.wait(lambda: False, session.until_ns(SOON_NS // 10))
        assert link.loss is Loss.TIMEOUT
    assert ended.wait(20)
    assert b"".join(heard) == b"abbye"


@pytest.mark.parametrize("resets", [False, True])
def test_a_wait_ends_with_the_connection_and_then_nothing_is_said(resets: bool) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        connection.recv(64)
        if resets:
            reset_at_close(connection)

    with connected(script) as (session, link):
        link.send(b"end")
        assert not link.wait(lambda: False, session.timeout_at_ns)
        assert link.loss is (Loss.RESET if resets else Loss.FIN)
        link.send(b"into the void")
        link.send(b"and again")
