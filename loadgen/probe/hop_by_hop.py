"""Does a proxy remove the fields that are for one hop alone? The target tells what it received of one request.

Fields that Connection names are for the next hop; an intermediary has to remove them, and a few more that older clients
send without naming them (RFC 9110 §7.6.1).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from loadgen.model.plan import Plan
from loadgen.model.run_record import HopByHopRecord, RunWarning
from loadgen.model.target import FIELDS_PATH
from loadgen.model.warning_codes import WarningCode
from loadgen.probe.exchange import FAILURES, WholeResponse, describe, exchange, patiently
from loadgen.wire.http1.head import ResponseHead
from loadgen.wire.proxy.connect import CHALLENGE, ProxyLogin

_HOP = "X-Loadgen-Hop"
_CONNECTION = f"keep-alive, {_HOP}, TE"
_FIELDS = ((_HOP, "request"), ("TE", "trailers"), ("Keep-Alive", "timeout=5"), ("Proxy-Connection", "keep-alive"))
_NOT_REPORTED = "unknown: the target does not say what it received"
_TUNNELLED = "not applicable: through a tunnel the proxy sees no fields"

FieldList = list[tuple[str, str]]


class HopByHop:
    """The probe of a proxy that requests are sent to in absolute-form."""

    name = "hop_by_hop"
    section: Literal["proxy"] = "proxy"

    def applies(self, plan: Plan) -> bool:
        return plan.proxy is not None

    def run(self, plan: Plan) -> HopByHopRecord:
        return check_hops(plan, FIELDS_PATH)

    def warnings(self, found: Mapping[str, Any], section: Mapping[str, Any]) -> list[RunWarning]:
        passed = []
        if found.get("forwarded"):
            passed.append(f"{', '.join(map(str, found['forwarded']))} of the request")
        if found.get("response_removed") is False:
            passed.append("a field that the response's Connection named")
        if not passed:
            return []
        message = (
            f"the proxy {section.get('address')} passed on fields that are for one hop alone: {' and '.join(passed)}; "
            "a proxy has to remove them (RFC 9110 §7.6.1), else the next hop applies them to its own connection"
        )
        return [{"code": WarningCode.HOP_BY_HOP_FORWARDED.value, "message": message}]


def check_hops(plan: Plan, path: str) -> HopByHopRecord:
    """Ask the target at `path` what the plan's proxy did with the fields for one hop."""
    assert plan.proxy is not None
    if all(plan.tunnels(cell.policy) for cell in plan.cells):
        return _unknown(_TUNNELLED)
    login = ProxyLogin(plan.proxy.authorization)
    try:
        response = patiently(lambda: _request(plan, path, ""))
        if response.head.status == CHALLENGE:
            login.challenged(response.head, sent=False)
            response = _request(plan, path, login.authorization)
    except FAILURES as error:
        return _unknown(f"unknown: {describe(error)}")
    received = _received(response)
    if received is None:
        return _unknown(_NOT_REPORTED)
    return judge([name for name, _ in _sent(login.authorization)], received, response.head)


def judge(sent: list[str], received: FieldList, response: ResponseHead) -> HopByHopRecord:
    """The finding, from the names of the fields sent, the fields that the target received, and the response's head.

    A field that the proxy names in a Connection field of its own is its own, for its own next hop, unless it merely
    passed everything on.
    """
    names = {name.lower() for name, _ in received}
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


def _request(plan: Plan, path: str, authorization: str) -> WholeResponse:
    return exchange(plan, path, (("Cache-Control", "no-store"), *_sent(authorization)), _CONNECTION)


def _sent(authorization: str) -> tuple[tuple[str, str], ...]:
    return (*_FIELDS, ("Proxy-Authorization", authorization)) if authorization else _FIELDS


def _received(response: WholeResponse) -> FieldList | None:
    """The fields that the target says it received; None where it does not say."""
    if response.head.status != 200:
        return None
    try:
        fields = json.loads(response.body)["fields"]
        return [(f"{name}", f"{value}") for name, value in fields]
    except (ValueError, TypeError, KeyError):
        return None
