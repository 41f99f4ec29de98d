"""What a GOAWAY leaves alone: streams that are still answered, and frames that are ready to be sent."""

from __future__ import annotations

from h2 import events
from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from hyperframe.frame import GoAwayFrame

from loadgen.wire.http2.h2_base import BaseH2Connection

GET = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"h"), (b":path", b"/")]
RESPONSE = [(b":status", b"200")]


class Client(BaseH2Connection):
    """A client without settings of its own."""

    open_after_goaway = frozenset({ConnectionState.CLIENT_OPEN})


def client_and_server() -> tuple[Client, H2Connection]:
    """Both have had each other's first frames."""
    client = Client(H2Configuration(header_encoding=None))
    server = H2Connection(H2Configuration(client_side=False, header_encoding=None))
    client.initiate_connection()
    server.initiate_connection()
    server.receive_data(client.data_to_send())
    client.receive_data(server.data_to_send())
    client.data_to_send()
    return client, server


def test_a_goaway_ends_no_stream_that_is_still_answered() -> None:
    client, server = client_and_server()
    client.send_headers(1, GET, end_stream=True)
    server.receive_data(client.data_to_send())
    client.receive_data(GoAwayFrame(0, last_stream_id=1).serialize())
    server.send_headers(1, RESPONSE, end_stream=True)
    found = client.receive_data(server.data_to_send())
    assert isinstance(found[0], events.ResponseReceived)


def test_a_goaway_keeps_what_was_ready_to_be_sent() -> None:
    client, _ = client_and_server()
    client.ping(b"12345678")
    client.receive_data(GoAwayFrame(0, last_stream_id=0).serialize())
    assert b"12345678" in client.data_to_send()


def test_changes_stay_with_the_class_that_asked_for_them() -> None:
    client, _ = client_and_server()
    plain = H2Connection(H2Configuration())
    assert client.state_machine._transitions != plain.state_machine._transitions
