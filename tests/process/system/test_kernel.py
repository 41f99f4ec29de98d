"""The kernel's counters against connections that the test opens and closes; they count the whole machine."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from loadgen.drive.system import proc_net, sock_diag
from loadgen.drive.system.kernel import KernelMonitor
from loadgen.drive.system.ports import TIME_WAIT_S, destination
from loadgen.drive.system.sock_diag import SockDiag, Sockets

pytestmark = pytest.mark.alone  # it counts sockets and overflows, which other tests make too

SIDES = ("client", "server", "client_held", "server_held")


def forbid_netlink(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a sandbox does."""

    def refuse(request: bytes) -> Iterator[object]:
        raise PermissionError(errno.EPERM, "no netlink here")

    monkeypatch.setattr(sock_diag, "_replies", refuse)


def over_netlink(port: int, address: str, left_s: float) -> Sockets:
    """Count by netlink or skip the test."""
    try:
        return SockDiag(port, destination(address)).count(left_s)
    except OSError as error:
        pytest.skip(f"no sock_diag on this machine: {error}")


@pytest.fixture(params=[(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")], ids=["ipv4", "ipv6"])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    """Listens on a port that no earlier connection in TIME_WAIT speaks of: those end while a test counts."""
    family, address = request.param
    with ExitStack() as used:
        while True:
            try:
                server = used.enter_context(socket.create_server((address, 0), family=family))
            except OSError:
                pytest.skip(f"no {address} on this machine")
            watch = KernelMonitor(server.getsockname()[1], address)
            held = watch.held()
            watch.close()
            if not (held.client or held.server or held.in_use):
                yield server
                return


def connection(listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    """A client's socket and the server's."""
    client = socket.create_connection(listener.getsockname()[:2], timeout=5)
    server, _ = listener.accept()
    server.settimeout(5)
    return client, server


def close(first: socket.socket, second: socket.socket) -> None:
    """Close one side after the other, each when the kernel has handled what went before."""
    first.shutdown(socket.SHUT_WR)
    assert second.recv(1) == b""
    second.shutdown(socket.SHUT_WR)
    assert first.recv(1) == b""
    first.close()
    second.close()


def test_time_wait_is_on_the_side_that_closed_first(listener: socket.socket) -> None:
    address, port = listener.getsockname()[:2]
    watch = KernelMonitor(port, address)
    watch.begin()
    for _ in range(5):
        close(*connection(listener))
    for _ in range(3):
        client, server = connection(listener)
        close(server, client)
    client, server = connection(listener)
    watch.tick()
    facts = watch.end()["kernel"]
    watch.close()
    client.close()
    server.close()
    waiting = facts["time_wait"]
    assert (waiting["client"], waiting["server"]) == (5, 3)
    assert waiting["peak"] >= max(waiting["before"], waiting["after"])
    assert facts["ports"]["in_use"] == 6  # those 5, and the one still open; the server's TIME_WAIT holds no client port
    assert facts["sockets_peak"] >= 3  # two ends and the listening socket


def test_a_block_is_credited_with_what_it_added(listener: socket.socket) -> None:
    address, port = listener.getsockname()[:2]
    watch = KernelMonitor(port, address)
    for _ in range(4):
        close(*connection(listener))
    watch.begin()
    assert (watch.begun.client, watch.begun.server, watch.begun.in_use) == (4, 0, 4)
    close(*connection(listener))
    client, server = connection(listener)
    close(server, client)
    first = watch.end()["kernel"]["time_wait"]
    watch.begin()
    second = watch.end()["kernel"]["time_wait"]
    watch.close()
    assert [first[side] for side in SIDES] == [1, 1, 5, 1]
    assert [second[side] for side in SIDES] == [0, 0, 5, 1]


def test_a_dual_stack_server_s_sockets_are_found() -> None:
    try:
        listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    except (OSError, ValueError):
        pytest.skip("no dual-stack sockets on this machine")
    with listener:
        port = listener.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port), timeout=5)
        server, _ = listener.accept()
        server.settimeout(5)
        watch = KernelMonitor(port, "127.0.0.1")
        watch.begin()
        close(server, client)
        waiting = watch.end()["kernel"]["time_wait"]
        watch.close()
    assert (waiting["client"], waiting["server"]) == (0, 1)


@pytest.mark.parametrize("opened", [0, 1, 7])
def test_netlink_and_the_text_tables_count_alike(
    listener: socket.socket, opened: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, port = listener.getsockname()[:2]
    for _ in range(60):  # more than one buffer of the kernel's
        close(*connection(listener))
    for _ in range(4):
        client, server = connection(listener)
        close(server, client)
    still_open = [end for _ in range(opened) for end in connection(listener)]
    left_s = TIME_WAIT_S + 1
    found = over_netlink(port, address, left_s)
    assert found == Sockets(client=60, server=4, in_use=60 + opened, reusable=60)
    assert over_netlink(port, address, 0) == found._replace(reusable=0), "none is near its end"
    assert SockDiag(port, None).count(left_s) == found, "any address"
    assert SockDiag(port, destination("127.0.0.9")).count(left_s) == Sockets(0, 0, 0, 0), "another address"
    watch = KernelMonitor(port, address)
    with monkeypatch.context() as without_text:
        without_text.setattr(proc_net, "NET", Path("/nonexistent"))
        by_netlink = watch.held()
    forbid_netlink(monkeypatch)
    by_text = watch.held()
    watch.close()
    assert by_text == by_netlink
    assert (by_text.client, by_text.server, by_text.in_use) == (60, 4, 60 + opened)
    for end in still_open:
        end.close()


def test_an_ipv4_connection_of_a_dual_stack_server_is_counted_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    except (OSError, ValueError):
        pytest.skip("no dual-stack sockets on this machine")
    with listener:
        port = listener.getsockname()[1]
        for turn in range(5):
            client = socket.create_connection(("127.0.0.1", port), timeout=5)
            server, _ = listener.accept()
            server.settimeout(5)
            close(*((server, client) if turn < 3 else (client, server)))
    assert over_netlink(port, "127.0.0.1", 0) == Sockets(client=2, server=3, in_use=2, reusable=0)
    assert over_netlink(port, "::1", 0) == Sockets(0, 0, 0, 0)
    watch = KernelMonitor(port, "127.0.0.1")
    by_netlink = watch.held()
    forbid_netlink(monkeypatch)
    assert watch.held() == by_netlink
    watch.close()


def test_a_kernel_that_refuses_the_question_leaves_the_text(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, port = listener.getsockname()[:2]
    close(*connection(listener))
    monkeypatch.setattr(sock_diag, "_NETLINK_SOCK_DIAG", 31)  # no such protocol
    with pytest.raises(OSError):
        SockDiag(port, destination(address)).count(0)
    watch = KernelMonitor(port, address)
    held = watch.held()
    watch.close()
    assert (held.client, held.server, held.in_use) == (1, 0, 1)


def test_tcp_info_of_a_real_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client, server = connection(listener)
        with client, server:
            client.sendall(b"x")
            assert server.recv(1) == b"x"
            watch = KernelMonitor(listener.getsockname()[1], "127.0.0.1")
            watch.begin()
            watch.note_tcp(client)
            watch.note_tcp(client)
            tcp = watch.end()["tcp"]
    assert tcp["sampled"] == 2
    assert 0 < tcp["rtt_us_p50"] < 1_000_000
    assert 1 <= tcp["cwnd_p50"] <= 1_000
    assert tcp["retransmits"] == 0
    watch.note_tcp(client)  # closed
    assert watch.end()["tcp"]["sampled"] == 2
    watch.begin()
    assert watch.end()["tcp"] == {"sampled": 0, "rtt_us_p50": None, "cwnd_p50": None, "retransmits": None}
    watch.close()


def test_an_overflow_of_a_real_listen_queue_is_counted() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
        address, port = listener.getsockname()
        watch = KernelMonitor(port, address)
        watch.begin()
        crowd = [socket.socket() for _ in range(10)]
        for client in crowd:
            client.setblocking(False)
            client.connect_ex((address, port))
        for _ in range(300):  # a busy kernel may come to it later, after a second at most: SYNs are sent again
            facts = watch.end()["kernel"]
            if facts["listen_overflows"]:
                break
        watch.close()
        for client in crowd:
            client.close()
    assert facts["listen_overflows"] >= 1
    assert facts["listen_drops"] >= facts["listen_overflows"]


def test_a_server_elsewhere_has_no_side_here() -> None:
    watch = KernelMonitor(80, "192.0.2.1")  # RFC 5737: nobody's
    watch.begin()
    waiting = watch.end()["kernel"]["time_wait"]
    watch.close()
    assert (waiting["client"], waiting["server"]) == (0, None)
