"""Local ports run out, in a network of the test's own with few of them: foreseen, survived, relieved.

Also who holds the TIME_WAIT sockets, and a listen queue that is too short: in such a network nobody else counts.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from loadgen.drive import schedule
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target

PORTS = 200
USERS = 10


def paced(users: int = USERS, block_ms: int = 400) -> list[str]:
    """One round of blocks with at most 100 connections a second for each user; a busy machine makes it half of that."""
    load = ["--think", "10ms", "--rounds", "1", "--block", f"{block_ms}ms", "--warmup", "120ms"]
    return ["--users", f"{users}", *load]


_SETTINGS = {"ip_local_port_range": "40000 {last}", "tcp_tw_reuse": "0"}


class Network:
    """A network namespace with a loopback interface and this many local ports, none of them given out early."""

    def __init__(self, stack: ExitStack, ports: int) -> None:
        self._stack = stack
        settings = [
            f"echo '{value.format(last=40000 + ports - 1)}' > /proc/sys/net/ipv4/{name}"
            for name, value in _SETTINGS.items()
        ]
        # It lasts as long as a process in it; `cat` ends with its standard input.
        script = " && ".join(["ip link set lo up", *settings, "echo ready", "exec cat"])
        holder = self._start(["unshare", "--net", "sh", "-c", script])
        assert holder.stdout is not None
        if holder.stdout.readline() != "ready\n":
            pytest.skip("this machine permits no network namespace (root, and Debian's util-linux and iproute2)")
        self._enter = ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]

    def python(self, *arguments: str) -> str:
        """Start a server in it, until the end of the test; gives the first line that it prints."""
        process = self._start([*self._enter, sys.executable, *arguments])
        assert process.stdout is not None
        return process.stdout.readline().strip()

    def target(self, *arguments: str) -> str:
        """Start the embedded target; gives its URL."""
        return self.python("-m", "loadgen", "target", "--port", "0", "--until-eof", *arguments)

    def compare(self, url: str, out: Path, *arguments: str) -> tuple[dict[str, Any], str]:
        """Compare in it: the summary, and what was said on standard error."""
        command = [
            *self._enter,
            sys.executable,
            "-m",
            "loadgen",
            "compare",
            url,
            "--out",
            str(out),
            "--json",
            "--no-charts",
        ]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), done.stderr

    def _start(self, command: list[str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._stack.callback(_end, process)
        return process


def _end(process: subprocess.Popen[str]) -> None:
    """It ends with its standard input, or by force."""
    try:
        process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    for program in ("unshare", "nsenter", "ip"):
        if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            pytest.skip(f"{program} is not installed (Debian: util-linux, iproute2)")
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def few_ports(stack: ExitStack) -> Network:
    return Network(stack, PORTS)


@pytest.fixture
def many_ports(stack: ExitStack) -> Network:
    return Network(stack, 20_000)


def seed_for(first: str, second: str) -> str:
    """A seed with which the only round runs `first` before `second`."""
    for seed in range(100):
        policies = parse_policies(f"{first},{second}")
        plan = Plan(parse_target("http://127.0.0.1:1/"), policies, Load(rounds=1), seed=seed)
        if [block.cell.name for block in schedule.blocks(plan)] == [first, second]:
            return f"{seed}"
    raise AssertionError("no seed gives this order")


def codes(summary: dict[str, Any]) -> set[str]:
    return {warning["code"] for warning in summary["warnings"]}


def test_ports_run_out(few_ports: Network, tmp_path: Path) -> None:
    users = 30
    seed = seed_for("persistent", "abandon")
    arguments = ["--policies", "persistent,abandon", "--seed", seed, *paced(users)]
    summary, said = few_ports.compare(few_ports.target(), tmp_path / "run", *arguments)
    abandon, persistent = (summary["policies"][name] for name in ("abandon", "persistent"))
    # Foreseen, and for the policy that it is true of alone.
    foreseen = [warning["message"] for warning in summary["warnings"] if warning["code"] == "ports_foreseen"]
    assert len(foreseen) == 1
    assert foreseen[0].startswith("abandon at this rate")
    assert foreseen[0].endswith(f"{PORTS} are there; add --source-ip or reuse connections")
    assert f"loadgen: warning: {foreseen[0]}" in said
    # Survived: what failed is counted, each connection that there was had a port of its own.
    assert set(abandon["errors"]) == {"no_local_port"}
    assert abandon["started"] == abandon["requests"] + abandon["errors"]["no_local_port"]
    assert PORTS - users - 5 < abandon["connections"]["opened"] < PORTS  # persistent's are taken, and the target's own
    assert abandon["sockets"]["ports_range"] == PORTS
    assert abandon["sockets"]["ports_left"] <= 5
    assert "ports_nearly_used_up" in codes(summary)
    # The other policy had been there before.
    assert persistent["errors"] == {}
    assert persistent["requests"] > 100
    assert persistent["connections"]["opened"] == users


def test_who_comes_after_finds_no_port_and_the_run_goes_on(few_ports: Network, tmp_path: Path) -> None:
    """TIME_WAIT outlasts a block. What it cost the next policy is counted, not hidden."""
    arguments = ["--policies", "abandon,persistent", "--seed", seed_for("abandon", "persistent"), *paced(block_ms=800)]
    summary, said = few_ports.compare(few_ports.target(), tmp_path / "run", *arguments)
    abandon, persistent = (summary["policies"][name] for name in ("abandon", "persistent"))
    assert abandon["requests"] > 0
    assert set(abandon["errors"]) == set(persistent["errors"]) == {"no_local_port"}
    assert persistent["requests"] == persistent["connections"]["opened"] == 0
    # It is not persistent that needs more of them.
    assert "persistent at this rate" not in said


def test_more_addresses_relieve(few_ports: Network, tmp_path: Path) -> None:
    sources = [part for last in range(2, 6) for part in ("--source-ip", f"127.0.0.{last}")]
    arguments = ["--policies", "persistent,abandon", *paced(15), *sources]
    summary, said = few_ports.compare(few_ports.target(), tmp_path / "run", *arguments)
    abandon = summary["policies"]["abandon"]
    assert abandon["errors"] == {}
    assert abandon["sockets"]["ports_range"] == 4 * PORTS > abandon["connections"]["opened"] > PORTS
    assert "ports_foreseen" not in codes(summary)
    assert "at this rate" not in said


@pytest.mark.alone  # who closes first is a matter of time
def test_a_client_that_closes_first_holds_the_time_wait(many_ports: Network, tmp_path: Path) -> None:
    summary, _ = many_ports.compare(many_ports.target(), tmp_path / "run", "--policies", "abandon", *paced())
    one = summary["policies"]["abandon"]
    opened = one["connections"]["opened"]
    assert opened == one["connections"]["closed_by"]["client"] > 10 * USERS
    # What was closed at the end of the block may not have come as far as TIME_WAIT.
    assert opened - USERS <= one["sockets"]["time_wait_client"] <= opened
    assert one["sockets"]["time_wait_server"] == 0


@pytest.mark.alone
@pytest.mark.parametrize("behaviour", [("--close-after", "1"), ("--idle-timeout", "4ms", "--silent")])
def test_a_server_that_closes_first_holds_the_time_wait(
    many_ports: Network, tmp_path: Path, behaviour: tuple[str, ...]
) -> None:
    """It announces that, or does it while its clients think; the ports of the client's are free again at once."""
    url = many_ports.target(*behaviour)
    summary, _ = many_ports.compare(url, tmp_path / "run", "--policies", "persistent", *paced())
    one = summary["policies"]["persistent"]
    opened = one["connections"]["opened"]
    assert one["connections"]["closed_by"]["server"] >= opened - USERS > 9 * USERS
    held = {side: one["sockets"][f"time_wait_{side}"] for side in ("client", "server")}
    if "--silent" in behaviour:
        assert held["client"] < held["server"]
    else:  # a client that reads of the close may close first, and does so half of the time
        held["server"] += held["client"]
    # Fewer than were opened: a port used again is one socket only. Of what both close at once each holds one.
    assert 0.5 * opened < held["server"] <= (1 if "--silent" in behaviour else 2) * opened
    assert "ports_foreseen" not in codes(summary)


# Serves one connection at a time and lets no second one wait: SYNs that come meanwhile are dropped.
_NARROW = """
import socket, sys, threading

def serve():
    while True:
        with listener.accept()[0] as connection:
            while connection.recv(65536):
                connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello")

listener = socket.create_server(("127.0.0.1", 0), backlog=0)
threading.Thread(target=serve, daemon=True).start()
print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
sys.stdin.read()
"""


def test_a_listen_queue_that_is_too_short(many_ports: Network, tmp_path: Path) -> None:
    """Who waits a second or more for a connection met a full queue: the kernel's counters say so."""
    url = many_ports.python("-c", _NARROW)
    load = ("--users", "8", "--rounds", "1", "--block", "1200ms", "--warmup", "0s", "--timeout", "1500ms")
    summary, _ = many_ports.compare(url, tmp_path / "run", "--policies", "close", "--think", "1ms", *load)
    close = summary["policies"]["close"]
    assert close["sockets"]["listen_overflows"] > 0
    assert close["sockets"]["syn_retransmits"] > 0
    # A SYN is sent again after a second; it may find the queue full again, and the deadline comes before the third.
    assert close["errors"].get("connect_timeout", 0) > 0 or close["latency_ns"]["max"] > 900_000_000
    assert close["requests"] > 0
    assert {"listen_overflows", "syn_retransmits"} <= codes(summary)


@pytest.mark.parametrize("load", [["--users", "1500"], ["--rate", "20000", "--max-connections", "20"]])
def test_many_who_wait_survive_connections_that_fail_at_once(
    few_ports: Network, tmp_path: Path, load: list[str]
) -> None:
    """A connect without a port fails in the call itself, and the next one waiting is served: hundreds in a row."""
    arguments = ["--policies", "pool:20+abandon", "--rounds", "1", "--block", "500ms", "--warmup", "0s", *load]
    summary, _ = few_ports.compare(few_ports.target(), tmp_path / "run", *arguments)
    one = summary["policies"]["pool:20+abandon"]
    assert one["errors"]["no_local_port"] > 1000
    assert one["started"] == one["requests"] + sum(one["errors"].values()) + one["unfinished"]
