"""Early data at a server: answered before the handshake is done, taken once, and rejected where it may not be taken."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL

from loadgen.model.records import ConnectionFlag
from loadgen.target.certificates import server_context
from loadgen.target.server_tls import ServerTls
from loadgen.wire import poller
from loadgen.wire.early_data import EarlyTlsTransport, watch_early_data
from loadgen.wire.early_reading import EarlyOutcome, EarlyReadingTransport
from loadgen.wire.replay_guard import ReplayGuard
from loadgen.wire.tls import TlsTransport
from loadgen.wire.tls_context import client_context
from loadgen.wire.transport import WOULD_BLOCK, Step
from tests.support.early_server import REQUEST, early_session
from tests.support.transports import accept, address_of, establish, ignore, listening, receive, wait


class Server:
    """It has one context for all of its connections."""

    def __init__(self, folder: Path, **tls: Any) -> None:
        self.context: SSL.Context = server_context(("h",), folder / "ca.pem", (), ServerTls(early_data=True, **tls))
        self.guard = ReplayGuard()

    def accepts(self, sock: socket.socket) -> EarlyReadingTransport:
        return EarlyReadingTransport(poller.of_hub(), self.context, self.guard, sock)


def begun(session: Any, context: SSL.Context, server: Server) -> tuple[EarlyTlsTransport, EarlyReadingTransport]:
    """A client that has sent its ClientHello and its request, and the server's end."""
    client = EarlyTlsTransport(poller.of_hub(), context, b"h", session, REQUEST)
    with listening() as listener:
        client.connect(address_of(listener), ignore)
        wait(client, Step.WANT_WRITE)
        peer = server.accepts(accept(listener))
    assert peer.establish() is Step.WANT_READ  # nothing has come
    assert client.establish() is Step.BEGIN_TLS
    assert client.establish() is Step.WANT_READ
    wait(peer)
    return client, peer


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


@pytest.fixture
def context() -> SSL.Context:
    found = client_context("h", None, insecure=True)
    watch_early_data(found)
    return found


def test_a_request_is_answered_before_the_handshake_is_done(server: Server, context: SSL.Context) -> None:
    client, peer = begun(early_session(context, server.context), context, server)
    assert (peer.establish(), peer.outcome) == (Step.OPEN, EarlyOutcome.ACCEPTED)
    assert receive(peer, len(REQUEST)) == REQUEST
    assert peer.send(b"answer") == 6
    assert peer.is_shaking_hands
    assert peer.receive() == WOULD_BLOCK
    wait(client)
    assert client.establish() is Step.OPEN
    assert (client.send(REQUEST), client.early_flags) == (len(REQUEST), ConnectionFlag.EARLY_ACCEPTED)
    assert receive(client, 6) == b"answer"
    wait(peer)
    while peer.is_shaking_hands:
        assert peer.receive() == WOULD_BLOCK
    client.send(b"next")
    assert receive(peer, 4) == b"next"
    assert peer.send(b"x" * 10_000) == 10_000
    assert receive(client, 10_000) == b"x" * 10_000
    assert client.resumed
    client.close()
    peer.close()


def test_a_ticket_is_good_for_several_connections(server: Server, context: SSL.Context) -> None:
    """A client that closes with its response in hand never gets the next ticket."""
    session = early_session(context, server.context)
    for _ in range(3):
        client, peer = begun(session, context, server)
        assert (peer.establish(), peer.outcome) == (Step.OPEN, EarlyOutcome.ACCEPTED)
        assert receive(peer, len(REQUEST)) == REQUEST
        peer.send(b"answer")
        wait(client)
        assert client.establish() is Step.OPEN
        assert receive(client, 6) == b"answer"
        client.close()
        peer.close()


def test_the_same_bytes_are_not_taken_twice(server: Server, context: SSL.Context) -> None:
    client, peer = begun(early_session(context, server.context), context, server)
    sent = peer.socket.recv(65536, socket.MSG_PEEK)
    assert peer.establish() is Step.OPEN
    with listening() as listener, socket.create_connection(listener.getsockname()) as attacker:
        attacker.sendall(sent)
        replayed = server.accepts(accept(listener))
        wait(replayed)
        assert replayed.establish() is Step.WANT_READ  # for the end of a handshake that an attacker can't do
        assert replayed.outcome is EarlyOutcome.REPLAYED
        replayed.close()
    client.close()
    peer.close()


def test_what_another_server_allowed_is_rejected(server: Server, context: SSL.Context, tmp_path: Path) -> None:
    other = Server(tmp_path)
    client, peer = begun(early_session(context, other.context), context, server)
    establish(peer, client)
    assert peer.outcome is EarlyOutcome.REJECTED
    assert not client.resumed
    assert client.send(REQUEST) == len(REQUEST)
    assert receive(peer, len(REQUEST)) == REQUEST
    assert client.early_flags == ConnectionFlag.EARLY_REJECTED | ConnectionFlag.EARLY_REPLAYED
    client.close()
    peer.close()


def test_a_client_without_early_data(server: Server, context: SSL.Context) -> None:
    client = TlsTransport(poller.of_hub(), context, b"h")
    with listening() as listener:
        client.connect(address_of(listener), ignore)
        wait(client, Step.WANT_WRITE)
        peer = server.accepts(accept(listener))
    steps = establish(client, peer)
    assert steps[peer][-1] is Step.OPEN
    assert (peer.outcome, peer.is_shaking_hands) == (EarlyOutcome.NONE, False)
    client.send(REQUEST)
    assert receive(peer, len(REQUEST)) == REQUEST
    client.close()
    peer.close()
