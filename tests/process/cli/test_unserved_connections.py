"""A real server that serves one connection at a time: those that wait are counted, beside the quick one."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

from tests.support.processes import compare, read_request, scripted_server

ROUNDS = 1


def test_a_server_with_one_worker_and_kept_connections(tmp_path: Path) -> None:
    worker = threading.Lock()

    def script(connection: socket.socket, _number: int) -> None:
        with worker:
            while read_request(connection):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    with scripted_server(script) as port:
        arguments = ["--policies", "persistent", "--users", "3", "--rounds", f"{ROUNDS}", "--block", "600ms"]
        summary = compare(f"http://127.0.0.1:{port}/", tmp_path / "run", *arguments, "--timeout", "900ms")
    one = summary["policies"]["persistent"]
    # Where a busy machine lets a user begin after the warm-up, its request fails inside the window.
    late = sum(one["errors"].values()) + one["unfinished"]
    assert one["connections"]["ideal"] == 3 * ROUNDS
    assert one["connections"]["unserved"] + late == 2 * ROUNDS
    # The requests of the one that is served may look slow then, too.
    codes = {warning["code"] for warning in summary["warnings"]}
    assert codes & {"connections_unserved", "window_outlasted", "errors"}
