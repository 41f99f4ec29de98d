"""In what runs differ besides their samples: a table of what is compared of plan and environment. Reads no file.

A difference that changes what is measured is refused, unless it is asked for: a figure of 10 users is no earlier
figure of one of 20, and a figure of another processor says nothing about a new release. One that may well be the thing
under test, such as the server's version, is shown and no more.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from loadgen.model.diff_record import UnlikeFact
from loadgen.model.origins import places_of
from loadgen.model.plan import Plan
from loadgen.model.run_record import EnvironmentRecord, RunRecord
from loadgen.model.target import Target
from loadgen.model.tls_settings import DEFAULT_TLS, TlsSettings
from loadgen.model.units import duration_text

_MAX_SHOWN = 80


@dataclass(frozen=True, slots=True)
class _Fact:
    """Something that may differ."""

    what: str
    read: Callable[[Plan, EnvironmentRecord], object]
    is_refused: bool = True


def _target(plan: Plan, environment: EnvironmentRecord) -> object:
    """The embedded target has another port in each run."""
    if "embedded_target" in environment:
        return "the embedded target"
    return _of_each(plan, lambda target: target.authority)


def _of_each(plan: Plan, read: Callable[[Target], str]) -> str:
    """A fact of the target; of several targets that of each, by name, and of several origins that of each."""
    named = (f"{one.name} {read(one.target)}" for one in plan.targets)
    return ", ".join(named) or ", ".join(map(read, plan.origins))


def _scheme(plan: Plan, _environment: EnvironmentRecord) -> object:
    return _of_each(plan, lambda target: target.scheme)


def _path(plan: Plan, _environment: EnvironmentRecord) -> object:
    return _of_each(plan, lambda target: target.path)


def _connections(plan: Plan, _environment: EnvironmentRecord) -> object:
    """What connections are made of, wherever they lead."""
    ends = (plan.addressing.endpoint(one, plan.proxy_to(one)) for one in plan.each_target)
    return ", ".join("socket file" if one.socket else "TCP" for one in ends)


def _requests(plan: Plan, _environment: EnvironmentRecord) -> object:
    """Those of several, each with the place of its origin, whose host may be another one."""
    places = places_of(plan.target, plan.requests)
    return [
        {**one.record(secrets=False), "origin": place} for one, place in zip(plan.requests, places, strict=True)
    ] or None


def _transfer(plan: Plan, _environment: EnvironmentRecord) -> object:
    """How bodies are sent, and how long one is that stays in its file."""
    transfer = plan.transfer
    found = {
        "chunks": transfer.max_chunk_bytes if transfer.chunked or transfer.chunk_bytes else None,
        "file_bytes": transfer.file.size_bytes if transfer.file is not None else None,
        "continue_timeout": duration_text(transfer.continue_timeout_ns) if transfer.expects_continue else None,
    }
    return ", ".join(f"{name} {value}" for name, value in found.items() if value is not None) or "as usual"


def _templates(plan: Plan, _environment: EnvironmentRecord) -> object:
    values = plan.templating.values
    return (values.columns if values is not None else ()) if plan.templating.is_on else None


def _addressing(name: str) -> Callable[[Plan, EnvironmentRecord], object]:
    return lambda plan, _environment: getattr(plan.addressing, name)


def _ends(plan: Plan, _environment: EnvironmentRecord) -> object:
    """Where connections go in place of what the URL names."""
    return [f"{one}" for one in (*plan.addressing.connect_to, *plan.addressing.resolve)]


def _server(_plan: Plan, environment: EnvironmentRecord) -> object:
    targets: object = environment.get("targets")
    if isinstance(targets, dict):
        return ", ".join(f"{name} {_field(one)}" for name, one in targets.items())
    return _field(environment.get("target"))


def _field(target: object) -> object:
    """What the Server field said."""
    return target.get("server") if isinstance(target, dict) else None


def _offers(tls: TlsSettings) -> str:
    """What a ClientHello offers that is not the usual; the files of certificates may lie elsewhere on each machine."""
    names = ("version", "ciphers", "groups", "alpn", "sni", "tickets")
    found = {name: getattr(tls, name) for name in names if getattr(tls, name) != getattr(DEFAULT_TLS, name)}
    return ", ".join(f"{name} {value}" for name, value in found.items()) or "as usual"


def _load(name: str, *, is_duration: bool = False) -> Callable[[Plan, EnvironmentRecord], object]:
    if is_duration:
        return lambda plan, _environment: duration_text(getattr(plan.load, name))
    return lambda plan, _environment: getattr(plan.load, name)


def _open_loop(name: str) -> Callable[[Plan, EnvironmentRecord], object]:
    return lambda plan, _environment: getattr(plan.load, name) if plan.load.rate_rps else None


def _plan(name: str) -> Callable[[Plan, EnvironmentRecord], object]:
    return lambda plan, _environment: getattr(plan, name)


def _environment(name: str, assumed: object = None) -> Callable[[Plan, EnvironmentRecord], object]:
    return lambda _plan, environment: environment.get(name, assumed)


# What is compared, in the order in which it is shown. A new row is a line in one of the two.
_IN_COMMON = (
    _Fact("policies", lambda plan, _environment: ", ".join(sorted(cell.name for cell in plan.cells))),
    _Fact("users", lambda plan, _environment: None if plan.load.rate_rps else plan.load.users),
    _Fact("rate", _load("rate_rps")),
    _Fact("arrivals", _open_loop("arrivals")),
    _Fact("most connections", _open_loop("max_connections")),
    _Fact("think time", _load("think_ns", is_duration=True)),
    _Fact("requests", _load("requests")),
    _Fact("block", _load("block_ns", is_duration=True)),
    _Fact("warm-up", _load("warmup_ns", is_duration=True)),
    _Fact("timeout", _load("timeout_ns", is_duration=True)),
    _Fact("worker processes", _plan("processes")),
    _Fact("method", _plan("method")),
    _Fact("scheme", _scheme),
    _Fact("path", _path),
    _Fact("header fields", lambda plan, _environment: plan.to_json(secrets=False)["headers"]),
    _Fact("body", lambda plan, _environment: plan.to_json(secrets=False)["body_base64"]),
    _Fact("several requests", _requests),
    _Fact("how bodies are sent", _transfer),
    _Fact("templates", _templates),
    _Fact("connections", _connections),
    _Fact("IPv4 alone", _addressing("ipv4")),
    _Fact("IPv6 alone", _addressing("ipv6")),
    _Fact("addresses", _addressing("addresses")),
    _Fact("Happy Eyeballs (ns)", _addressing("happy_eyeballs_ns")),
    _Fact("names are looked up again (ns)", _addressing("dns_ttl_ns")),
    _Fact("proxy", lambda plan, _environment: plan.to_json(secrets=False)["proxy"]),
    _Fact("hosts without proxy", lambda plan, _environment: list(plan.proxying.no_proxy)),
    _Fact("PROXY protocol", lambda plan, _environment: plan.proxying.protocol),
    _Fact("TLS offers", lambda plan, _environment: _offers(plan.tls)),
    _Fact("client certificates", lambda plan, _environment: len(plan.tls.certs)),
    _Fact("certificates are verified", lambda plan, _environment: not plan.insecure),
    _Fact("stale requests are sent again", _plan("retry_stale")),
    _Fact("cookies are kept", _plan("cookies")),
    _Fact("trailers are asked for", _plan("trailers")),
    _Fact("target", _target, is_refused=False),
    _Fact("connections go elsewhere", _ends, is_refused=False),
)
"""What runs of one group of a history have in common."""
_ROWS = (
    *_IN_COMMON,
    _Fact("rounds", _load("rounds"), is_refused=False),
    _Fact("system", _environment("system")),
    _Fact("processor", _environment("cpu")),
    _Fact("processors of the machine", _environment("cpu_count")),
    _Fact("processors that may be used", _environment("cpus_allowed")),
    _Fact("Python", _environment("python")),
    _Fact("packages", _environment("packages")),
    _Fact("loadgen", _environment("loadgen")),
    _Fact("core", _environment("core", "pure")),
    _Fact("Python's -O", _environment("optimised")),
    _Fact("clock", _environment("clock")),
    _Fact("processors kept awake", _environment("processors_awake", False)),
    _Fact("server", _server, is_refused=False),
)


def unlike(old: RunRecord, new: RunRecord) -> list[UnlikeFact]:
    """In what the two differ."""
    plans = [Plan.from_json(one["plan"]) for one in (old, new)]
    found: list[UnlikeFact] = []
    for row in _ROWS:
        before, after = (row.read(plan, one["environment"]) for plan, one in zip(plans, (old, new), strict=True))
        if before != after:
            texts = _texts(before, after)
            found.append({"what": row.what, "old": texts[0], "new": texts[1], "is_refused": row.is_refused})
    return found


def plan_facts(record: RunRecord) -> dict[str, str]:
    """What runs of the same plan have in common, by name: the rows of the plan that are refused, and the target."""
    plan, environment = Plan.from_json(record["plan"]), record["environment"]
    return {row.what: _text(row.read(plan, environment)) for row in _IN_COMMON}


def _texts(before: object, after: object) -> tuple[str, str]:
    """Both values as people read them; of long ones the part from where they differ."""
    first, second = (_text(one) for one in (before, after))
    if max(len(first), len(second)) <= _MAX_SHOWN:
        return first, second
    same = next((at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), 0)
    start = max(0, same - _MAX_SHOWN // 2)
    return tuple(f"{'…' if start else ''}{one[start : start + _MAX_SHOWN]}" for one in (first, second))  # type: ignore[return-value] # two of them


def _text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
