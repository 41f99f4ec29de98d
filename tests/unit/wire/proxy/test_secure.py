"""TLS to the proxy: requests to it, a tunnel through it, TLS with the target inside; what each failure is called."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from loadgen.model.errors import ErrorKind
from loadgen.model.proxy import parse_proxy
from loadgen.model.proxying import Proxying
from loadgen.model.records import ConnectionFlag
from loadgen.wire import poller
from loadgen.wire.early_data import watch_early_data
from loadgen.wire.errors import TlsFailure, UpgradeFailure
from loadgen.wire.proxy.connect import ConnectRequest, ProxyLogin
from loadgen.wire.proxy.secure import ProxiedSession, ProxyTls, SecureProxyTransport
from loadgen.wire.proxy.tls_in_tls import TlsInTlsTransport
from loadgen.wire.tls_context import client_context
from loadgen.wire.transport import WOULD_BLOCK, Step
from tests.support.client_certificates import client_authority, write_pem
from tests.support.early_server import REQUEST, EarlyServer, early_session
from tests.support.secure_servers import server_context
from tests.support.transports import accept, address_of, ignore, listening, wait

OPEN = b"HTTP/1.1 200 OK\r\n\r\n"


class Proxy:
    """A proxy over TLS by the ssl module: behind its answer to CONNECT it passes bytes on to `far`.

    It serves one connection; `again` makes another that knows the sessions of the first.
    """

    def __init__(
        self, folder: Path, name: str = "localhost", answer: bytes | None = OPEN, until: datetime | None = None
    ) -> None:
        authority = trustme.CA()
        self.ca_file = str(folder / "proxy-ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name, not_after=until).configure_cert(self.context)
        self._answer = answer
        self.far, self._inside = socket.socketpair()
        self.heads: list[bytes] = []

    def again(self) -> Proxy:
        other = copy(self)
        other.far, other._inside = socket.socketpair()
        return other

    def serve(self, listener: socket.socket) -> None:
        raw, _ = listener.accept()
        try:
            raw.settimeout(10)
            with self.context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False) as sock:
                try:
                    sock.do_handshake()
                except ssl.SSLError:
                    while socket.socket.recv(sock, 4096):  # a close with bytes unread would overtake the alert
                        pass
                    raise
                if self._answer is not None:
                    head = b""
                    while not head.endswith(b"\r\n\r\n"):
                        head += sock.recv(1)
                    self.heads.append(head)
                    sock.sendall(self._answer)
                self._relay(sock)
        except (OSError, ssl.SSLError):
            pass
        finally:
            self._inside.close()

    def _relay(self, sock: ssl.SSLSocket) -> None:
        """In one thread, as no two may use an SSL object at the same time."""
        sources: list[socket.socket] = [sock, self._inside]
        while self._inside in sources:
            ready = [sock] if sock in sources and sock.pending() else select.select(sources, [], [], 10)[0]
            for source in ready:
                data = source.recv(100_000)
                other = self._inside if source is sock else sock
                if data:
                    other.sendall(data)
                    continue
                sources.remove(source)
                with suppress(OSError):
                    socket.socket.shutdown(other, socket.SHUT_RDWR)  # without a word


@contextmanager
def reached(proxy: Proxy, transport: Any) -> Iterator[Any]:
    """The transport, connected to the proxy; not a step was taken."""
    with listening() as listener:
        thread = threading.Thread(target=proxy.serve, args=(listener,), daemon=True)
        thread.start()
        transport.connect(address_of(listener), ignore)
        wait(transport, Step.WANT_WRITE)
        try:
            yield transport
        finally:
            transport.close()
            proxy.far.close()
            thread.join(10)


def steps(transport: Any, last: Step = Step.OPEN) -> list[Step]:
    """Take steps until this one; gives those that are no waiting."""
    found = []
    while True:
        step = transport.establish()
        if step in (Step.WANT_READ, Step.WANT_WRITE):
            wait(transport, step)
            continue
        found.append(step)
        if step is last:
            return found


def proxy_tls(proxy: Proxy | None, **settings: Any) -> ProxyTls:
    trusted = {"cacert": proxy.ca_file} if proxy is not None else {}
    return ProxyTls(parse_proxy("https://localhost"), Proxying(**{**trusted, **settings}))


def outer(
    tls: ProxyTls, tunnels: bool = True, session: ProxiedSession | None = None, user: int = 0
) -> SecureProxyTransport:
    tunnel = ConnectRequest("h:81", ProxyLogin("")) if tunnels else None
    return SecureProxyTransport(poller.of_hub(), tls, tunnel, session=session, user=user)


def heard(transport: Any, size: int) -> bytes:
    data = b""
    while len(data) < size:
        got = transport.receive()
        if got == WOULD_BLOCK:
            wait(transport)
            continue
        assert got > 0
        data += bytes(transport.buffer[:got])
    return data


def test_requests_to_the_proxy_itself(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path, answer=None)
    with reached(proxy, outer(proxy_tls(proxy), tunnels=False)) as client:
        assert steps(client) == [Step.BEGIN_TUNNEL, Step.OPEN]
        client.send(b"GET")
        assert proxy.far.recv(3) == b"GET"
        proxy.far.sendall(b"200")
        assert heard(client, 3) == b"200"


def test_a_tunnel_and_its_first_bytes(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path, answer=OPEN + b"hello")
    with reached(proxy, outer(proxy_tls(proxy))) as client:
        assert steps(client) == [Step.BEGIN_TUNNEL, Step.OPEN]
        assert heard(client, 5) == b"hello"
        assert proxy.heads[0].startswith(b"CONNECT h:81 HTTP/1.1\r\n")


def test_a_refused_tunnel(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path, answer=b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
    with (
        reached(proxy, outer(proxy_tls(proxy))) as client,
        pytest.raises(UpgradeFailure, match="CONNECT with 403") as failure,
    ):
        steps(client)
    assert failure.value.kind is ErrorKind.PROXY_REFUSED


@pytest.mark.parametrize(
    ("name", "settings", "kind"),
    [
        ("localhost", {"cacert": None}, ErrorKind.PROXY_UNTRUSTED),
        ("other.test", {}, ErrorKind.PROXY_WRONG_NAME),
        ("other.test", {"insecure": True}, None),
    ],
)
def test_the_proxys_certificate(name: str, settings: dict[str, Any], kind: ErrorKind | None, tmp_path: Path) -> None:
    proxy = Proxy(tmp_path, name)
    with reached(proxy, outer(proxy_tls(proxy, **settings))) as client:
        if kind is None:
            assert steps(client)[-1] is Step.OPEN
            return
        with pytest.raises(UpgradeFailure) as failure:
            steps(client)
    assert failure.value.kind is kind


def test_a_certificate_of_the_proxy_that_has_expired(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path, until=datetime.now(UTC) - timedelta(days=1))
    with reached(proxy, outer(proxy_tls(proxy))) as client, pytest.raises(UpgradeFailure) as failure:
        steps(client)
    assert failure.value.kind is ErrorKind.PROXY_EXPIRED


def test_a_proxy_that_does_not_speak_tls() -> None:
    with listening() as listener:
        client = outer(proxy_tls(None, insecure=True))
        client.connect(address_of(listener), ignore)
        wait(client, Step.WANT_WRITE)
        with accept(listener) as peer:
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            with pytest.raises(UpgradeFailure) as failure:
                steps(client)
        client.close()
    assert failure.value.kind is ErrorKind.PROXY_TLS_FAILED


@pytest.mark.parametrize("is_tunnel", [True, False])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        ("", ErrorKind.PROXY_CERTIFICATE_REQUIRED),
        ("stranger", ErrorKind.PROXY_CERTIFICATE_REFUSED),
        ("alice", None),
    ],
)
def test_a_proxy_that_wants_a_certificate(
    shown: str, kind: ErrorKind | None, version: ssl.TLSVersion, is_tunnel: bool, tmp_path: Path
) -> None:
    """With TLS 1.3 it says so once the client's handshake is done, in place of its answer to a request too."""
    proxy = Proxy(tmp_path, answer=OPEN if is_tunnel else None)
    (client_authority() if shown != "stranger" else trustme.CA()).configure_trust(proxy.context)
    proxy.context.verify_mode = ssl.CERT_REQUIRED
    proxy.context.maximum_version = version
    files = write_pem(tmp_path, "alice")
    identity = {"certs": (str(files.cert),), "keys": (str(files.key),)} if shown else {}
    with reached(proxy, outer(proxy_tls(proxy, **identity), is_tunnel)) as client:
        if kind is None:
            assert steps(client)[-1] is Step.OPEN
            return
        with pytest.raises(UpgradeFailure) as failure:
            _ = steps(client), heard(client, 1)
    assert failure.value.kind is kind
    assert failure.value.by_peer


def test_users_have_the_certificates_in_turns(tmp_path: Path) -> None:
    files = [write_pem(tmp_path, name) for name in ("alice", "bob")]
    certs, keys = tuple(f"{one.cert}" for one in files), tuple(f"{one.key}" for one in files)
    tls = proxy_tls(None, certs=certs, keys=keys)
    assert len({tls.context(user) for user in range(4)}) == 2
    assert outer(tls, user=3)._context is tls.context(1)


@pytest.mark.parametrize("is_tunnel", [True, False])
def test_the_session_with_the_proxy_is_resumed(is_tunnel: bool, tmp_path: Path) -> None:
    proxy = Proxy(tmp_path, answer=OPEN if is_tunnel else None)
    tls = proxy_tls(proxy)
    session, found = None, []
    for one in (proxy, proxy.again()):
        with reached(one, outer(tls, is_tunnel, session)) as client:
            steps(client)
            one.far.sendall(b"200")  # behind the tickets
            heard(client, 3)
            session = client.session
            found.append(client.proxy_flags)
    assert session is not None
    assert session.target is None
    assert found == [ConnectionFlag.PROXY_TLS, ConnectionFlag.PROXY_TLS | ConnectionFlag.PROXY_TLS_RESUMED]


class Inside:
    """The target inside the tunnel, by the ssl module on the far end of the proxy, in a thread."""

    def __init__(self, proxy: Proxy, folder: Path) -> None:
        authority = trustme.CA()
        self.ca_file = str(folder / "target-ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("h").configure_cert(self._context)
        self._proxy = proxy
        self.failure: Exception | None = None

    @contextmanager
    def answering(self, size: int, reply: bytes) -> Iterator[threading.Thread]:
        """It reads so many bytes, sends the reply, and ends without a word."""
        thread = threading.Thread(target=self._answer, args=(size, reply), daemon=True)
        thread.start()
        yield thread
        thread.join(10)

    def _answer(self, size: int, reply: bytes) -> None:
        try:
            self._proxy.far.settimeout(10)
            sock = self._context.wrap_socket(self._proxy.far.dup(), server_side=True)
            with sock:
                while size > 0:
                    size -= len(sock.recv(size))
                sock.sendall(reply)
        except OSError as error:
            self.failure = error


def client_of(proxy: Proxy, ca_file: str | None) -> TlsInTlsTransport:
    return TlsInTlsTransport(poller.of_hub(), outer(proxy_tls(proxy)), client_context("h", ca_file, False), b"h")


@pytest.mark.parametrize("sizes", [(4, 5), (300_000, 5), (4, 300_000)])
def test_tls_in_tls(sizes: tuple[int, int], tmp_path: Path) -> None:
    proxy = Proxy(tmp_path)
    target = Inside(proxy, tmp_path)
    told = b"x" * sizes[1]
    with reached(proxy, client_of(proxy, target.ca_file)) as client, target.answering(sizes[0], told) as thread:
        assert steps(client) == [Step.BEGIN_TUNNEL, Step.BEGIN_TLS, Step.OPEN]
        assert not client.resumed
        assert client.describe()["version"] == "TLSv1.3"
        view = memoryview(b"?" * sizes[0])
        while view:
            sent = client.send(view)
            if sent == WOULD_BLOCK:
                wait(client, Step.WANT_WRITE)
            else:
                view = view[sent:]
        assert heard(client, len(told)) == told
        assert None not in client.session
        thread.join(10)
        assert target.failure is None


def test_the_targets_own_certificate_is_checked_inside(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path)
    target = Inside(proxy, tmp_path)
    with reached(proxy, client_of(proxy, None)) as client, target.answering(1, b"") as thread:
        with pytest.raises(TlsFailure) as failure:
            steps(client)
        thread.join(10)
    assert failure.value.kind is ErrorKind.TLS_UNTRUSTED
    assert "alert" in str(target.failure).lower()


@pytest.mark.parametrize("reads_early", [True, False])
def test_early_data_inside(reads_early: bool, tmp_path: Path) -> None:
    proxy = Proxy(tmp_path)
    context, server = client_context("h", None, True), server_context(max_early_data_bytes=16_384)
    watch_early_data(context)
    session = early_session(context, server)
    proxy.far.setblocking(False)
    target = EarlyServer(server, proxy.far, reads_early=reads_early)
    client = TlsInTlsTransport(poller.of_hub(), outer(proxy_tls(proxy)), context, b"h", session, REQUEST)
    with reached(proxy, client):
        step, sent, received = Step.WANT_READ, 0, 0
        while received <= 0:
            if step is not Step.OPEN:
                step = client.establish()
            elif not sent:
                sent = max(0, client.send(REQUEST))
            else:
                received = client.receive()
            with suppress(OSError):
                target.step()
        assert (sent, client.buffer[:received]) == (len(REQUEST), b"x")
        assert (target.early, target.data) == (REQUEST if reads_early else b"", REQUEST)
        rejected = ConnectionFlag.EARLY_REJECTED | ConnectionFlag.EARLY_REPLAYED
        assert client.early_flags == (ConnectionFlag.EARLY_ACCEPTED if reads_early else rejected)
        assert client.resumed
        assert client.proxy_flags == ConnectionFlag.PROXY_TLS


def test_a_stream_that_is_cut_off_says_so(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path)
    target = Inside(proxy, tmp_path)
    with reached(proxy, client_of(proxy, target.ca_file)) as client, target.answering(1, b"x") as thread:
        steps(client)
        client.send(b"?")
        assert heard(client, 1) == b"x"
        thread.join(10)
        proxy.far.shutdown(socket.SHUT_RDWR)
        while (got := client.receive()) == WOULD_BLOCK:
            wait(client)
        assert got == 0
        assert client.is_cut_off
