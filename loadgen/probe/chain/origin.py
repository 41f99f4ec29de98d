"""The server behind a proxy or balancer: which one it is, and what the embedded target in its place tells.

The target numbers its connections, so a request through the chain shows which of them the proxy used.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from loadgen.model.target import CONNECTIONS_PATH, FIELDS_PATH, Target
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.failures import ProbeFailure
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import GATEWAY_ERRORS, ProbeSession, Reply

_NO_CHAIN = "for a chain: name the server behind the target with --origin, or give --proxy"
_SAME = "--origin is the target itself, so nothing stands between them"
_TUNNELLED = "through a tunnel the proxy sees no requests, and shares no connections"
ASKED_AT_MOST = 3
"""Requests that one question to the origin may take."""
NOT_TOLD = "the origin does not tell which connection a request came on; `loadgen target` in its place does"


def no_chain(plan: AuditPlan) -> str:
    """Why there is no chain to look at; empty where there is one."""
    if plan.origin is not None:
        target = plan.target
        is_same = (plan.origin.host, plan.origin.port) == (target.host, target.port) and plan.proxy is None
        return _SAME if is_same else ""
    if plan.proxy is None:
        return _NO_CHAIN
    return "" if plan.is_forwarded else _TUNNELLED


def origin_of(plan: AuditPlan) -> Target:
    """The server behind the proxy: a forward proxy's is the target itself."""
    return plan.target if plan.origin is None else plan.origin


def at_origin(session: ProbeSession) -> ProbeSession:
    """A view of the origin itself, without what stands before it."""
    return session.toward(origin_of(session.plan))


class Arrival(NamedTuple):
    """How a request through the chain came to the origin."""

    number: int
    """Its connection's."""
    asks_close: bool
    """The proxy asked for a close after it: by Connection: close, or by HTTP/1.0 without keep-alive."""


def ask_number(session: ProbeSession, stream: ProbeStream, *, keep: bool = False) -> int | None:
    """The number of the origin's connection that a request through the chain came on; None where it is not told.

    keep: the origin is to leave that connection open, idle as it is, until it is used again. Raises NoResponse.
    """
    arrival = ask_arrival(session, stream, keep=keep)
    return None if arrival is None else arrival.number


def ask_arrival(session: ProbeSession, stream: ProbeStream, *, keep: bool = False) -> Arrival | None:
    """The same, with what the proxy asked for."""
    path = f"{FIELDS_PATH}?keep" if keep else FIELDS_PATH
    request = session.request(path=path, fields=(("Cache-Control", "no-store"),))
    for _ in range(ASKED_AT_MOST):
        reply = session.ask(stream, request)
        # It may have met a connection that the origin had closed: that is another probe's subject.
        if reply.head.status not in GATEWAY_ERRORS or not reply.persists:
            break
    number = _member(reply, "connection")
    if not isinstance(number, int) or number <= 0:
        return None
    return Arrival(number, _asks_close(_member(reply, "version"), _member(reply, "fields")))


def idle_end(origin: ProbeSession, number: int) -> tuple[str, int] | None:
    """Who ended the origin's connection of this number (`client` is the proxy), and after how long an idle time (ns).

    None while it is open. Raises ProbeFailure.
    """
    with origin.open() as stream:
        reply = origin.ask(stream, origin.request(path=CONNECTIONS_PATH, connection="close"))
    found = _member(reply, "connections")
    for one in found if isinstance(found, list) else ():
        if one.get("number") == number:
            return None if one["ended"] is None else (f"{one['ended']}", int(one["idle_ns"]))
    raise ProbeFailure("the origin does not tell what became of its connection")


def _asks_close(version: object, fields: object) -> bool:
    """Whether a request of this version and with these fields, pairs of texts, asks for a close (RFC 9112 §9.3)."""
    options = {
        option.strip().lower()
        for name, value in (fields if isinstance(fields, list) else ())
        if f"{name}".lower() == "connection"
        for option in f"{value}".split(",")
    }
    return "close" in options or (version == "1.0" and "keep-alive" not in options)


def _member(reply: Reply, name: str) -> object:
    if reply.head.status != 200:
        return None
    try:
        found: object = json.loads(reply.body)[name]
    except (ValueError, TypeError, KeyError):
        return None
    return found
