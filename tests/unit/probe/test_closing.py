"""The probes of closing with servers that keep the rules; those that break them are in the table of violations."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from loadgen.model.audit import FindingRecord
from loadgen.target.behaviour import Behaviour
from loadgen.target.certificates import server_context
from tests.support.audits import audit, finding
from tests.support.processes import BYE, HELLO, read_request, scripted_server
from tests.support.target_thread import target_in_thread
from tests.support.violations.persistence import keeps, serves

# Of any length, all of it is sent before the client has read a byte.
LARGE = b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\nConnection: close\r\n\r\n" + bytes(3_000_000)


def closes_in_stages(connection: socket.socket, _number: int) -> None:
    """Its own side first; then it reads until the client has closed (RFC 9112 §9.6)."""
    read_request(connection)
    connection.sendall(LARGE)
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(9999):
        pass


def verdicts(findings: dict[str, FindingRecord]) -> dict[str, str]:
    return {name: one["verdict"] for name, one in findings.items()}


def test_a_server_that_closes_in_stages_has_nothing_to_hear() -> None:
    with scripted_server(closes_in_stages) as port:
        found = audit(f"http://127.0.0.1:{port}/", "closing")["findings"]
    assert verdicts(found) == {"close_honoured": "ok", "close_options": "ok", "lingering_close": "ok"}
    assert found["close_honoured"]["values"].items() >= {"closed": 3, "announced": 3, "fin": 3, "reset": 0}.items()
    assert len(found["close_options"]["values"]["honoured"]) == 6  # type: ignore[arg-type] # a list of strings
    assert found["lingering_close"]["values"]["response_bytes"] == 3_000_000


def test_a_close_without_its_announcement_is_a_note() -> None:
    def forgets_to_say(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            connection.sendall(HELLO)
            if b"close" in request:
                return

    with scripted_server(forgets_to_say) as port:
        found = finding(f"http://127.0.0.1:{port}/", "close_honoured")
    assert (found["verdict"], found["announced"]) == ("note", None)
    assert found["measured"].endswith("by FIN, without saying so")


def test_a_response_without_a_length_ends_with_the_close() -> None:
    with scripted_server(serves(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello")) as port:
        found = finding(f"http://127.0.0.1:{port}/", "close_honoured")
    assert (found["verdict"], found["measured"]) == ("ok", "3 of 3 closed with the last byte, by FIN")


def test_what_was_cut_off_is_counted_as_content() -> None:
    def cuts_off(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + (b"hel" if number == 2 else b"hello"))

    with scripted_server(cuts_off) as port:
        found = finding(f"http://127.0.0.1:{port}/", "lingering_close")
    assert found["values"]["response_bytes"] == 5
    assert found["measured"].startswith("5 bytes whole, but cut off at 3")


def test_where_close_is_ignored_its_spelling_is_not_asked_for() -> None:
    with scripted_server(keeps(HELLO)) as port:
        found = audit(f"http://127.0.0.1:{port}/", "close_options", timeout_ns=200_000_000)
    assert verdicts(found["findings"]) == {"close_honoured": "violation", "close_options": "unknown"}


def test_a_short_response_survives_a_hasty_server() -> None:
    with scripted_server(serves(BYE)) as port:
        found = finding(f"http://127.0.0.1:{port}/", "lingering_close")
    assert found["verdict"] in ("ok", "note")
    assert found["values"]["whole_with_more"] is True


@pytest.mark.parametrize("over_tls", [False, True])
def test_the_embedded_target_closes_as_it_should(over_tls: bool, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    context = server_context(("localhost", "127.0.0.1"), ca_file) if over_tls else None
    probes = ("close_honoured", "close_options", "lingering_close")
    with target_in_thread(Behaviour(), context) as server:
        url = f"http{'s' if over_tls else ''}://127.0.0.1:{server.port}/"
        found = audit(url, *probes, cacert=str(ca_file) if over_tls else None)["findings"]
    assert verdicts(found) == dict.fromkeys(probes, "ok")
