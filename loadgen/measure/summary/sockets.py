"""A policy's sockets over all its blocks: what they cost the kernel and the server. Reads block facts, never /proc.

A fact that a block lacks, because an earlier version or another system does not know it, is None here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from loadgen.model.block_facts import BlockFacts
from loadgen.model.sockets_summary import ServerSummary, SocketsSummary
from loadgen.model.units import NS_PER_US

Blocks = list[BlockFacts]


def sockets(blocks: Blocks) -> SocketsSummary:
    """What the kernel counted in the blocks of one policy: counts are sums, peaks the highest of the blocks."""
    kernels = [block["kernel"] for block in blocks if block.get("kernel")]
    time_waits = [kernel["time_wait"] for kernel in kernels if kernel.get("time_wait")]
    ports = [kernel["ports"] for kernel in kernels if kernel.get("ports")]
    tcp = [block["tcp"] for block in blocks if block.get("tcp")]
    return {
        "time_wait_peak": _highest(_known(time_waits, "peak")),
        "time_wait_client": _highest(_known(time_waits, "client")),
        "time_wait_server": _highest(_known(time_waits, "server")),
        "sockets_peak": _highest(_known(kernels, "sockets_peak")),
        "syn_retransmits": _sum(_known(kernels, "syn_retransmits")),
        "listen_overflows": _sum(_known(kernels, "listen_overflows")),
        "listen_drops": _sum(_known(kernels, "listen_drops")),
        "retransmits": _sum(_known(kernels, "retransmits")),
        "ports_range": _highest(_known(ports, "range")),
        "ports_left": min(_known(ports, "left"), default=None),
        "tcp_rtt_ns_p50": _median(tcp, "rtt_us_p50", NS_PER_US),
        "tcp_cwnd_p50": _median(tcp, "cwnd_p50", 1),
        "tcp_retransmits": _sum(_known(tcp, "retransmits")),
        "tcp_sampled": _sum(_known(tcp, "sampled")),
    }


def server(blocks: Blocks, requests: int) -> ServerSummary | None:
    """What the server spent on one policy, None where it was not watched. requests: what its windows answered.

    Costs per request are None where a block that has requests lacks the server's facts.
    """
    watched = [block["server"] for block in blocks if block.get("server")]
    if not watched:
        return None
    counted = [block for block in blocks if block["window_ns"]]
    counted_servers = [block["server"] for block in counted if block.get("server")]
    window_ns = sum(block["window_ns"] for block in counted)
    cpus_ns, counts = list(_known(counted_servers, "cpu_ns")), list(_known(counted_servers, "sockets"))
    all_cpu = len(counted) == len(cpus_ns) > 0
    all_sockets = len(counted) == len(counts) > 0 < requests
    return {
        "cpu_ns_per_request": sum(cpus_ns) / requests if all_cpu and requests else None,
        "cpu_share": sum(cpus_ns) / window_ns if all_cpu else None,
        "rss_bytes": _highest(_known(watched, "rss_bytes")),
        "sockets": _highest(_known(watched, "sockets")),
        "sockets_per_request": (
            sum(count * block.get("grouped", 1) for count, block in zip(counts, counted, strict=True)) / requests
            if all_sockets
            else None
        ),
        "socket_ns_per_request": (
            sum(count * block["window_ns"] for count, block in zip(counts, counted, strict=True)) / requests
            if all_sockets
            else None
        ),
    }


def _known(facts: Iterable[Mapping[str, Any]], key: str) -> Iterator[int]:
    """The values under this key, one from each that has it."""
    return (one[key] for one in facts if one.get(key) is not None)


def _highest(values: Iterable[int]) -> int | None:
    return max(values, default=None)


def _sum(values: Iterable[int]) -> int | None:
    known = list(values)
    return sum(known) if known else None


def _median(tcp: Iterable[Mapping[str, Any]], key: str, unit: int) -> int | None:
    """The median of the blocks' medians, weighted by their samples: the lowest with half of all at or below it.

    The samples themselves are not kept.
    """
    known = [one for one in tcp if one.get(key) is not None]
    half = sum(one["sampled"] for one in known) / 2
    for one in sorted(known, key=lambda one: int(one[key])):
        half -= one["sampled"]
        if half <= 0:
            return int(one[key]) * unit
    return None
