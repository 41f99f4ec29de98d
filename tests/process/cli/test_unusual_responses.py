"""Responses that are not to the letter: counted where a client may accept them, else refused with the rule."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from pathlib import Path

import pytest

from loadgen.show import tables
from tests.support.processes import compare, loadgen, scripted_server

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 5\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
PLAIN = OK + LENGTH + b"\r\nhello"
LENIENT = {
    "": PLAIN,
    "obs_fold": OK + b"X: a\r\n b\r\n" + LENGTH + b"\r\nhello",
    "bare_lf": PLAIN.replace(b"\r\n", b"\n"),
    "repeated_content_length": OK + LENGTH + LENGTH + b"\r\nhello",
    "chunk_blanks": CHUNKED + b"5 ;a = b\r\nhello\r\n0\r\n\r\n",
    "control_character": OK + b"X: a\x01\r\n" + LENGTH + b"\r\nhello",
    "empty_line": CHUNKED + b"5\r\nhello\r\n0\r\n\r\n\r\n",
}


@pytest.mark.usefixtures("no_drawing")
def test_deviations_are_counted_as_often_as_the_server_sent_them(tmp_path: Path) -> None:
    """In several processes, on connections with one request in flight and with several: no connection ends by them."""
    sent: Counter[str] = Counter()
    lock = threading.Lock()

    def script(connection: socket.socket, number: int) -> None:
        labels = list(LENIENT)
        while data := connection.recv(65536):
            for _ in range(data.count(b"\r\n\r\n")):
                number += 1
                label = labels[number % len(labels)]
                with lock:
                    sent[label] += 1
                connection.sendall(LENIENT[label])

    with scripted_server(script) as port:
        policies = ("--policies", "persistent,pipeline:4", "--users", "2", "--processes", "2")
        summary = compare(f"http://127.0.0.1:{port}/", tmp_path / "run", *policies)
    counted = Counter[str]()
    for name, one in summary["policies"].items():
        assert one["errors"] == {}
        counted.update(one["lenient"])
        (message,) = [
            warning["message"]
            for warning in summary["warnings"]
            if warning["code"] == "lenient" and warning["message"].startswith(name)
        ]
        assert "bare_lf in " in message
        assert "(RFC 9112 §2.2)" in message
        # One connection each user and block, as the server never closes one.
        assert one["connections"]["closed_by"]["server"] == 0
        assert one["connections"]["requests_per_connection"] > len(LENIENT)
        assert one["unasked_bytes"]["connections"] == 0
    del sent[""]
    assert counted == sent
    assert {row[1] for row in tables.lenient(summary).rows} == set(sent)


def answering(answer: bytes) -> object:
    def script(connection: socket.socket, _number: int) -> None:
        while connection.recv(65536):
            connection.sendall(answer)

    return script


def test_bytes_behind_a_response_are_named(tmp_path: Path) -> None:
    with scripted_server(answering(b"HTTP/1.1 204 No Content\r\n\r\nhello")) as port:
        policies = ("--policies", "persistent", "--users", "1")
        summary = compare(f"http://127.0.0.1:{port}/", tmp_path / "run", *policies)
    one = summary["policies"]["persistent"]
    assert one["unasked_bytes"]["connections"] == one["connections"]["exchanges_with_warmup"] > 0
    assert one["unasked_bytes"]["example"] == "5 bytes after a 204: b'hello'"
    (message,) = [warning["message"] for warning in summary["warnings"] if warning["code"] == "unasked_bytes"]
    assert message.endswith("which were closed: 5 bytes after a 204: b'hello'")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            OK + LENGTH + b"Content-Length: 6\r\n\r\n",
            "malformed: two different Content-Length values, 5 and 6 (RFC 9112 §6.3); other clients may refuse this",
        ),
        (b"SSH-2.0-x\r\n", "'SSH-2.0-x\\r\\n', so the server speaks SSH; does this port speak HTTP/1.1"),
    ],
    ids=["two lengths", "ssh"],
)
def test_a_run_that_can_not_begin_says_which_rule_was_broken(tmp_path: Path, answer: bytes, message: str) -> None:
    with scripted_server(answering(answer)) as port:
        done = loadgen("compare", f"http://127.0.0.1:{port}/", "--out", str(tmp_path / "run"))
    assert done.returncode == 3
    assert message in done.stderr
