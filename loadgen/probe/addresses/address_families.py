"""IPv4 or IPv6: which one does the resolver prefer, and which one is faster to connect to (RFC 6724)?"""

from __future__ import annotations

import socket

from loadgen.model.audit import Verdict
from loadgen.model.units import NS_PER_MS, format_duration, format_estimate
from loadgen.probe.addresses.published_addresses import PUBLISHED_ADDRESSES, connect_ns, literal_or_proxied
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.medians import Median, median_of
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.wire.transport import SocketAddress

_PAIRS = 9
_NAMES = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}
_MUCH_NS = 10 * NS_PER_MS
_MUCH_SHARE = 0.2
"""The preferred family is worth a note if it is slower by more than both."""


def _run(session: ProbeSession) -> Finding:
    found = session.finding(PUBLISHED_ADDRESSES.name)
    if found is None:
        return unknown("the addresses of the name are not known")
    # A finding's values may be of several types; these are lists of texts.
    working, no_route = (set(map(str, _listed(found.values[key]))) for key in ("working", "without_route"))
    usable: dict[int, SocketAddress] = {}
    published: dict[int, SocketAddress] = {}
    for address in session.resolved:
        published.setdefault(address[0], address)
        if address[1][0] in working:
            usable.setdefault(address[0], address)
    names = [_NAMES[socket.AddressFamily(family)] for family in published]
    if len(published) == 1:
        missing = "AAAA" if socket.AF_INET in published else "A"
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"{names[0]} alone (no {missing} record)",
            values={"families": names},
            topic="address_family",
        )
    if len(usable) < len(published):
        return _one_fails(names, published, usable, no_route)
    return _compared(session, names, usable)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _one_fails(
    names: list[str], published: dict[int, SocketAddress], usable: dict[int, SocketAddress], no_route: set[str]
) -> Finding:
    family = next((family for family in published if family not in usable), socket.AF_INET6)
    name = _NAMES[socket.AddressFamily(family)]
    if published[family][1][0] in no_route:
        return unknown(f"this machine has no route for {name}")
    return Finding(
        verdict=Verdict.WARNING,
        measured=f"{name} is published, and no address of it answers",
        values={"families": names},
        advice=f"clients that try {name} first wait, up to their timeout: let the server listen there too, or take "
        "the record out of the DNS",
        topic="address_family",
    )


def _compared(session: ProbeSession, names: list[str], usable: dict[int, SocketAddress]) -> Finding:
    """Connect to both in turns: what changes meanwhile changes for both."""
    times: dict[int, list[int]] = {family: [] for family in usable}
    for number in range(_PAIRS):
        for family in sorted(usable, reverse=bool(number % 2)):
            times[family].append(connect_ns(session, usable[family]))
    ipv4, ipv6 = (median_of(times[family]) for family in (socket.AF_INET, socket.AF_INET6))
    difference = median_of(
        [six - four for four, six in zip(times[socket.AF_INET], times[socket.AF_INET6], strict=True)]
    )
    is_slow = _prefers_slower(names[0], ipv4, ipv6, difference)
    text, interval = format_estimate(difference.middle, (difference.low, difference.high), sign=True)
    return Finding(
        verdict=Verdict.NOTE if is_slow else Verdict.OK,
        measured=f"{names[0]} first; IPv4 {format_duration(ipv4.middle)}, IPv6 {text} {interval}",
        values={
            "families": names,
            "ipv4_connect_ns": round(ipv4.middle),
            "ipv6_connect_ns": round(ipv6.middle),
            "ipv6_extra_ns": round(difference.middle),
            "ipv6_extra_low_ns": round(difference.low),
            "ipv6_extra_high_ns": round(difference.high),
        },
        advice=f"{names[0]} is preferred and slower: look at its route" if is_slow else None,
        topic="address_family" if is_slow else None,
    )


def _prefers_slower(first: str, ipv4: Median, ipv6: Median, difference: Median) -> bool:
    extra_ns, other = (difference.middle, ipv4) if first == "IPv6" else (-difference.middle, ipv6)
    return difference.is_certain and extra_ns > max(_MUCH_NS, _MUCH_SHARE * other.middle)


ADDRESS_FAMILIES = Probe(
    name="address_families",
    title="IPv4 against IPv6",
    question="Which of IPv4 and IPv6 comes first, and which one connects faster?",
    method=f"{_PAIRS} connections to the first address of each family that works, in turns.",
    section="RFC 6724 §6",
    values={
        "families": "those that the name has, in the resolver's order",
        "ipv4_connect_ns": "median time to connect by IPv4 (TCP)",
        "ipv6_connect_ns": "median time to connect by IPv6",
        "ipv6_extra_ns": "median of what IPv6 takes more than IPv4 in each pair",
        "ipv6_extra_low_ns": "lower end of its interval of 95 %",
        "ipv6_extra_high_ns": "upper end",
    },
    requests=0,
    connections=2 * _PAIRS,
    run=_run,
    needs=(PUBLISHED_ADDRESSES.name,),
    not_for=literal_or_proxied,
)
