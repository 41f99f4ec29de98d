"""Does a proxy remove the fields that are for one hop alone? The target tells what it received of one request.

Fields that Connection names are for the next hop; an intermediary has to remove them, and a few more that older clients
send without naming them (RFC 9110 §7.6.1).
"""

from __future__ import annotations

import json
from dataclasses import replace

import gevent

from loadgen.model.plan import Plan
from loadgen.model.run_record import HopByHopRecord
from loadgen.model.target import FIELDS_PATH
from loadgen.model.units import NS_PER_S
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.failures import Loss, NoResponse, OpenFailure, ProbeFailure
from loadgen.probe.session import GATEWAY_ERRORS, AuditState, ProbeSession, Reply
from loadgen.wire.errors import Failure
from loadgen.wire.http1.head import ResponseHead

_HOP = "X-Loadgen-Hop"
_CONNECTION = f"keep-alive, {_HOP}, TE"
# A proxy that takes trailer sections may say so itself, as Go's does, and most often by `trailers` alone: the second
# member tells what it passed on from what it sends for its own hop.
_OWN_TE = "trailers"
_TE = f"{_OWN_TE}, deflate;q=0.5"
_FIELDS = ((_HOP, "request"), ("TE", _TE), ("Keep-Alive", "timeout=5"), ("Proxy-Connection", "keep-alive"))
NAMED = tuple(option.strip().lower() for option in _CONNECTION.split(","))
"""The fields that Connection names, in lower case."""
_NOT_REPORTED = "unknown: the target does not say what it received"
_TUNNELLED = "not applicable: through a tunnel the proxy sees no fields"
_MAX_WAIT_NS = 5 * NS_PER_S
_PAUSES_S = (0.1, 0.2, 0.4, 0.8)
"""Before the tries after the first, as before those of the load's own first request."""
MAX_TRIES = len(_PAUSES_S) + 2
"""The most requests, with the one that a challenge costs."""

FieldList = list[tuple[str, str]]


def check_hops(plan: Plan) -> HopByHopRecord:
    """Ask the target what the plan's proxy did with the fields for one hop. Raises PlanError."""
    assert plan.proxy is not None
    plans = ((plan.of_cell(cell), cell) for cell in plan.cells)
    forwarded = next((own for own, cell in plans if own.asks_proxy(cell.policy)), None)
    if forwarded is None:
        return _unknown(_TUNNELLED)
    limited = replace(AuditPlan.of(forwarded), timeout_ns=min(plan.load.timeout_ns, _MAX_WAIT_NS))
    return ask_hops(ProbeSession(AuditState.of(limited), "hop_by_hop", MAX_TRIES, MAX_TRIES))


def ask_hops(session: ProbeSession) -> HopByHopRecord:
    """Ask what the proxy, or the chain, did with the fields. A failure is a finding too, with its reason."""
    login = session.route.login
    try:
        reply = _patiently(session)
        if session.route.challenged(reply.head):
            reply = _ask(session)
    except (ProbeFailure, Failure) as error:
        return _unknown(f"unknown: {error}")
    received = _received(reply)
    if received is None:
        return _unknown(_NOT_REPORTED)
    sent = [name for name, _ in _FIELDS]
    return judge([*sent, "Proxy-Authorization"] if login.authorization else sent, received, reply.head)


def judge(sent: list[str], received: FieldList, response: ResponseHead) -> HopByHopRecord:
    """The finding, from the names of the fields sent, the fields that the target received, and the response's head.

    A field that the proxy names in a Connection field of its own is its own, for its own next hop, unless it merely
    passed everything on. So is `TE: trailers`, which is not what was sent.
    """
    names = {name.lower() for name, value in received if (name.lower(), value.strip().lower()) != ("te", _OWN_TE)}
    named = {
        option.strip().lower()
        for name, value in received
        if name.lower() == "connection"
        for option in value.split(",")
    }
    if _HOP.lower() in names:
        named = set()
    asked = [name.lower() for name in sent]
    forwarded = [name for name in asked if name in names and name not in named]
    vias = [value for name, value in received if name.lower() == "via"]
    return {
        "removed": [name for name in asked if name not in forwarded],
        "forwarded": forwarded,
        "response_removed": all(name.decode("latin-1").lower() != _HOP.lower() for name, _ in response.headers),
        "via": ", ".join(vias) if vias else None,
        "reason": None,
    }


def _unknown(reason: str) -> HopByHopRecord:
    return {"removed": [], "forwarded": [], "response_removed": None, "via": None, "reason": reason}


def _patiently(session: ProbeSession) -> Reply:
    """The reply, tried a few times where the other side is just starting. Raises ProbeFailure."""
    for pause_s in _PAUSES_S:
        try:
            reply = _ask(session)
            if reply.head.status not in GATEWAY_ERRORS:
                return reply
        except OpenFailure as error:
            if not isinstance(error.cause, ConnectionError):
                raise
        except NoResponse as error:
            if error.how not in (Loss.FIN, Loss.RESET):
                raise
        gevent.sleep(pause_s)
    return _ask(session)


def _ask(session: ProbeSession) -> Reply:
    fields = (("Cache-Control", "no-store"), *_FIELDS)
    with session.open() as stream:
        return session.ask(stream, session.request(path=FIELDS_PATH, fields=fields, connection=_CONNECTION))


def _received(reply: Reply) -> FieldList | None:
    """The fields that the target says it received; None where it does not say."""
    if reply.head.status != 200:
        return None
    try:
        fields = json.loads(reply.body)["fields"]
        return [(f"{name}", f"{value}") for name, value in fields]
    except (ValueError, TypeError, KeyError):
        return None
