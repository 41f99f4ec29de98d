"""A tunnel's transport against a proxy played by hand: its answer is read, the tunnel's first bytes are left alone."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ConnectionFlag
from loadgen.target.certificates import server_context
from loadgen.wire import poller
from loadgen.wire.early_data import watch_early_data
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.proxy.connect import ConnectRequest, ProxyLogin
from loadgen.wire.proxy.transport import TunnelEarlyTlsTransport, TunnelTcpTransport, TunnelTlsTransport
from loadgen.wire.tls import TlsTransport
from loadgen.wire.tls_context import client_context
from loadgen.wire.transport import Step
from tests.support.early_server import REQUEST, EarlyServer, early_session
from tests.support.secure_servers import server_context as early_context
from tests.support.transports import accept, address_of, establish, ignore, listening, receive, wait

OPEN = b"HTTP/1.1 200 OK\r\n\r\n"
ASKS = b"HTTP/1.1 407 Authenticate\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 2\r\n\r\nno"


def tunnel(password: str = "") -> ConnectRequest:  # "" is: none
    return ConnectRequest("h:81", ProxyLogin(password and f"Basic {password}"))


class Dialogue:
    """A transport that has reached the proxy, and the proxy's end."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        with listening() as listener:
            transport.connect(address_of(listener), ignore)
            wait(transport, Step.WANT_WRITE)
            self.proxy = accept(listener)
        self.proxy.setblocking(True)
        assert transport.establish() is Step.BEGIN_TUNNEL
        assert transport.establish() is Step.WANT_READ

    def heard(self) -> bytes:
        """The next request that the proxy gets."""
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            data += self.proxy.recv(1)
        return data

    def says(self, data: bytes) -> Step:
        """The step after these bytes of the proxy's."""
        self.proxy.sendall(data)
        wait(self.transport)
        step: Step = self.transport.establish()
        return step

    def close(self) -> None:
        self.transport.close()
        self.proxy.close()


@pytest.fixture
def dialogue() -> Iterator[Dialogue]:
    one = Dialogue(TunnelTcpTransport(poller.of_hub(), tunnel("dXNlcjpwYXNz")))
    yield one
    one.close()


def test_the_tunnels_first_bytes_are_not_the_proxys(dialogue: Dialogue) -> None:
    assert dialogue.heard().startswith(b"CONNECT h:81 HTTP/1.1\r\nHost: h:81\r\n")
    assert dialogue.says(OPEN + b"hello") is Step.OPEN
    assert receive(dialogue.transport, 5) == b"hello"


def test_an_answer_in_pieces(dialogue: Dialogue) -> None:
    assert [dialogue.says(OPEN[at : at + 1]) for at in range(len(OPEN))] == [Step.WANT_READ] * (len(OPEN) - 1) + [
        Step.OPEN
    ]


def test_a_challenge_is_answered_on_the_same_connection(dialogue: Dialogue) -> None:
    assert b"Proxy-Authorization" not in dialogue.heard()
    assert dialogue.says(ASKS) is Step.WANT_READ
    assert b"Proxy-Authorization: Basic dXNlcjpwYXNz\r\n" in dialogue.heard()
    assert dialogue.says(OPEN) is Step.OPEN


def test_a_refusal(dialogue: Dialogue) -> None:
    with pytest.raises(UpgradeFailure, match="CONNECT with 403 No") as failure:
        dialogue.says(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
    assert failure.value.kind is ErrorKind.PROXY_REFUSED


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"", ErrorKind.CLOSED_WITHOUT_RESPONSE),
        (b"HTTP/1.1 200", ErrorKind.TRUNCATED),
        (ASKS, ErrorKind.PROXY_AUTHENTICATION),
    ],
)
def test_a_close_instead_of_an_answer(dialogue: Dialogue, said: bytes, kind: ErrorKind) -> None:
    dialogue.heard()
    if said:
        assert dialogue.says(said) is Step.WANT_READ
    dialogue.proxy.shutdown(socket.SHUT_WR)
    wait(dialogue.transport)
    with pytest.raises(UpgradeFailure) as failure:
        dialogue.transport.establish()
    assert failure.value.kind is kind


def test_tls_begins_inside_the_tunnel(tmp_path: Path) -> None:
    """The handshake is with the far end: the proxy only passes bytes on, and here it is the far end itself."""
    server = server_context(("h",), tmp_path / "ca.pem")
    client = TunnelTlsTransport(poller.of_hub(), tunnel(), client_context("h", str(tmp_path / "ca.pem"), False), b"h")
    dialogue = Dialogue(client)
    dialogue.heard()
    assert dialogue.says(OPEN) is Step.BEGIN_TLS
    dialogue.proxy.setblocking(False)
    peer = TlsTransport(poller.of_hub(), server, None, accepted=dialogue.proxy)
    establish(client, peer)
    client.send(b"ping")
    assert receive(peer, 4) == b"ping"
    client.close()
    peer.close()


def test_early_data_through_the_tunnel() -> None:
    context, server = client_context("h", None, True), early_context(max_early_data_bytes=16_384)
    watch_early_data(context)
    session = early_session(context, server)
    client = TunnelEarlyTlsTransport(poller.of_hub(), tunnel(), context, b"h", session, REQUEST)
    dialogue = Dialogue(client)
    dialogue.heard()
    step = dialogue.says(OPEN)
    assert step is Step.BEGIN_TLS
    dialogue.proxy.setblocking(False)
    peer = EarlyServer(server, dialogue.proxy, reads_early=True)
    while step is not Step.OPEN:
        step = client.establish()
        peer.step()
    assert (client.send(REQUEST), client.early_flags) == (len(REQUEST), ConnectionFlag.EARLY_ACCEPTED)
    peer.step()
    assert receive(client, 1) == b"x"
    assert peer.early == REQUEST
    dialogue.close()
