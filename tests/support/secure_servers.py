"""TLS servers in threads, for what a handshake can show: versions, certificates, tickets, farms. By pyOpenSSL."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import trustme
from OpenSSL import SSL

from loadgen.wire.openssl import lib
from loadgen.wire.tls_facts import TLS_1_2, TLS_1_3
from tests.support.processes import BYE, HELLO, scripted_server

_NAMES = ("localhost", "127.0.0.1")


@lru_cache
def authority() -> trustme.CA:
    """What the tests' servers are certified by."""
    return trustme.CA()


@lru_cache
def certificate(*names: str, until: datetime | None = None, rsa: bool = False) -> trustme.LeafCert:
    """One for these names; without any for the loopback's."""
    kind = trustme.KeyType.RSA if rsa else trustme.KeyType.ECDSA
    return authority().issue_cert(*(names or _NAMES), not_after=until, key_type=kind)


def server_context(
    *,
    leaf: trustme.LeafCert | None = None,
    versions: tuple[int, int] = (TLS_1_2, TLS_1_3),
    ciphers: bytes = b"",
    groups: bytes = b"",
    tickets: bool = True,
    cache: bool = True,
    lifetime_s: int = 300,
    max_early_data_bytes: int = 0,
) -> SSL.Context:
    """A context whose keys for tickets and whose sessions are its own."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    (leaf or certificate()).configure_cert(context)
    context.set_min_proto_version(versions[0])
    context.set_max_proto_version(versions[1])
    context.set_session_id(b"test")
    context.set_timeout(lifetime_s)
    context.set_session_cache_mode(SSL.SESS_CACHE_SERVER if cache else SSL.SESS_CACHE_OFF)
    if ciphers:
        context.set_cipher_list(ciphers)
    if groups:
        lib.SSL_CTX_set1_curves_list(context._context, groups)
    if not tickets:
        context.set_options(lib.SSL_OP_NO_TICKET)
    if max_early_data_bytes:  # OpenSSL takes a ticket once only, then (RFC 8446 §8.1)
        lib.SSL_CTX_set_max_early_data(context._context, max_early_data_bytes)
    return context


def in_turns(*contexts: SSL.Context) -> Callable[[int], SSL.Context]:
    """Backends behind a balancer that takes them in turns, and that share nothing."""
    return lambda number: contexts[number % len(contexts)]


@dataclass
class SecureServer:
    """Answers each request on each connection. context_of: the context of a connection, by its number from 0."""

    context_of: Callable[[int], SSL.Context]
    says_goodbye: bool = True
    """It sends close_notify before it closes."""
    requests: list[bytes] = field(default_factory=list)
    """Those behind which the connection went on."""
    lasts: list[bytes] = field(default_factory=list)
    """Those that asked for a close."""

    def script(self, connection: socket.socket, number: int) -> None:
        connection.setblocking(True)
        stream = SSL.Connection(self.context_of(number), connection)
        stream.set_accept_state()
        with suppress(SSL.Error):
            stream.do_handshake()
            while b"\r\nConnection: close\r\n" not in (request := _read_request(stream)):
                self.requests.append(request)
                stream.sendall(HELLO)
            self.lasts.append(request)
            stream.sendall(BYE)
        if self.says_goodbye:
            with suppress(SSL.Error):
                stream.shutdown()  # without it OpenSSL forgets the session, too


@contextmanager
def secure_server(server: SecureServer | SSL.Context) -> Iterator[str]:
    """The URL of a server that runs, by name; of a usual one for a context alone."""
    one = server if isinstance(server, SecureServer) else SecureServer(in_turns(server))
    with scripted_server(one.script) as port:
        yield f"https://localhost:{port}/"


def trust(folder: Path) -> dict[str, Any]:
    """The fields of a plan that trusts the tests' servers."""
    path = folder / "ca.pem"
    authority().cert_pem.write_to_path(str(path))
    return {"cacert": str(path)}


def _read_request(stream: SSL.Connection) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += stream.recv(65536)
    return data
