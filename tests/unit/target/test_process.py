"""The account of the embedded target, asked for as a run does; that it starts and ends is in tests/process/target."""

from __future__ import annotations

import socket

from loadgen.model.target import parse_target
from loadgen.target.behaviour import Behaviour
from loadgen.target.process import account
from tests.support.target_thread import target_in_thread


def test_the_account_is_what_the_target_counted() -> None:
    with target_in_thread(Behaviour()) as server:
        found = account(parse_target(f"http://127.0.0.1:{server.port}/"), None)
        assert found is not None
        assert (found["accepted"], found["requests"]) == (0, 0)  # asking for it counts for nothing
        assert found.keys() == server.stats().keys()


def test_a_target_that_is_gone_has_no_account() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert account(parse_target(f"http://127.0.0.1:{port}/"), None) is None
