"""What `loadgen target --null` refuses; serving is in tests/unit/target/test_null_server.py."""

from __future__ import annotations

import socket

import pytest

from tests.support.runner import run_cli


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--size", "3"), "--size can't be had with --null, which gives one fixed response and does nothing else"),
        (("--idle-timeout", "1s", "--port", "0"), "--idle-timeout can't be had with --null"),
        (("--port", "65536"), "--port is 65,536"),
        (("--tls", "--ca-file", "/nonexistent/ca.pem", "--port", "0"), "can't serve on 127.0.0.1:0: No such file"),
        (("--host", "fe80::1", "--port", "1"), "can't serve on [fe80::1]:1: "),
    ],
)
def test_what_it_does_not_do_is_refused(arguments: tuple[str, ...], said: str) -> None:
    code, out, errors = run_cli("target", "--null", *arguments)
    assert (code, out) == (2, "")
    assert said in errors
    assert errors.count("\n") == 1


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, errors = run_cli("target", "--null", "--port", str(port))
    assert (code, errors) == (2, f"loadgen: can't serve on 127.0.0.1:{port}: Address already in use\n")
