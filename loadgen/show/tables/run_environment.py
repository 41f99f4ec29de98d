"""The table of a run's environment: versions, machine, target, proxy, in a reader's words. Knows no figure."""

from __future__ import annotations

from collections.abc import Mapping

from loadgen.model.run_record import (
    EmbeddedTargetRecord,
    EnvironmentRecord,
    HopByHopRecord,
    TargetRecord,
)
from loadgen.model.summary import BlockStartsSummary, Summary
from loadgen.model.units import count
from loadgen.show.formatting import ABSENT, duration
from loadgen.show.tables.table import Row, Table

_HEADINGS = ("what", "value")
_CLIENT_CERTIFICATE = {"sent": "the server asked for one, and got it", "missing": "the server asked for one in vain"}
_HTTP = {"http/1.1": "HTTP/1.1", "h2": "HTTP/2", "h2c": "HTTP/2 by upgrade (h2c)", "websocket": "WebSocket"}


def environment(summary: Summary) -> Table:
    """One row a fact; what does not apply has no row."""
    found = summary["environment"]
    rows = [*_generator(found)]
    if "targets" in found:
        rows += [(f"{name}: {what}", value) for name, one in found["targets"].items() for what, value in _target(one)]
    elif "target" in found:
        rows += _target(found["target"])
    for origin, one in found.get("origins", {}).items():
        rows += [(f"{origin}: {what}", value) for what, value in _target(one)]
    if "embedded_target" in found:
        rows.append(("the target's own counters", _account(found["embedded_target"])))
    if starts := summary.get("block_starts"):
        rows.append(("blocks of several workers", _starts(starts)))
    if "proxy" in found:
        rows.append(("proxy", found["proxy"]["address"]))
        rows.append(("fields for one hop only", _hop_by_hop(found["proxy"]["hop_by_hop"])))
    return Table(_HEADINGS, rows)


def _generator(found: EnvironmentRecord) -> list[Row]:
    packages = ", ".join(f"{name} {number}" for name, number in found["packages"].items())
    cpus, of = found["cpus_allowed"], found["cpu_count"]
    return [
        ("loadgen", found["loadgen"]),
        ("started", found["started"]),
        ("Python", found["python"] + (f", -O level {found['optimised']}" if found["optimised"] else "")),
        ("core", "compiled" if found.get("core") == "compiled" else "pure Python"),
        ("packages", packages),
        ("system", found["system"]),
        ("processor", found["cpu"]),
        ("processors for the generator", f"{len(cpus)} of {of or '?'}: {', '.join(map(str, cpus))}"),
        ("clock", found["clock"]),
        ("idle processors", "kept awake" if found.get("processors_awake") else "may sleep"),
        ("calibrated", calibration["measured"] if (calibration := found.get("calibration")) else "no"),
    ]


def _target(target: TargetRecord) -> list[Row]:
    rows: list[Row] = []
    if address := target.get("address"):
        host = f"[{address}]" if ":" in address else address
        rows.append(("connected to", f"{host}:{target['port']}" + (", a proxy" if "proxy" in target else "")))
    if server := target.get("server"):
        rows.append(("Server field", server))
    if target.get("status") is None:
        return rows
    rows.append(("first response", f"HTTP/{target.get('http_version')} {target['status']}"))
    rows.append(("Keep-Alive of the server", _keep_alive(target)))
    tls = target.get("tls")
    negotiated = filter(None, (tls["version"], tls["cipher"], tls["group"], tls.get("alpn"))) if tls else ()
    rows.append(("TLS", ", ".join(negotiated) or "none"))
    if words := _CLIENT_CERTIFICATE.get(tls.get("client_certificate") or "") if tls else None:
        rows.append(("client certificate", words))
    return rows


def _starts(starts: BlockStartsSummary) -> str:
    spread = (
        f"{count(starts['workers'], 'worker')} began within {duration(starts['spread_p50_ns'])} of each other "
        f"(median of {count(starts['blocks'], 'block')}), {duration(starts['spread_max_ns'])} at most"
    )
    error_ns = starts["clock_error_ns"]
    if error_ns is None:
        return f"{spread}; how clocks of other machines differ is not known"
    return f"{spread}; clocks of other machines are known within {duration(error_ns)}" if error_ns else spread


def _keep_alive(target: TargetRecord) -> str:
    timeout_s, limit = target.get("keep_alive_timeout_s"), target.get("keep_alive_max")
    words = [f"timeout {timeout_s:,} s"] if timeout_s is not None else []
    words += [f"max {limit:,}"] if limit is not None else []
    return ", ".join(words) or "not announced"


def _account(account: EmbeddedTargetRecord | None) -> str:
    """Without the list of connections by length, which may be long; `summary.json` has it."""
    if account is None:
        return "not known"
    accepted, requests = count(account["accepted"], "connection"), count(account["requests"], "request")
    still_open = f", {account['open']:,} still open" if account["open"] else ""
    return f"{accepted} accepted{still_open}, {requests}; by protocol: {_counts(account['protocols'])}"


def _counts(protocols: Mapping[str, int]) -> str:
    return ", ".join(f"{_HTTP.get(name, name)} {number:,}" for name, number in protocols.items() if number) or ABSENT


def _hop_by_hop(found: HopByHopRecord) -> str:
    if found["reason"]:
        return f"not known: {found['reason']}"
    sentences = [
        f"{what} {', '.join(names)}"
        for what, names in (("removed", found["removed"]), ("passed on", found["forwarded"]))
        if names
    ]
    if found["response_removed"] is not None:
        sentences.append(f"{'removed' if found['response_removed'] else 'passed on'} that of the response")
    if found["via"]:
        sentences.append(f"Via: {found['via']}")
    return "; ".join(sentences) or ABSENT
