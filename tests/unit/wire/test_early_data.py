"""Early data: taken by a server that reads it, sent again where it does not, and none where no session allows it."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.model.records import ConnectionFlag
from loadgen.wire import poller
from loadgen.wire.early_data import EarlyTlsTransport, watch_early_data
from loadgen.wire.tls import TlsTransport
from loadgen.wire.tls_context import ClientContext, client_context
from loadgen.wire.transport import Step
from tests.support.early_server import REQUEST, EarlyServer
from tests.support.secure_servers import server_context
from tests.support.transports import accept, address_of, ignore, listening, wait


class Pair:
    """A client and a server that have one context each for all of their connections."""

    def __init__(self, *, max_early_data_bytes: int, reads_early: bool) -> None:
        self._server = server_context(max_early_data_bytes=max_early_data_bytes)
        self._reads_early = reads_early
        self.context: ClientContext = client_context("h", None, insecure=True)
        watch_early_data(self.context)

    def visit(self, session: Any = None, request: bytes = REQUEST) -> tuple[Any, EarlyServer, int]:
        """A connection until the answer has come: the session for the next one, the server, the early data's flags."""
        with listening() as listener:
            hub = poller.of_hub()
            if session is None:
                client: Any = TlsTransport(hub, self.context, b"h")
            else:
                client = EarlyTlsTransport(hub, self.context, b"h", session, request)
            client.connect(address_of(listener), ignore)
            wait(client, Step.WANT_WRITE)
            server = EarlyServer(self._server, accept(listener), reads_early=self._reads_early)
        step, sent, received = Step.WANT_READ, 0, 0
        while received <= 0:
            if step is not Step.OPEN:
                step = client.establish()
            elif not sent:
                sent = client.send(request)
            else:
                received = client.receive()
            server.step()
        assert (sent, client.buffer[:1]) == (len(request), b"x")
        found = client.session, server, getattr(client, "early_flags", 0)
        client.close()
        server.close()
        return found


@pytest.mark.parametrize(
    ("reads_early", "flags"),
    [
        (True, ConnectionFlag.EARLY_ACCEPTED),
        (False, ConnectionFlag.EARLY_REJECTED | ConnectionFlag.EARLY_REPLAYED),
    ],
)
def test_a_request_is_sent_early_and_again_where_it_is_not_taken(reads_early: bool, flags: int) -> None:
    pair = Pair(max_early_data_bytes=16_384, reads_early=reads_early)
    session, server, found = pair.visit()
    assert (server.early, found) == (b"", 0)
    _, server, found = pair.visit(session)
    assert found == flags
    assert server.early == (REQUEST if reads_early else b"")
    assert server.data == REQUEST


@pytest.mark.parametrize(("allowed_bytes", "size_bytes"), [(0, 10), (100, 101)])
def test_nothing_is_early_where_the_session_does_not_allow_it(allowed_bytes: int, size_bytes: int) -> None:
    pair = Pair(max_early_data_bytes=allowed_bytes, reads_early=allowed_bytes > 0)
    session, _, _ = pair.visit()
    _, server, found = pair.visit(session, b"G" * size_bytes)
    assert (server.early, server.data, found) == (b"", b"G" * size_bytes, 0)
