"""A client's context offers what the settings say; what the library does not know is a line before any connection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL

from loadgen.model.client_identity import ClientIdentity
from loadgen.model.exceptions import PlanError
from loadgen.model.tls_settings import TlsSettings
from loadgen.target.certificates import server_context
from loadgen.wire.client_certificates import load_certificates
from loadgen.wire.tls_context import ClientContext, check_hello, client_context
from tests.support.client_certificates import client_authority, write_pem
from tests.support.tls_handshakes import carry, handshake


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> SSL.Context:
    return server_context(("h",), tmp_path_factory.mktemp("ca") / "ca.pem", ("h2", "http/1.1"))


def context(alpn: tuple[bytes, ...] = (), certificate: Any = None, **settings: Any) -> ClientContext:
    return client_context("h", None, True, alpn, TlsSettings(**settings), certificate)


@pytest.mark.parametrize(
    ("settings", "negotiated"),
    [
        ({}, ("TLSv1.3", "TLS_AES_256_GCM_SHA384", "x25519")),
        ({"version": "1.2"}, ("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384", "x25519")),
        ({"version": "1.2-1.3", "groups": "P-256"}, ("TLSv1.3", "TLS_AES_256_GCM_SHA384", "secp256r1")),
        ({"groups": "X25519MLKEM768:X25519"}, ("TLSv1.3", "TLS_AES_256_GCM_SHA384", "X25519MLKEM768")),
        ({"ciphers": "TLS_AES_128_GCM_SHA256"}, ("TLSv1.3", "TLS_AES_128_GCM_SHA256", "x25519")),
        (
            {"version": "1.2", "ciphers": "!aNULL:ECDHE-ECDSA-CHACHA20-POLY1305:TLS_AES_128_GCM_SHA256:@STRENGTH"},
            ("TLSv1.2", "ECDHE-ECDSA-CHACHA20-POLY1305", "x25519"),
        ),
    ],
)
def test_offers(server: SSL.Context, settings: dict[str, str], negotiated: tuple[str, ...]) -> None:
    client, _ = handshake(context(**settings), server)
    found = client.get_protocol_version_name(), client.get_cipher_name(), client.get_group_name()
    assert found == negotiated


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"groups": "X25519:P-257"}, r"--groups: OpenSSL \S+ knows no group 'P-257'"),
        ({"ciphers": "TLS_AES_128_GCM_SHA256:TLS_NO"}, r"--ciphers: OpenSSL \S+ knows no cipher 'TLS_NO'"),
        ({"ciphers": "ECDHE-RSA-AES128-GCM-SHA256:NO-SUCH"}, "knows no cipher 'NO-SUCH'"),
        ({"ciphers": "HIGH:!ALL"}, "--ciphers HIGH:!ALL leaves no cipher"),
    ],
)
def test_what_the_library_does_not_know(settings: dict[str, str], line: str) -> None:
    with pytest.raises(PlanError, match=line):
        context(**settings)


def test_offers_that_contradict_each_other() -> None:
    for settings, line in (
        (TlsSettings(version="1.2", groups="X25519MLKEM768"), "add one that it has, as in X25519MLKEM768:X25519"),
        (
            TlsSettings(version="1.3", ciphers="TLS_AES_128_CCM_8_SHA256"),
            "no TLS handshake can begin with --tls-version",
        ),
    ):
        with pytest.raises(PlanError, match=line):
            check_hello(client_context("h", None, True, (), settings), settings)
    check_hello(context(), TlsSettings())


def test_a_context_knows_whether_a_certificate_was_asked_for(server: SSL.Context, tmp_path: Path) -> None:
    asking = server_context(("h",), tmp_path / "ca.pem")
    client_authority().configure_trust(asking)
    asking.set_verify(SSL.VERIFY_PEER)
    files = write_pem(tmp_path, "alice")
    (certificate,) = load_certificates(ClientIdentity((str(files.cert),), (str(files.key),)))
    for side, offered, asked in ((server, certificate, False), (asking, None, True), (asking, certificate, True)):
        own = context(certificate=offered)
        _, peer = handshake(own, side)
        assert (own.certificate_asked, own.has_certificate) == (asked, offered is not None)
        shown = peer.get_peer_certificate(as_cryptography=True)
        assert (shown is not None) == (asked and offered is not None)


def test_a_context_like_another_trusts_the_same(server: SSL.Context, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    own = server_context(("h",), ca_file)
    first = client_context("h", str(ca_file), False)
    again = client_context("h", None, False, like=first)
    del first
    client, _ = handshake(again, own)
    assert client.get_peer_certificate(as_cryptography=True) is not None
    with pytest.raises(SSL.Error):
        handshake(client_context("h", None, False, like=again), server)


def test_without_tickets_a_session_of_tls_1_2_is_resumed_by_its_number(server: SSL.Context) -> None:
    for tickets in (True, False):
        own = context(version="1.2", tickets=tickets)
        client, peer = handshake(own, server)
        client.shutdown()
        carry(client, peer)
        again, _ = handshake(own, server, client.get_session())
        assert again.get_session() is not None
        assert bool(SSL._lib.SSL_session_reused(again._ssl)) is True  # type: ignore[attr-defined] # not wrapped
