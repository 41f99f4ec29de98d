"""TLS over loopback: chains and names are checked, sessions resumed only when offered, and closes told apart."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gevent
import pytest
from OpenSSL import SSL

from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import PlanError
from loadgen.target.certificates import server_context
from loadgen.wire import poller
from loadgen.wire.errors import TlsFailure
from loadgen.wire.tls import TlsTransport
from loadgen.wire.tls_context import H2_OR_HTTP1, client_context
from loadgen.wire.transport import WOULD_BLOCK, WRITE, Step
from tests.support.transports import accept, address_of, establish, ignore, listening, receive, wait

NAME = "target.test"


class Side(NamedTuple):
    """A server's context and the file of the authority that vouches for it."""

    context: Any
    ca_file: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Side:
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    return Side(server_context((NAME, "127.0.0.1"), ca_file, ("h2", "http/1.1")), ca_file)


@pytest.fixture
def close_later() -> Iterator[list[Any]]:
    """What is put here is closed at the end."""
    opened: list[Any] = []
    yield opened
    for one in reversed(opened):
        one.close()


def connect(
    server: Side, close_later: list[Any], context: Any, name: bytes = NAME.encode(), session: Any = None
) -> tuple[TlsTransport, TlsTransport]:
    """A client and the server's end of the same connection, TCP open and TLS not begun."""
    with listening() as listener:
        client = TlsTransport(poller.of_hub(), context, name, session)
        client.connect(address_of(listener), ignore)
        wait(client, Step.WANT_WRITE)
        peer = TlsTransport(poller.of_hub(), server.context, None, accepted=accept(listener))
    close_later += [client, peer]
    return client, peer


def trusting(server: Side, name: str = NAME, alpn: tuple[bytes, ...] = ()) -> Any:
    return client_context(name, str(server.ca_file), False, alpn)


def test_tcp_comes_first_and_then_the_handshake(server: Side, close_later: list[Any]) -> None:
    client, peer = connect(server, close_later, trusting(server))
    steps = establish(client, peer)
    assert steps[client][0] is Step.BEGIN_TLS
    assert steps[client][-1] is Step.OPEN
    assert (client.describe()["version"], client.describe()["alpn"]) == ("TLSv1.3", None)
    assert (client.resumed, client.alpn) == (False, "")
    client.send(b"ping")
    assert receive(peer, 4) == b"ping"


@pytest.mark.parametrize(
    ("offers", "agreed"), [((), ""), (H2_OR_HTTP1, "h2"), ((b"http/1.1",), "http/1.1"), ((b"spdy/3",), "")]
)
def test_alpn(server: Side, close_later: list[Any], offers: tuple[bytes, ...], agreed: str) -> None:
    client, peer = connect(server, close_later, trusting(server, alpn=offers))
    establish(client, peer)
    assert (client.alpn, peer.alpn) == (agreed, agreed)
    assert client.describe()["alpn"] == (agreed or None)


def test_a_session_is_resumed_where_it_is_offered(server: Side, close_later: list[Any]) -> None:
    context = trusting(server)
    client, peer = connect(server, close_later, context)
    establish(client, peer)
    peer.send(b"x")
    receive(client, 1)  # with TLS 1.3 the ticket comes before the first data
    session = client.session
    client.close()  # with close_notify; without it OpenSSL would not resume
    for offered, resumed in ((session, True), (None, False)):
        again, other = connect(server, close_later, context, session=offered)
        establish(again, other)
        assert again.resumed is resumed


@pytest.mark.parametrize(
    ("host", "trusts", "kind"),
    [
        ("other.test", True, ErrorKind.TLS_WRONG_NAME),
        ("127.0.0.2", True, ErrorKind.TLS_WRONG_NAME),
        (NAME, False, ErrorKind.TLS_UNTRUSTED),
    ],
)
def test_what_is_not_proven_is_refused(
    server: Side, close_later: list[Any], tmp_path: Path, host: str, trusts: bool, kind: ErrorKind
) -> None:
    other = tmp_path / "other.pem"
    server_context((NAME,), other)  # an authority that has vouched for another server
    context = client_context(host, str(server.ca_file if trusts else other), False)
    client, peer = connect(server, close_later, context)
    with pytest.raises(TlsFailure) as failure:
        establish(client, peer)
    assert failure.value.kind is kind
    assert f"{failure.value}"


def test_insecure_checks_nothing_and_an_address_is_a_name_too(server: Side, close_later: list[Any]) -> None:
    for context in (client_context("other.test", None, True), trusting(server, "127.0.0.1")):
        client, peer = connect(server, close_later, context, name=b"")
        establish(client, peer)
        assert client.describe()["cipher"]


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_file_without_a_certificate_is_a_plan_error(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(PlanError, match=r"--cacert .*: no PEM certificate can be read from it"):
        client_context(NAME, str(file), False)


def test_a_close_within_the_handshake(server: Side, close_later: list[Any]) -> None:
    client, peer = connect(server, close_later, trusting(server))
    assert client.establish() is Step.BEGIN_TLS
    assert client.establish() is Step.WANT_READ
    peer.close()
    wait(client)
    with pytest.raises(TlsFailure) as failure:
        client.establish()
    assert (failure.value.kind, failure.value.by_peer) == (ErrorKind.TLS_FAILED, True)


def test_a_reset_before_the_handshake(server: Side, close_later: list[Any]) -> None:
    with listening() as listener:
        client = TlsTransport(poller.of_hub(), trusting(server), NAME.encode())
        close_later.append(client)
        client.connect(address_of(listener), ignore)
        reset(accept(listener))
        failures: list[TlsFailure] = []

        def step() -> None:
            try:
                client.establish()
            except TlsFailure as failure:
                failures.append(failure)

        client.watch(WRITE, step)
        while not failures:
            gevent.sleep(0.001)
    assert (failures[0].kind, failures[0].by_peer) == (ErrorKind.TLS_FAILED, True)
    assert "reset" in str(failures[0])


@pytest.mark.parametrize(("alert", "words"), [(40, "handshake failure"), (112, "unrecognized name")])
def test_an_alert_is_the_peers(server: Side, close_later: list[Any], alert: int, words: str) -> None:
    """Also where no certificate is checked, and where the words for it do not say that it is one."""
    client, peer = connect(server, close_later, client_context(NAME, None, True))
    client.establish()
    client.establish()
    peer.socket.sendall(bytes((21, 3, 3, 0, 2, 2, alert)))
    wait(client)
    with pytest.raises(TlsFailure, match=words) as failure:
        client.establish()
    assert (failure.value.kind, failure.value.by_peer) == (ErrorKind.TLS_FAILED, True)


def test_what_is_no_tls_fails(server: Side, close_later: list[Any]) -> None:
    client, peer = connect(server, close_later, trusting(server))
    client.establish()
    client.establish()
    peer.socket.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    wait(client)
    with pytest.raises(TlsFailure) as failure:
        client.establish()
    assert (failure.value.kind, failure.value.by_peer) == (ErrorKind.TLS_FAILED, False)


@pytest.mark.parametrize("announced", [True, False])
def test_both_ways_of_closing_end_the_stream(server: Side, close_later: list[Any], announced: bool) -> None:
    client, peer = connect(server, close_later, trusting(server))
    establish(client, peer)
    if announced:
        peer.close()
    else:
        peer.socket.shutdown(socket.SHUT_WR)  # without close_notify
    wait(client)
    assert client.receive() == 0
    assert client.is_cut_off is not announced


def test_a_write_that_failed_is_the_last(server: Side, close_later: list[Any]) -> None:
    client, peer = connect(server, close_later, trusting(server))
    establish(client, peer)
    client.socket.shutdown(1)
    with pytest.raises(OSError) as failure:
        client.send(b"x")
    assert failure.value.errno == errno.EPIPE
    with pytest.raises(OSError, match=str(failure.value.args[1])):
        client.receive()


def test_nothing_is_read_or_written_once_closed(server: Side, close_later: list[Any]) -> None:
    client, peer = connect(server, close_later, trusting(server))
    establish(client, peer)
    peer.send(b"x")
    wait(client)
    client.close()
    for call in (client.receive, lambda: client.send(b"x")):
        with pytest.raises(OSError, match="closed"):
            call()


def test_a_reset_is_an_error_of_the_socket(server: Side, close_later: list[Any]) -> None:
    client, peer = connect(server, close_later, trusting(server))
    establish(client, peer)
    close_later.remove(peer)
    reset(peer.socket)
    wait(client)
    with pytest.raises(OSError) as failure:
        client.receive()
    assert failure.value.errno == errno.ECONNRESET


def reset(sock: Any) -> None:
    """Close it by RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize("versions", ["TLSv1.3", "TLSv1.2"])
def test_an_answer_to_a_long_request_is_read_though_the_rest_cannot_be_sent(
    server: Side, close_later: list[Any], versions: str
) -> None:
    context = trusting(server)
    if versions == "TLSv1.2":
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
    client, peer = connect(server, close_later, context)
    establish(client, peer)
    data = memoryview(bytes(100_000))
    sent = client.send(data)
    assert 0 < sent < len(data)
    answer = b"x" * 20_000  # two records
    peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what waits to be sent is lost by a reset
    peer.send(answer)
    peer.send(answer[16_384:])
    close_later.remove(peer)
    reset(peer.socket)
    wait(client)
    with pytest.raises(OSError) as failure:
        client.send(data[sent:])
    assert failure.value.errno in (errno.ECONNRESET, errno.EPIPE)
    assert receive(client, len(answer)) == answer
    with pytest.raises(OSError, match=failure.value.strerror):
        client.send(b"x")
    assert (client.receive(), client.is_cut_off) == (0, True)


def test_a_long_request_and_its_long_answer(server: Side, close_later: list[Any]) -> None:
    """Nothing of an answer is held back that the loop does not hear of."""
    client, peer = connect(server, close_later, trusting(server))
    establish(client, peer)
    data = bytes(range(256)) * 400
    sent = client.send(data)
    while sent < len(data):
        sent += max(0, client.send(data[sent:]))
    assert receive(peer, len(data)) == data
    for piece in (data[:10_000], data[:50]):
        peer.send(piece)
        assert receive(client, len(piece)) == piece
        assert client.receive() == WOULD_BLOCK
    client.send(b"next")
    assert receive(peer, 4) == b"next"
    client.close()
    wait(peer)
    assert (peer.receive(), peer.is_cut_off) == (0, False)


def test_a_failed_write_leaves_no_reason_for_the_next_call(server: Side, close_later: list[Any]) -> None:
    """OpenSSL keeps reasons for each thread, and not for each stream."""
    broken, waiting = (connect(server, close_later, trusting(server)) for _ in range(2))
    for pair in (broken, waiting):
        establish(*pair)
    broken[0].socket.shutdown(socket.SHUT_WR)
    with pytest.raises(OSError):
        broken[0].send(b"x")
    assert waiting[0].receive() == WOULD_BLOCK


def test_a_request_that_does_not_fit_is_sent_in_parts(server: Side, close_later: list[Any]) -> None:
    client, peer = connect(server, close_later, trusting(server))
    establish(client, peer)
    data = memoryview(bytes(range(256)) * 65536)
    sent = 0
    while (size := client.send(data[sent : sent + 65536])) != WOULD_BLOCK:
        sent += size
    got = bytearray()
    while sent < len(data):
        size = peer.receive()
        if size == WOULD_BLOCK:
            sent += max(0, client.send(data[sent : sent + 65536]))
        else:
            got += peer.buffer[:size]
    got += receive(peer, len(data) - len(got))
    assert got == data
