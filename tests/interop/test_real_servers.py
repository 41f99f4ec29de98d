"""Every connection policy against independent servers: their own counts must equal ours, exactly.

A worker runs one block of each policy, and what it wrote is read as a report reads it. Which block a connection of the
server's account belongs to, its time tells.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadgen.measure.data.recorder import CONNECTIONS_FILE, EXCHANGES_FILE
from loadgen.measure.data.rows import read_rows
from loadgen.model.plan import Load, Plan
from loadgen.model.policy import HTTP1, PARTS, UNLIMITED, Part, parse_policies
from loadgen.model.records import CONNECTION_FIELDS, EXCHANGE_FIELDS
from loadgen.model.target import parse_target
from loadgen.model.units import parse_duration_ns
from tests.support.processes import Nginx, compare, running_nginx
from tests.support.servers import PEERS, Peer, Served, Start, gunicorn, limited_nginx, nginx_peer

pytestmark = pytest.mark.peer
USERS = 4


@dataclass(frozen=True, slots=True)
class Counted:
    """One block as both sides counted it: how many connections carried how many answered requests."""

    ours: Counter[int]
    theirs: Counter[int]
    facts: dict[str, Any]

    @property
    def requests(self) -> int:
        return sum(size * connections for size, connections in self.theirs.items())

    @property
    def connections(self) -> int:
        return self.theirs.total()


class Work:
    """A worker at its load: one round of these policies."""

    def __init__(
        self, url: str, folder: Path, policies: tuple[str, ...], block: str, users: int = USERS, **more: Any
    ) -> None:
        folder.mkdir()
        load = Load(users, 1, parse_duration_ns(block), parse_duration_ns("50ms"))
        self.plan = Plan(parse_target(url), parse_policies(",".join(policies)), load, **more)
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "loadgen", "_worker", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        job = {"plan": self.plan.to_json(secrets=True), "skip": [], "first_connection": 0}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()

    def __enter__(self) -> Work:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing of it is left, whatever happened."""
        self._process.kill()
        self._process.__exit__(None, None, None)

    def end(self) -> None:
        """Wait until it has run everything; the end of its standard input would cut it short."""
        assert self._process.stdout is not None
        events = [json.loads(line) for line in self._process.stdout]
        assert events[-1] == {"end": "done"}

    def counted(self, account: list[Served], blur_ns: int) -> dict[str, Counted]:
        """Both sides' counts of each block, by policy."""
        exchanges = np.fromfile(self._folder / EXCHANGES_FILE, [(name, "=i8") for name in EXCHANGE_FIELDS])
        opened = np.fromfile(self._folder / CONNECTIONS_FILE, [(name, "=i8") for name in CONNECTION_FIELDS])
        blocks = read_rows(self._folder, tuple(cell.name for cell in self.plan.cells)).blocks
        firsts = [block["first_connection"] for block in blocks]
        begun = np.zeros(opened["connection"].max() + 1, np.int64)
        begun[opened["connection"]] = opened["opened"]
        starts = [int(begun[first]) - blur_ns for first in firsts]
        for index in range(1, len(firsts)):
            # Where the block before opened its last connection within the blur, the two are told apart in the middle.
            last = int(begun[firsts[index - 1] : firsts[index]].max())
            starts[index] = max(starts[index], (last + int(begun[firsts[index]])) // 2)

        theirs = [Counter[int]() for _ in blocks]
        for served in account:
            if served.first_ns < starts[0]:
                continue  # of another work
            theirs[bisect_right(starts, served.first_ns) - 1][served.requests] += 1
        numbers, sizes = np.unique(exchanges["connection"][exchanges["outcome"] > 0], return_counts=True)
        ours = [Counter[int]() for _ in blocks]
        for number, size in zip(numbers.tolist(), sizes.tolist(), strict=True):
            ours[bisect_right(firsts, number) - 1][size] += 1
        return {
            block["policy"]: Counted(mine, other, block)
            for block, mine, other in zip(blocks, ours, theirs, strict=True)
        }


# What each policy leads to


COUNTED = (
    "persistent", "close", "recycle:1", "recycle:2", "recycle:10", "recycle:100", "abandon", "http10",
    "http10-keepalive", "pool:2", "pipeline:2",
)  # fmt: skip
NGINX = (
    *COUNTED, "lifetime:30ms", "gap:10ms", "ignore-close", "pool:2:fifo", "recycle:10+abandon", "pool:2+close",
    "gap:10ms+max-idle:5ms", "honour", "preopen:3", "connect-rate:1000",
    "close+tcp-fastopen", "tcp-nagle", "recycle:2+tcp-linger:0", "tcp-rcvbuf:65536", "tcp-keepalive:5s",
    "tcp-congestion:reno",
    "pipeline:3+recycle:10", "recycle:10+http10-keepalive",
)  # fmt: skip
NGINX_TLS = (
    "persistent", "close", "close-resume", "resume", "resolve", "recycle:10+resume", "pool:2+resume", "early-data",
)  # fmt: skip


def run(peer: Peer, folder: Path, policies: tuple[str, ...], **more: Any) -> dict[str, Counted]:
    with Work(peer.url, folder, policies, "150ms", **more) as work:
        work.end()
    return work.counted(peer.account(), peer.blur_ns)


def check(policy_name: str, one: Counted, peer: Peer) -> None:
    """Both sides counted the same, and it is what the policy and the server's limits lead to."""
    assert one.ours == one.theirs
    assert sum(one.facts["endings"].values()) == one.facts["connections"]["opened"] == one.connections
    (policy,) = parse_policies(policy_name)
    most = min(policy.requests, peer.most)
    if policy.http_version == "1.0" and not peer.keeps_http10:
        most = 1
    places = policy.pool or USERS
    assert one.requests > places
    assert max(one.theirs) <= most
    short = sum(count for size, count in one.theirs.items() if size < most)
    if any(limit.longest_ns(None) is not None for limit in policy.limits):
        assert short > places
    else:  # who had fewer requests than the most was the last one of its place
        assert short <= places
        assert most < UNLIMITED or one.connections == places
    assert set(one.facts["endings"]) <= endings(policy_name, peer)


def endings(policy_name: str, peer: Peer) -> set[str]:
    """How connections may end under a policy; the last ones of a block end silently."""
    (policy,) = parse_policies(policy_name)
    if policy.requests == 1:
        return {"client_announced" if policy.asks_for_close else "client_silent"} | (
            {"server_announced"} if peer.most == 1 and not policy.asks_for_close else set()
        )
    found = {"client_announced", "client_silent"}
    if peer.most < UNLIMITED or (policy.http_version == "1.0" and not peer.keeps_http10):
        found |= {"server_announced" if policy.honours_close else "server_stale"}
    return found


@pytest.fixture(scope="module", params=PEERS)
def peer_and_counts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Peer, dict[str, Counted]]]:
    folder = tmp_path_factory.mktemp("peer")
    with PEERS[request.param](folder / "server") as peer:
        yield peer, run(peer, folder / "run", COUNTED)


@pytest.mark.parametrize("policy", COUNTED)
def test_each_server_counts_what_we_count(peer_and_counts: tuple[Peer, dict[str, Counted]], policy: str) -> None:
    peer, counts = peer_and_counts
    check(policy, counts[policy], peer)


def is_of_http1(part: Part) -> bool:
    """A policy with this part can speak HTTP/1.x; what can't meets its own servers in tests/test_upgrades.py."""
    return part.sets.get("protocol", HTTP1) == HTTP1 and (not part.protocols or HTTP1 in part.protocols)


def test_every_part_of_a_policy_meets_nginx() -> None:
    met = {part.partition(":")[0] for policy in NGINX + NGINX_TLS for part in policy.split("+")}
    assert met == {name for name, part in PARTS.items() if is_of_http1(part)}


@contextmanager
def open_nginx_peer(folder: Path) -> Iterator[Peer]:
    """nginx without limits."""
    with running_nginx(folder) as server:
        yield nginx_peer(server, server.http)


@pytest.fixture(scope="module")
def open_nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with running_nginx(tmp_path_factory.mktemp("peer") / "nginx") as server:
        yield server


@pytest.fixture(scope="module")
def nginx_counts(open_nginx: Nginx, tmp_path_factory: pytest.TempPathFactory) -> tuple[Peer, dict[str, Counted]]:
    peer = nginx_peer(open_nginx, open_nginx.http)
    return peer, run(peer, tmp_path_factory.mktemp("run") / "run", NGINX)


@pytest.mark.parametrize("policy", NGINX)
def test_nginx_counts_what_we_count(nginx_counts: tuple[Peer, dict[str, Counted]], policy: str) -> None:
    peer, counts = nginx_counts
    check(policy, counts[policy], peer)


@pytest.fixture(scope="module")
def nginx_tls_counts(open_nginx: Nginx, tmp_path_factory: pytest.TempPathFactory) -> tuple[Peer, dict[str, Counted]]:
    # A name, for `resolve` has to look one up.
    peer = nginx_peer(open_nginx, open_nginx.https.replace("127.0.0.1", "localhost"))
    folder = tmp_path_factory.mktemp("run") / "run"
    return peer, run(peer, folder, NGINX_TLS, cacert=str(open_nginx.ca_file))


@pytest.mark.parametrize("policy", NGINX_TLS)
def test_nginx_counts_what_we_count_over_tls(nginx_tls_counts: tuple[Peer, dict[str, Counted]], policy: str) -> None:
    peer, counts = nginx_tls_counts
    one = counts[policy]
    check(policy, one, peer)
    made = one.facts["connections"]
    assert made["tls_full"] + made["tls_resumed"] == one.connections
    # Each user's first handshake is a full one; a pool's user is no user of a place.
    if "resume" in policy or policy == "early-data":
        assert made["tls_full"] <= USERS
    else:
        assert made["tls_resumed"] == 0


def test_an_announced_limit_is_seen(tmp_path: Path) -> None:
    with running_nginx(tmp_path / "nginx") as server:
        summary = compare(server.limited, tmp_path / "run", "--policies", "persistent", "--users", f"{USERS}")
        carried = Counter(Counter(line[0] for line in server.log()).values())
    connections = summary["policies"]["persistent"]["connections"]
    assert connections["endings"]["server_announced"] == carried[5] > 20
    assert connections["closed_by"]["server"] == carried[5]
    assert connections["opened"] == carried.total()
    assert connections["server_announced"] == {"keep_alive_timeout_s": 1, "keep_alive_max": None}
    assert summary["policies"]["persistent"]["errors"] == {}


# Idle gaps around a server's limit


UNDER, AT, OVER = "gap:800ms", "gap:1s", "gap:1300ms"
IDLE: dict[str, tuple[str, ...]] = {
    name: (UNDER, AT, OVER, f"ignore-close+{OVER}") for name in PEERS if name != "gunicorn-sync"
}
IDLE["node"] = (UNDER, "gap:2300ms")  # whatever its setting, newer versions keep a connection for a second more
NEAR = tuple(f"gap:{gap}ms" for gap in (985, 995, 1000, 1005, 1015))
IDLERS = 12


@pytest.fixture(scope="module")
def idlers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Counted]]:
    """All servers at once, for they wait most of the time. One that is not installed is not in the result."""
    works: dict[str, tuple[Peer, Work]] = {}
    with ExitStack() as stack:
        for name, policies in {**IDLE, "near": NEAR}.items():
            folder = tmp_path_factory.mktemp("idle")
            try:
                peer = stack.enter_context(PEERS.get(name, limited_nginx)(folder / "server"))
            except pytest.skip.Exception:
                continue
            block = {"node": "2600ms", "near": "1200ms"}.get(name, "1500ms")
            works[name] = peer, stack.enter_context(Work(peer.url, folder / "run", policies, block, IDLERS))
        found = {}
        for name, (peer, work) in works.items():
            work.end()
            found[name] = work.counted(peer.account(), peer.blur_ns)
    return found


@pytest.mark.parametrize("name", IDLE)
def test_idle_gaps_under_and_over_a_servers_limit(idlers: dict[str, dict[str, Counted]], name: str) -> None:
    """Under it none reconnects, over it all do; who does not look before it sends loses the request."""
    if name not in idlers:
        pytest.skip(f"{name} is not installed")
    for policy, one in idlers[name].items():
        if policy == AT:
            check_at_the_limit(one)
            continue
        assert one.ours == one.theirs
        if policy == UNDER:
            assert one.facts["endings"] == {"client_silent": IDLERS}
            assert one.connections == IDLERS < one.requests
        else:
            assert set(one.theirs) == {1}
            assert one.connections == one.facts["connections"]["opened"] > IDLERS
            gone = "server_stale" if policy.startswith("ignore-close") else "server_idle_fin"
            # The last connections of a client that ignores closes were closed by the server while idle, and not tried.
            assert set(one.facts["endings"]) <= {"client_silent", "server_idle_fin", gone}
            assert one.facts["endings"][gone] >= one.connections - IDLERS
        if policy.startswith("ignore-close"):
            lost = one.facts["endings"]["server_stale"]
            assert one.facts["after_close"] == {"tried": lost, "answered": 0}
            assert one.facts["exchanges"] == one.requests + lost


def check_at_the_limit(one: Counted) -> None:
    """A request that comes as the server closes is lost, and yet its application may have seen it: hypercorn's does."""
    lost = one.facts["endings"].get("server_stale", 0)
    assert one.ours.total() == one.theirs.total() == one.facts["connections"]["opened"]
    answered = sum(size * connections for size, connections in one.ours.items())
    assert answered <= one.requests <= answered + lost == one.facts["exchanges"]
    assert set(one.facts["endings"]) <= {"client_silent", "server_idle_fin", "server_stale"}


def test_idle_gaps_at_a_servers_limit(idlers: dict[str, dict[str, Counted]]) -> None:
    """Near it some do: the first of these gaps are shorter than a second, the last ones longer."""
    if "near" not in idlers:
        pytest.skip("nginx is not installed (Debian: nginx-light)")
    reused = []
    for one in idlers["near"].values():
        check_at_the_limit(one)
        reused.append(one.requests - one.connections)
    opened = sum(one.connections for one in idlers["near"].values())
    assert sum(reused) > 0
    assert opened > IDLERS * len(NEAR)


# What closing costs the server


def workers_cpu_ns(master: int) -> int:
    """What a server's worker processes used so far, as /proc says it: in ticks, user and system."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text(encoding="ascii").split()
    assert children
    stats = [Path(f"/proc/{child}/stat").read_text(encoding="ascii").rpartition(")")[2].split() for child in children]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) * (10**9 // os.sysconf("SC_CLK_TCK"))


@pytest.mark.parametrize("start", [open_nginx_peer, gunicorn])
def test_what_closing_costs_the_server(tmp_path: Path, start: Start) -> None:
    """The process named is a master that does nothing but wait: what counts are its workers."""
    with start(tmp_path / "server") as peer:
        before_ns = workers_cpu_ns(peer.pid)
        arguments = ["--server-pid", f"{peer.pid}", "--users", f"{USERS}", "--block", "400ms"]
        summary = compare(peer.url, tmp_path / "run", *arguments)
        whole_ns = workers_cpu_ns(peer.pid) - before_ns
    persistent, close = (summary["policies"][name] for name in ("persistent", "close"))
    costs = [one["server"]["cpu_ns_per_request"] for one in (persistent, close)]
    # A request costs gunicorn so much that the machine's other work may hide what a connection does.
    assert 0 < costs[0] < costs[1] * (1 if start is open_nginx_peer else 2)
    counted_ns = sum(one["server"]["cpu_ns_per_request"] * one["requests"] for one in (persistent, close))
    assert 0.5 * whole_ns < counted_ns < whole_ns + 50_000_000  # the warm-up is not in it
    assert persistent["server"]["sockets"] >= USERS
