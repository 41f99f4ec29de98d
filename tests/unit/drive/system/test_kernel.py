"""The kernel's counters, ports and sockets, read from tables and messages written by hand."""

from __future__ import annotations

import errno
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadgen.drive.system import ports, proc_net, sock_diag
from loadgen.drive.system.kernel import KernelMonitor
from loadgen.drive.system.ports import TIME_WAIT_S, PortSupply, destination, port_forecast, port_supply, ports_needed

SOCKSTAT = "sockets: used 90\nTCP: inuse {} orphan 0 tw {} alloc 40 mem 5\nUDP: inuse 2 mem 1\n"

NETSTAT = "TcpExt: ListenOverflows ListenDrops TCPSynRetrans\nTcpExt: {} {} {}\nIpExt: InOctets\nIpExt: 9\n"

SNMP = "Ip: Forwarding\nIp: 1\nTcp: MaxConn RetransSegs\nTcp: -1 {}\n"

SIDES = ("client", "server", "client_held", "server_held")


class Network:
    """Tables and settings of a kernel that the test writes itself."""

    def __init__(self, folder: Path) -> None:
        self.net, self.sysctl = folder / "net", folder / "sysctl"
        self.net.mkdir()
        self.sysctl.mkdir()

    def table(self, name: str, text: str) -> None:
        (self.net / name).write_text(text, "ascii")

    def setting(self, name: str, value: str) -> None:
        (self.sysctl / name).write_text(f"{value}\n", "ascii")


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Network:
    made = Network(tmp_path)
    monkeypatch.setattr(proc_net, "NET", made.net)
    monkeypatch.setattr(ports, "SYSCTL", made.sysctl)
    forbid_netlink(monkeypatch)
    return made


def forbid_netlink(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a sandbox does."""

    def refuse(request: bytes) -> Iterator[object]:
        raise PermissionError(errno.EPERM, "no netlink here")

    monkeypatch.setattr(sock_diag, "_replies", refuse)


@pytest.mark.skipif(sys.byteorder != "little", reason="the tables are written for a little-endian machine")
def test_a_block_in_which_old_sockets_end_added_none(network: Network) -> None:
    heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    target, me = "0100007F:1F90", "0100007F:8001"
    network.table("tcp", heading + entries(9, me, target, "06", 10) + entries(2, target, me, "06", 10))
    watch = KernelMonitor(8080, "127.0.0.1")
    watch.begin()
    network.table("tcp", heading + entries(3, me, target, "06", 5_990) + entries(5, target, me, "06", 5_990))
    found = watch.end()["kernel"]["time_wait"]
    watch.close()
    assert [found[side] for side in SIDES] == [0, 3, 3, 5]


def message(kind: int, payload: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(payload), kind, 2, 1, 0) + payload


def entry(state: int, remote_port: int, expires_ms: int, attributes: bytes = b"") -> bytes:
    """inet_diag_msg of an IPv4 socket, inside its message."""
    ends = struct.pack(">HH32x", 40_000, remote_port)
    return message(18, struct.pack("=BBBB", 2, state, 3, 0) + ends + struct.pack("=12xI16x", expires_ms) + attributes)


def test_messages_of_one_length_and_of_several_read_alike() -> None:
    port, end, waiting = socket.htons(80), message(3, bytes(4)), entry(6, 80, 500)
    open_one = entry(1, 80, 0, bytes(8))
    for parts, states in [
        ((waiting, waiting), [6, 6]),
        ((waiting, open_one, waiting), [6, 1, 6]),
        ((open_one, open_one), [1, 1]),
        ((), []),
    ]:
        for last in (b"", end) if parts else (end,):
            text = b"".join(parts) + last
            rows, ended = sock_diag._rows(bytearray(text.ljust(4096, b"\xff")), len(text))
            assert list(rows) == [(state, port, 500 if state == 6 else 0) for state in states]
            assert ended == bool(last)


@pytest.mark.parametrize("before", [b"", entry(6, 80, 500), entry(6, 80, 500) + entry(1, 80, 0, bytes(8))])
@pytest.mark.parametrize("kind", [2, 3])
def test_an_error_of_the_kernel_s_is_raised(before: bytes, kind: int) -> None:
    text = before + message(kind, struct.pack("=i", -errno.ENOENT))
    with pytest.raises(FileNotFoundError, match="sock_diag"):
        sock_diag._rows(bytearray(text.ljust(4096, b"\xff")), len(text))


def test_counters_are_differences_and_peaks_are_peaks(network: Network) -> None:
    network.table("sockstat", SOCKSTAT.format(10, 7))
    network.table("sockstat6", "TCP6: inuse 4\nUDP6: inuse 1\n")
    network.table("netstat", NETSTAT.format(1, 2, 30))
    network.table("snmp", SNMP.format(400))
    watch = KernelMonitor(80, "127.0.0.1")
    watch.begin()
    network.table("sockstat", SOCKSTAT.format(25, 90))
    watch.tick()
    network.table("sockstat", SOCKSTAT.format(12, 60))
    network.table("netstat", NETSTAT.format(4, 7, 41))
    network.table("snmp", SNMP.format(450))
    facts = watch.end()["kernel"]
    assert facts["time_wait"] == {"before": 7, "peak": 90, "after": 60} | dict.fromkeys(SIDES)
    assert facts["sockets_peak"] == 29
    names = ("listen_overflows", "listen_drops", "syn_retransmits", "retransmits")
    assert [facts[name] for name in names] == [3, 5, 11, 50]
    watch.begin()
    assert watch.end()["kernel"]["time_wait"]["peak"] == 60, "a block's peak is its own"
    watch.close()


def test_a_kernel_that_tells_nothing_is_survived(network: Network) -> None:
    watch = KernelMonitor(80, "127.0.0.1")
    watch.begin()
    watch.tick()
    facts = watch.end()["kernel"]
    watch.close()
    watch.close()
    assert set(facts.pop("time_wait").values()) == set(facts.pop("ports").values()) == set(facts.values()) == {None}
    assert watch.supply == PortSupply(None)
    assert port_forecast("close", 1e6, watch.supply) is None


def entries(count: int, first: str, second: str, state: str, when: int) -> str:
    """Lines of /proc/net/tcp."""
    line = "{:4d}: {} {} {} 00000000:00000000 03:{:08X} 00000000     0        0 0 3 0000000000000000\n"
    return "".join(line.format(number, first, second, state, when) for number in range(count))


@pytest.mark.skipif(sys.byteorder != "little", reason="the tables are written for a little-endian machine")
def test_ports_left_counts_those_that_the_kernel_gives_out_again(network: Network) -> None:
    target, me, other = "0100007F:1F90", "0100007F:8001", "0200007F:1F90"
    network.table(
        "tcp",
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        + entries(1, target, "00000000:0000", "0A", 0)  # listens
        + entries(20, me, target, "06", 5_950)  # closed half a second ago
        + entries(30, me, target, "06", 5_890)  # closed 1.1 s ago
        + entries(4, me, target, "01", 0)
        + entries(4, target, me, "01", 0)
        + entries(6, target, me, "06", 5_000)
        + entries(9, me, other, "06", 5_000),  # towards another address
    )
    network.setting("ip_local_port_range", "32768\t32847")
    network.setting("tcp_timestamps", "1")
    facts = {}
    for reuse in ("0", "2"):
        network.setting("tcp_tw_reuse", reuse)
        watch = KernelMonitor(8080, "127.0.0.1")
        watch.begin()
        facts[reuse] = watch.end()["kernel"]
        watch.close()
        assert [facts[reuse]["time_wait"][side] for side in SIDES] == [0, 0, 50, 6]
    assert facts["0"]["ports"] == {"range": 80, "in_use": 54, "reusable": 0, "left": 26}
    assert facts["2"]["ports"] == {"range": 80, "in_use": 54, "reusable": 30, "left": 56}
    network.setting("ip_local_port_range", "32768\t32777")
    network.setting("tcp_tw_reuse", "0")
    watch = KernelMonitor(8080, "127.0.0.1")
    watch.begin()
    assert watch.end()["kernel"]["ports"]["left"] == 0
    watch.close()


@pytest.mark.parametrize(
    ("written", "reached"),
    [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("192.0.2.1", "192.0.2.1")],
)
def test_the_address_at_the_other_end(written: str, reached: str) -> None:
    assert str(destination(written)) == reached


def test_a_name_is_no_address() -> None:
    assert destination("example.org") is None


@pytest.mark.parametrize(
    ("reuse", "timestamps", "delay_ms", "address", "held_s"),
    [
        ("2", "1", None, "127.0.0.1", 1.0),
        ("2", "1", None, "::1", 1.0),
        ("2", "1", "250", "127.0.0.1", 0.25),
        ("2", "1", None, "192.0.2.1", TIME_WAIT_S),
        ("1", "1", None, "192.0.2.1", 1.0),
        ("0", "1", None, "127.0.0.1", TIME_WAIT_S),
        ("1", "0", None, "127.0.0.1", TIME_WAIT_S),
    ],
)
def test_how_long_a_port_is_held(
    network: Network, reuse: str, timestamps: str, delay_ms: str | None, address: str, held_s: float
) -> None:
    network.setting("tcp_tw_reuse", reuse)
    network.setting("tcp_timestamps", timestamps)
    if delay_ms:
        network.setting("tcp_tw_reuse_delay", delay_ms)
    assert port_supply(address).held_s == held_s


@pytest.mark.parametrize(
    ("reserved", "sources", "there"),
    [
        ("", (), 28_232),
        ("8080,32768-32777,60999", (), 28_221),
        ("", ("127.0.0.2", "127.0.0.3"), 56_464),
        ("", ("127.0.0.2", "127.0.0.2"), 28_232),
    ],
)
def test_the_ports_that_are_there(network: Network, reserved: str, sources: tuple[str, ...], there: int) -> None:
    network.setting("ip_local_port_range", "32768\t60999")
    network.setting("ip_local_reserved_ports", reserved)
    assert port_supply("192.0.2.1", sources).available == there


def test_exhaustion_is_foreseen() -> None:
    supply = PortSupply(28_232)
    assert ports_needed(566.6) == 33_996
    assert port_forecast("close", 566.6, supply) == (
        "close at this rate (567/s) needs 33,996 ports in 60 s, 28,232 are there; add --source-ip or reuse connections"
    )
    assert port_forecast("close", 470, supply) is None
    assert port_forecast("close", 566.6, supply, for_s=20) is None, "the run is over before the ports are"
    assert port_forecast("close", 9_000, PortSupply(28_232, held_s=1.0)) is None
    assert "needs 30,000 ports in 1 s" in str(port_forecast("close", 30_000, PortSupply(28_232, held_s=1.0)))
    assert port_forecast("close", 9_000, PortSupply(28_232, max_time_wait=16_384)) is None
