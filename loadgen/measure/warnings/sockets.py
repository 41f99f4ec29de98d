"""A policy's sockets over all its blocks: what they cost the kernel and the server. Reads block facts, never /proc.

Facts that a block lacks, as those of an earlier version or of a system without them do, are absent here: None.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from loadgen.model.units import NS_PER_US

# Below this share of the ports, the next block may find none. Who held less than that much of them is the victim.
_FEW_PORTS_SHARE = 0.1
# One connection in so many that needed a second SYN shows at p99.9.
_OPENED_PER_SYN_RETRANSMIT = 1_000

Blocks = list[dict[str, Any]]


def sockets(blocks: Blocks) -> dict[str, int | None]:
    """What the kernel counted in the blocks of one policy.

    time_wait_peak and sockets_peak are the highest of the blocks; time_wait_client and time_wait_server too, of what a
    block added on that side. ports_left is the lowest, counts are sums. The medians of TCP are the median of the
    blocks' medians, each with the weight of its samples: the samples themselves aren't kept.
    """
    return {
        "time_wait_peak": _highest(_facts(blocks, "kernel", "time_wait", "peak")),
        "time_wait_client": _highest(_facts(blocks, "kernel", "time_wait", "client")),
        "time_wait_server": _highest(_facts(blocks, "kernel", "time_wait", "server")),
        "sockets_peak": _highest(_facts(blocks, "kernel", "sockets_peak")),
        "syn_retransmits": _sum(_facts(blocks, "kernel", "syn_retransmits")),
        "listen_overflows": _sum(_facts(blocks, "kernel", "listen_overflows")),
        "listen_drops": _sum(_facts(blocks, "kernel", "listen_drops")),
        "retransmits": _sum(_facts(blocks, "kernel", "retransmits")),
        "ports_range": _highest(_facts(blocks, "kernel", "ports", "range")),
        "ports_left": min(_facts(blocks, "kernel", "ports", "left"), default=None),
        "tcp_rtt_ns_p50": _median(blocks, "rtt_us_p50", NS_PER_US),
        "tcp_cwnd_p50": _median(blocks, "cwnd_p50", 1),
        "tcp_retransmits": _sum(_facts(blocks, "tcp", "retransmits")),
        "tcp_sampled": _sum(_facts(blocks, "tcp", "sampled")),
    }


def server(blocks: Blocks, requests: int) -> dict[str, float | int | None] | None:
    """What the server spent on one policy, None where it was not watched. requests: what its windows answered.

    cpu_share is of one core. sockets_per_request: sockets open at the end of a block for each of its requests;
    socket_ns_per_request: how long the server keeps a socket open for one request, whatever the length of a block.
    Neither these nor cpu_ns_per_request can be told where a block that has requests lacks the server's part.
    """
    if not any(block.get("server") for block in blocks):
        return None
    counted = [block for block in blocks if block["window_ns"]]
    window_ns = sum(block["window_ns"] for block in counted)
    cpus_ns, counts = _facts(counted, "server", "cpu_ns"), _facts(counted, "server", "sockets")
    all_cpu = len(counted) == len(cpus_ns) > 0
    all_sockets = len(counted) == len(counts) > 0 < requests
    return {
        "cpu_ns_per_request": sum(cpus_ns) / requests if all_cpu and requests else None,
        "cpu_share": sum(cpus_ns) / window_ns if all_cpu else None,
        "rss_bytes": _highest(_facts(blocks, "server", "rss_bytes")),
        "sockets": _highest(_facts(blocks, "server", "sockets")),
        "sockets_per_request": sum(counts) / requests if all_sockets else None,
        "socket_ns_per_request": (
            sum(count * block["window_ns"] for count, block in zip(counts, counted, strict=True)) / requests
            if all_sockets
            else None
        ),
    }


def socket_warnings(name: str, one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a reader must know of a policy's sockets, as (code, message). one: the policy's part of the summary."""
    found = one.get("sockets") or {}
    left, ports, added = found.get("ports_left"), found.get("ports_range"), found.get("time_wait_client") or 0
    if left is not None and ports and left < _FEW_PORTS_SHARE * ports <= added:
        yield (
            "ports_nearly_used_up",
            f"only {left:,} of {ports:,} local ports were left for connections to the target: those that the client "
            f"closed first keep theirs in TIME_WAIT, {added:,} of one block; add --source-ip or reuse connections more "
            f"than {name} does",
        )
    again, opened = found.get("syn_retransmits"), one["connections"]["opened"]
    if again and again * _OPENED_PER_SYN_RETRANSMIT >= opened:
        yield (
            "syn_retransmits",
            f"{again:,} SYNs were sent again (all programmes here counted) while {opened:,} connections were opened: "
            "a listen queue was full or packets were lost, and connect times of 1 s or 3 s are these repeats; "
            "raise the server's backlog or use fewer users",
        )
    overflows = found.get("listen_overflows")
    if overflows:
        yield (
            "listen_overflows",
            f"the listen queue of a server on this machine was full {overflows:,} times, and a connection that came "
            "then had to wait for a second try; raise its backlog and net.core.somaxconn",
        )


def _facts(blocks: Blocks, *keys: str) -> list[int]:
    """The values that stand under these keys, one from each block that has it."""
    found = []
    for block in blocks:
        value: Any = block
        for key in keys:
            value = (value or {}).get(key)
        if value is not None:
            found.append(value)
    return found


def _highest(values: list[int]) -> int | None:
    return max(values, default=None)


def _sum(values: list[int]) -> int | None:
    return sum(values) if values else None


def _median(blocks: Blocks, key: str, unit: int) -> int | None:
    """The weighted median of the blocks' medians: the lowest that has half of all samples at or below it."""
    parts = [block["tcp"] for block in blocks if _facts([block], "tcp", key)]
    half = sum(part["sampled"] for part in parts) / 2
    for part in sorted(parts, key=lambda part: int(part[key])):
        half -= part["sampled"]
        if half <= 0:
            return int(part[key]) * unit
    return None
