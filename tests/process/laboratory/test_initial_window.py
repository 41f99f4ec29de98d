"""The probe of the initial window, on round trips of 20 ms: it finds what the server's route was given."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from loadgen.model.units import NS_PER_MS
from tests.support.audits import finding
from tests.support.laboratory.network import Network, missing, network
from tests.support.processes import Script, read_request, scripted_server

pytestmark = [pytest.mark.alone, pytest.mark.peer]

RTT_NS = 20 * NS_PER_MS
NUMBER = 78


@pytest.fixture(scope="module")
def wire() -> Iterator[Network]:
    """A network of its own, as its routes are changed."""
    if why := missing():
        pytest.skip(f"no laboratory here: {why}")
    with network(number=NUMBER) as it:
        yield it


def serves(size_bytes: int) -> Script:
    response = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size_bytes + bytes(size_bytes)

    def script(connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            connection.sendall(response)

    return script


@pytest.mark.parametrize(
    ("segments", "size_bytes", "verdict"),
    [(10, 200_000, "ok"), (4, 200_000, "note"), (30, 200_000, "ok"), (10, 2_000, "unknown")],
)
def test_it_is_found(wire: Network, segments: int, size_bytes: int, verdict: str) -> None:
    wire.server.ip(f"route change 10.{NUMBER}.0.0/16 dev wire{NUMBER} initcwnd {segments}")
    address = wire.address(RTT_NS)
    with wire.server.entered():
        server = scripted_server(serves(size_bytes), host=address)
        port = server.__enter__()
    try:
        with wire.client.entered():
            found = finding(f"http://{address}:{port}/", "initial_window")
    finally:
        server.__exit__(None, None, None)
    whole = size_bytes < 10_000
    assert found["verdict"] == verdict, found
    assert found["values"]["whole"] is whole
    assert found["values"]["segments"] == (2 if whole else segments)
    assert found["values"]["mss_bytes"] == 1_448  # of 1,500: two heads of 20 bytes, 12 of time stamps
