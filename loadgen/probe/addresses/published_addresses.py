"""Which addresses does the name have, and does a server answer at each of them?"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from functools import partial

from loadgen.model.audit import Verdict
from loadgen.model.units import NS_PER_S, format_duration
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.failures import NoResponse, OpenFailure
from loadgen.probe.finding import Finding
from loadgen.probe.medians import Median, median_of
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.side_by_side import all_side_by_side
from loadgen.wire import poller
from loadgen.wire.address_race import NO_WAY
from loadgen.wire.errors import FAILURES
from loadgen.wire.transport import SocketAddress, TcpTransport

_MAX_ADDRESSES = 6
_CONNECTIONS = 6
"""To each address: as many as an interval of 95 % for a median takes."""
_LOOK_UPS = 4
_WAIT_NS = 2 * NS_PER_S


@dataclass
class _TriedAddress:
    """What was found out about one address."""

    address: SocketAddress
    connect_ns: list[int] = field(default_factory=list)
    failure: str = ""
    has_no_way: bool = False

    @property
    def text(self) -> str:
        return str(self.address[1][0])


def literal_or_proxied(plan: AuditPlan) -> str:
    """Why a plan has no name whose addresses could be looked at; empty where it has one."""
    if plan.proxy is not None:
        return "the proxy looks the name up"
    end = plan.addressing.endpoint(plan.target)
    if end.socket or end.addresses:
        return f"connections go to {end.socket or end.addresses[0]}, whatever the name's addresses are"
    return "the URL has an address instead of a name" if end.is_fixed else ""


def connect_ns(session: ProbeSession, address: SocketAddress, wait_ns: int = _WAIT_NS) -> int:
    """How long a TCP connection to this address takes to open. Raises OpenFailure or OverBudget."""
    source = session.route.next_source()
    with session.open(
        transport=lambda: TcpTransport(poller.of_hub(), source=source), address=address, wait_ns=wait_ns
    ) as stream:
        return stream.connected_ns - stream.opening_ns


def _run(session: ProbeSession) -> Finding:
    resolved = session.resolved
    firsts = [resolved[0]] + [session.look_up()[0] for _ in range(_LOOK_UPS - 1)]
    tried = [_TriedAddress(address) for address in resolved[:_MAX_ADDRESSES]]
    all_side_by_side([partial(_try, session, one) for one in tried])
    working, failed = [one for one in tried if not one.failure], [one for one in tried if one.failure]
    times = [median_of(one.connect_ns) for one in working]
    is_servers = any(not one.has_no_way for one in failed)
    return Finding(
        verdict=Verdict.OK if not failed else Verdict.WARNING if is_servers else Verdict.NOTE,
        measured=_text(tried, failed, times),
        announced=_records(resolved),
        values={
            "addresses": [str(address[1][0]) for address in resolved],
            "tried": len(tried),
            "working": [one.text for one in working],
            "failed": [one.text for one in failed],
            "failures": [one.failure for one in failed],
            "without_route": [one.text for one in failed if one.has_no_way],
            "connect_ns": [round(one.middle) for one in times],
            "connect_low_ns": [round(one.low) for one in times],
            "connect_high_ns": [round(one.high) for one in times],
            "look_ups": _LOOK_UPS,
            "first_addresses": len({first[1][0] for first in firsts}),
        },
        advice=_advice(failed, is_servers=is_servers),
        topic="address_family" if failed else None,
    )


def _try(session: ProbeSession, one: _TriedAddress) -> None:
    """One request there, then connections alone. One that fails is not tried again."""
    try:
        with session.open(address=one.address, wait_ns=_WAIT_NS) as stream:
            one.connect_ns.append(stream.connected_ns - stream.opening_ns)
            session.ask(stream, session.request(connection="close"))
        for _ in range(_CONNECTIONS - 1):
            one.connect_ns.append(connect_ns(session, one.address))
    except (OpenFailure, NoResponse, *FAILURES) as error:
        one.failure = str(error)
        cause = error.cause if isinstance(error, OpenFailure) else error
        one.has_no_way = isinstance(cause, OSError) and cause.errno in NO_WAY


def _records(resolved: list[SocketAddress]) -> str:
    """How many records of each kind the name has."""
    families = [family for family, _ in resolved]
    kinds = (("A", socket.AF_INET), ("AAAA", socket.AF_INET6))
    return ", ".join(f"{families.count(family)} {kind}" for kind, family in kinds if family in families)


def _text(tried: list[_TriedAddress], failed: list[_TriedAddress], times: list[Median]) -> str:
    if failed:
        return f"{len(times)} of {len(tried)} answer; {failed[0].text}: {failed[0].failure}"
    low, high = (format_duration(round(one)) for one in (min(one.low for one in times), max(one.high for one in times)))
    return f"{'all ' if len(tried) > 1 else ''}{len(tried)} answer; connect {low} to {high}"


def _advice(failed: list[_TriedAddress], *, is_servers: bool) -> str | None:
    if not failed:
        return None
    if not is_servers:
        return "this machine has no route there; probe from one that has"
    return (
        "a client that takes this address first waits or fails: take it out of the DNS, or let the server listen there"
    )


PUBLISHED_ADDRESSES = Probe(
    name="published_addresses",
    title="Addresses of the name",
    question="Which addresses does the name have, and does a server answer at each of them?",
    method=f"The name is looked up; up to {_MAX_ADDRESSES} addresses get one request and {_CONNECTIONS} connections.",
    section="RFC 8305 §5",
    values={
        "addresses": "all addresses, in the resolver's order",
        "tried": "how many of them, from the first on, were tried",
        "working": "those at which a server answered",
        "failed": "those at which none did",
        "failures": "why, in the same order",
        "without_route": "those of them that this machine has no route to",
        "connect_ns": "median time to connect to each that works (TCP)",
        "connect_low_ns": "lower end of its interval of 95 %",
        "connect_high_ns": "upper end",
        "look_ups": "how often the name was looked up",
        "first_addresses": "how many different addresses came first",
    },
    requests=_MAX_ADDRESSES,
    connections=_MAX_ADDRESSES * _CONNECTIONS,
    run=_run,
    not_for=literal_or_proxied,
)
