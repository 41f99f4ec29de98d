"""The first request of a run meets a server that is just starting, or none at all."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from tests.support.processes import HELLO, QUICK, compare, loadgen, read_request, reset_at_close, scripted_server
from tests.support.runs import check_account
from tests.support.targets import Target

NOT_READY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n"


def test_a_server_that_is_just_starting_is_waited_for(tmp_path: Path) -> None:
    accepted, requests = [0], [0]

    def script(connection: socket.socket, number: int) -> None:
        accepted[0] += 1
        while read_request(connection):
            requests[0] += 1
            if number == 0:
                reset_at_close(connection)
                return  # which resets the connection
            connection.sendall(NOT_READY if requests[0] == 2 else HELLO)

    with scripted_server(script) as port:
        summary = compare(f"http://127.0.0.1:{port}/", tmp_path / "run", "--policies", "persistent", "--users", "2")
    check_account(summary)
    connections = summary["policies"]["persistent"]["connections"]
    assert connections["opened"] == accepted[0]
    # Which the server counted, and no one else did, is the request that was reset.
    assert connections["exchanges_with_warmup"] == requests[0] - 1
    assert connections["warmup_errors"] == 1
    (message,) = (one["message"] for one in summary["warnings"] if one["code"] == "first_request_failed")
    assert message.startswith(
        "the first request failed 2 times: closed without response (1), status 503 (1); it was sent again, and the run "
        "began 0."
    )


def test_a_server_that_never_comes_is_named_with_the_number_of_tries(closed_port: int, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{closed_port}/"
    done = loadgen("compare", url, "--out", "run", "--no-charts", *QUICK, cwd=tmp_path)
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert f"{url}: connect refused: no one listens at this address and port" in line
    assert "(tried 5 times in 1." in line
    assert not (tmp_path / "run").exists()


def test_without_a_warm_up_all_handshakes_but_the_runs_first_are_counted(
    share_target: Callable[..., Target], tmp_path: Path
) -> None:
    target = share_target()
    names = ("persistent", "close", "pool:2", "pipeline:2", "h2-prior")
    load = ("--users", "3", "--warmup", "0s", "--policies", ",".join(names))
    summary = compare(target.url, tmp_path / "run", *load)
    check_account(summary)
    policies = summary["policies"].values()
    # Only a connection that a block's end cut off has no request in a window, and here every one has.
    uncounted = [one["connections"]["opened"] - one["phases_ns"]["connect"]["count"] for one in policies]
    assert sorted(uncounted) == [0] * (len(names) - 1) + [1]
    assert sum(one["connections"]["exchanges_with_warmup"] - one["started"] for one in policies) == 1
    assert summary["policies"]["persistent"]["connections"]["opened"] == 2 * 3
