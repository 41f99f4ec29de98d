"""The embedded target's TLS: certificates that it demands, versions, sessions; its options belong to --tls."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL

from loadgen.model.client_identity import ClientIdentity
from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import PlanError
from loadgen.target.certificates import server_context
from loadgen.target.server_tls import ServerTls
from loadgen.wire import poller
from loadgen.wire.client_certificates import load_certificates
from loadgen.wire.errors import TlsFailure
from loadgen.wire.tls import TlsTransport
from loadgen.wire.tls_context import client_context
from loadgen.wire.transport import Step
from tests.support.client_certificates import client_authority, write_pem
from tests.support.tls_handshakes import handshake
from tests.support.transports import accept, address_of, establish, ignore, listening, receive, wait


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    client_authority().cert_pem.write_to_path(str(tmp_path / "clients.pem"))
    return tmp_path / "clients.pem"


def options(**values: Any) -> dict[str, Any]:
    return {"tls": True, "client_ca": None, "tls_version": None, "tickets": True, "early_data": False, **values}


def test_its_options_are_for_tls() -> None:
    assert ServerTls.of(options(tls_version="1.2")).versions == ("1.2", "1.2")
    assert ServerTls.of(options(tls=False)) == ServerTls()
    with pytest.raises(PlanError, match="--client-ca, --tls-version, --no-tickets and --early-data are for --tls"):
        ServerTls.of(options(tls=False, tickets=False))
    with pytest.raises(PlanError, match="--early-data is of TLS 1\\.3, and"):
        ServerTls.of(options(tls_version="1.2", early_data=True))
    with pytest.raises(PlanError, match="--early-data takes a ticket; leave out --no-tickets"):
        ServerTls.of(options(tickets=False, early_data=True))


def test_versions_and_an_authority_that_can_not_be_read(tmp_path: Path) -> None:
    client, _ = handshake(
        client_context("h", None, True), server_context(("h",), tmp_path / "ca.pem", (), ServerTls(version="1.2"))
    )
    assert client.get_protocol_version() == SSL.TLS1_2_VERSION
    with pytest.raises(PlanError, match=r"--client-ca .*: no PEM certificate can be read from it"):
        server_context(("h",), tmp_path / "ca.pem", (), ServerTls(client_ca=tmp_path / "none.pem"))


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_client_without_a_certificate_is_told_so(tmp_path: Path, authority: Path, version: str) -> None:
    """With TLS 1.3 the alert comes once the client's own handshake is done: its first read has it."""
    server = server_context(("h",), tmp_path / "ca.pem", (), ServerTls(authority, version))
    files = write_pem(tmp_path, "alice")
    (certificate,) = load_certificates(ClientIdentity((str(files.cert),), (str(files.key),)))
    for shown in (None, certificate):
        context = client_context("h", None, True, certificate=shown)
        with listening() as listener:
            client = TlsTransport(poller.of_hub(), context, b"h")
            client.connect(address_of(listener), ignore)
            wait(client, Step.WANT_WRITE)
            peer = TlsTransport(poller.of_hub(), server, None, accepted=accept(listener))
        try:
            if shown is None:
                with pytest.raises(TlsFailure) as failure:
                    _shake_and_read(client, peer)
                assert failure.value.kind is ErrorKind.TLS_CERTIFICATE_REQUIRED
                assert failure.value.by_peer
            else:
                establish(client, peer)
                peer.send(b"x")
                assert receive(client, 1) == b"x"
                assert client.describe()["client_certificate"] == "sent"
        finally:
            client.close()
            peer.close()


def _shake_and_read(client: TlsTransport, peer: TlsTransport) -> None:
    """Let both go on until the client fails; the server does so first."""
    is_open = False
    for _ in range(20):
        if is_open:
            client.receive()
        else:
            is_open = client.establish() is Step.OPEN
        with suppress(TlsFailure):
            peer.establish()
