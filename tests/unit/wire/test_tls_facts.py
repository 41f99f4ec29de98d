"""What a peer's messages say, from their bytes and from a real handshake in memory."""

from __future__ import annotations

import pytest
from OpenSSL import SSL

from loadgen.wire.tls_context import client_context
from loadgen.wire.tls_facts import CLOSE_NOTIFY, TLS_1_2, TLS_1_3, HandshakeFacts, HandshakeLog, Ticket
from tests.support.secure_servers import server_context

RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
HANDSHAKE, ALERT = 22, 21


def vector(length_bytes: int, data: bytes) -> bytes:
    return len(data).to_bytes(length_bytes, "big") + data


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + vector(3, body)


def hello(*, random: bytes = b"r" * 32, session_id: bytes = b"", extensions: bytes | None = None) -> bytes:
    tail = b"" if extensions is None else vector(2, extensions)
    return message(2, b"\x03\x03" + random + vector(1, session_id) + b"\x13\x02\x00" + tail)


def extension(number: int, data: bytes) -> bytes:
    return number.to_bytes(2, "big") + vector(2, data)


IS_1_3 = extension(43, b"\x03\x04")


def facts_of(*messages: bytes) -> HandshakeFacts:
    facts = HandshakeFacts()
    for one in messages:
        facts.take(HANDSHAKE, one)
    return facts


def ticket_1_3(lifetime_s: int, extensions: bytes) -> bytes:
    return message(
        4, lifetime_s.to_bytes(4, "big") + b"aged" + vector(1, b"n") + vector(2, b"t") + vector(2, extensions)
    )


def test_tls_1_2() -> None:
    chain = vector(3, vector(3, b"leaf") + vector(3, b"issuer"))
    empty = message(4, (300).to_bytes(4, "big") + vector(2, b""))
    facts = facts_of(
        hello(session_id=b"id"), message(11, chain), message(4, (300).to_bytes(4, "big") + vector(2, b"t")), empty
    )
    assert (facts.version, facts.session_id, facts.asked_again) == (TLS_1_2, b"id", False)
    assert facts.certificates == [b"leaf", b"issuer"]
    assert facts.tickets == [Ticket(300)]


def test_tls_1_3() -> None:
    chain = vector(1, b"") + vector(3, vector(3, b"leaf") + vector(2, b"x") + vector(3, b"issuer") + vector(2, b""))
    facts = facts_of(
        hello(random=RETRY, extensions=IS_1_3),
        hello(session_id=b"echo", extensions=IS_1_3),
        message(11, chain),
        ticket_1_3(7200, b""),
        ticket_1_3(60, extension(42, (16384).to_bytes(4, "big"))),
    )
    assert (facts.version, facts.session_id, facts.asked_again) == (TLS_1_3, b"", True)
    assert facts.certificates == [b"leaf", b"issuer"]
    assert facts.tickets == [Ticket(7200), Ticket(60, 16384)]


@pytest.mark.parametrize("whole", [hello(session_id=b"id", extensions=IS_1_3), ticket_1_3(60, b"")])
def test_a_message_that_is_cut_off_says_nothing(whole: bytes) -> None:
    started = hello(extensions=IS_1_3)
    for size in range(len(whole)):
        before, after = facts_of(started), facts_of(started, whole[:size])
        # Without its extensions a hello is one of TLS 1.2.
        assert (after.tickets, after.certificates) == (before.tickets, before.certificates)


def test_alerts() -> None:
    facts = HandshakeFacts()
    facts.take(ALERT, b"\x02\x28")
    facts.take(ALERT, b"\x01")
    assert facts.alerts == [40]
    facts.take(ALERT, b"\x01\x00")
    assert facts.alerts == [40, CLOSE_NOTIFY]


def pump(*ends: SSL.Connection) -> None:
    """Carry what each end has to send to the other one, until both are silent."""
    moved = True
    while moved:
        moved = False
        for end, other in (ends, ends[::-1]):
            try:
                end.do_handshake()
                end.recv(1)
            except (SSL.WantReadError, SSL.ZeroReturnError):
                pass
            try:
                other.bio_write(end.bio_read(65536))
                moved = True
            except SSL.WantReadError:
                continue


def test_each_connection_of_a_context_has_its_own() -> None:
    context = client_context("localhost", None, insecure=True)
    log = HandshakeLog(context)
    backend = server_context(groups=b"P-384")
    found = []
    for _ in range(2):
        client, server = SSL.Connection(context, None), SSL.Connection(backend, None)
        client.set_connect_state()
        server.set_accept_state()
        pump(client, server)
        server.shutdown()
        pump(client, server)
        found.append(log.newest)
    first, second = found
    assert first is not second
    for facts in found:
        assert (facts.version, facts.asked_again, len(facts.tickets)) == (TLS_1_3, True, 2)
        assert len(facts.certificates) == 1
        assert CLOSE_NOTIFY in facts.alerts
