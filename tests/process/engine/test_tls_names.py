"""Names in TLS: the dot of the root stands in Host alone; and a server that demands ALPN is offered HTTP/1.1."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from tests.support.hostile.behaviour import GOOD
from tests.support.hostile.run import run_here


class DemandingServer:
    """Answers each request well; closes a connection on which no protocol was agreed on. Keeps what clients named."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        self.names: set[str | None] = set()
        self.hosts: set[bytes] = set()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(self._context)
        self._context.set_alpn_protocols(["http/1.1"])
        self._context.sni_callback = lambda _tls, name, _context: self.names.add(name)  # type: ignore[assignment] # None means to go on
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()
        assert not self._thread.is_alive()

    def _accept(self) -> None:
        threads = []
        with suppress(OSError):  # it is closed
            while True:
                connection, _ = self._listener.accept()
                connection.settimeout(10)
                threads.append(threading.Thread(target=self._serve, args=(connection,)))
                threads[-1].start()
        for thread in threads:
            thread.join(10)

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), self._context.wrap_socket(connection, server_side=True) as link:
            while link.selected_alpn_protocol() == "http/1.1" and (request := link.recv(1 << 16)):
                self.hosts |= {line for line in request.splitlines() if line.lower().startswith(b"host:")}
                link.sendall(GOOD)


@pytest.mark.parametrize("host", ["localhost", "localhost."])
def test_the_dot_of_the_root_is_no_part_of_a_name_in_tls(tmp_path: Path, host: str) -> None:
    server = DemandingServer(tmp_path)
    try:
        url = f"https://{host}:{server.port}/"
        run = run_here(url, tmp_path / "run", "--policies", "persistent,close", ca_file=server.ca_file)
    finally:
        server.close()
    assert (run.refusal, {status for block in run.blocks for status in block.results}) == ("", {"200"})
    assert server.names == {"localhost"}
    assert server.hosts == {f"Host: {host}:{server.port}".encode()}
