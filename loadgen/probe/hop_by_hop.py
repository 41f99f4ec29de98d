"""Does a proxy keep what is for one hop alone? Sends one request by it, and has the target tell what it was like.

Fields that Connection names are for the next hop; an intermediary has to remove them, and some more that older clients
send without naming them (RFC 9110 §7.6.1). It blocks, so nothing else may run on its thread's loop.
"""

from __future__ import annotations

import json
import socket
from time import monotonic
from typing import Any, NamedTuple

from loadgen.model.plan import Plan
from loadgen.model.units import NS_PER_S
from loadgen.wire.errors import UpgradeFailure
from loadgen.wire.http1.head import Malformed, ResponseHead
from loadgen.wire.http1.messages import ResponseReader, build_request
from loadgen.wire.proxy.connect import CHALLENGE, ProxyLogin

_HOP = "X-Loadgen-Hop"
_OPTIONS = f"keep-alive, {_HOP}, TE"
_FIELDS = ((_HOP, "request"), ("TE", "trailers"), ("Keep-Alive", "timeout=5"), ("Proxy-Connection", "keep-alive"))
_LONGEST_ANSWER_BYTES = 1 << 20
_PATIENCE_S = 5.0
_UNTOLD = "unknown: the target does not say what it received"
_TUNNELLED = "not applicable: through a tunnel the proxy sees no fields"

Fields = list[tuple[str, str]]


class _Exchange(NamedTuple):
    head: ResponseHead
    body: bytes


def check_hops(plan: Plan, path: str) -> dict[str, Any]:
    """What the plan's proxy does with fields for one hop, asked of the target at `path`.

    removed, forwarded: names of fields of our request. response_removed: whether the target's own such field was kept
    from us. via: what the proxy put into Via, None where it did not. reason: why nothing is known, else None.
    """
    if all(plan.tunnels(cell.policy) for cell in plan.cells):
        return _unknown(_TUNNELLED)
    assert plan.proxy is not None, "who asks has a proxy"
    login = ProxyLogin(plan.proxy.authorization)
    try:
        found = _ask(plan, path, "")
        if found.head.status == CHALLENGE:
            login.challenged(found.head, sent=False)
            found = _ask(plan, path, login.authorization)
    except TimeoutError:
        return _unknown("unknown: no answer within the time allowed")
    except (OSError, Malformed, UpgradeFailure) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return _unknown(f"unknown: {said}")
    received = _received(found)
    if received is None:
        return _unknown(_UNTOLD)
    return judge([name for name, _ in _sent(login.authorization)], received, found.head)


def judge(sent: list[str], received: Fields, answer: ResponseHead) -> dict[str, Any]:
    """The result, from the names of what was sent, the fields that the target received, and the answer's head.

    A field that the proxy names in a Connection of its own is its own, for its own next hop, as long as it did not just
    pass all on.
    """
    names = {name.lower() for name, _ in received}
    named = {
        one.strip().lower() for name, value in received if name.lower() == "connection" for one in value.split(",")
    }
    if _HOP.lower() in names:
        named = set()
    asked = [name.lower() for name in sent]
    forwarded = [name for name in asked if name in names and name not in named]
    vias = [value for name, value in received if name.lower() == "via"]
    return {
        "removed": [name for name in asked if name not in forwarded],
        "forwarded": forwarded,
        "response_removed": all(name.decode("latin-1").lower() != _HOP.lower() for name, _ in answer.headers),
        "via": ", ".join(vias) if vias else None,
        "reason": None,
    }


def _unknown(reason: str) -> dict[str, Any]:
    return {"removed": [], "forwarded": [], "response_removed": None, "via": None, "reason": reason}


def _sent(authorization: str) -> tuple[tuple[str, str], ...]:
    return (*_FIELDS, ("Proxy-Authorization", authorization)) if authorization else _FIELDS


def _ask(plan: Plan, path: str, authorization: str) -> _Exchange:
    """One request on a connection of its own. Raises OSError or Malformed."""
    assert plan.proxy is not None
    target = plan.target
    host = tuple(pair for pair in plan.headers if pair[0].lower() == "host")
    fields = (*host, ("Cache-Control", "no-store"), *_sent(authorization))
    uri = f"{target.scheme}://{target.host_field}{path}"
    request = build_request("GET", uri, target.host_field, fields, b"", _OPTIONS)
    ends_s = monotonic() + min(plan.load.timeout_ns / NS_PER_S, _PATIENCE_S)
    source = (plan.source_ips[0], 0) if plan.source_ips else None
    reader, body = ResponseReader(_LONGEST_ANSWER_BYTES), bytearray()
    with socket.create_connection((plan.proxy.host, plan.proxy.port), _left_s(ends_s), source) as link:
        link.sendall(request)
        while True:
            link.settimeout(_left_s(ends_s))
            data = link.recv(1 << 16)
            if reader.feed(data, body.extend) if data else reader.finish():
                assert reader.head is not None
                return _Exchange(reader.head, bytes(body))
            if not data:
                raise ConnectionError("the proxy closed the connection")


def _left_s(ends_s: float) -> float:
    left_s = ends_s - monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _received(found: _Exchange) -> Fields | None:
    """The fields that the target says it received; None where it does not."""
    if found.head.status != 200:
        return None
    try:
        fields = json.loads(found.body)["fields"]
        return [(f"{name}", f"{value}") for name, value in fields]
    except (ValueError, TypeError, KeyError):
        return None
