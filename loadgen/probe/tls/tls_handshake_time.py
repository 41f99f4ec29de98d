"""How long does a handshake take, in full and resumed, and what does resumption save here (RFC 8446 §2.2)?"""

from __future__ import annotations

from loadgen.model.audit import FindingValue, Verdict
from loadgen.probe.finding import Finding
from loadgen.probe.medians import Median, median_of, median_text
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.tls.tls_client import TlsClient, not_for

_PAIRS = 12


def _run(session: ProbeSession) -> Finding:
    client = TlsClient(session)
    full_ns: list[int] = []
    resumed_ns: list[int] = []
    saved_ns: list[int] = []
    for _ in range(_PAIRS):
        full = client.visit(asks=True)
        again = client.visit(full.session)
        full_ns.append(full.handshake_ns)
        if again.resumed:
            resumed_ns.append(again.handshake_ns)
            saved_ns.append(full.handshake_ns - again.handshake_ns)
    values = {**_values("full", median_of(full_ns)), "pairs": _PAIRS, "resumed": len(resumed_ns)}
    measured = f"full {median_text(full_ns)}"
    if not saved_ns:
        return Finding(verdict=Verdict.OK, measured=f"{measured}, never resumed", values=values, topic="tls_session")
    saved = median_of(saved_ns)
    values |= _values("resumed", median_of(resumed_ns)) | _values("saved", saved)
    saves = f"saves {median_text(saved_ns)}" if saved.is_certain and saved.middle > 0 else "no saving was measured"
    return Finding(
        verdict=Verdict.OK,
        measured=f"{measured}, resumed {median_text(resumed_ns)}; {saves}",
        values=values,
        topic="tls_session",
    )


def _values(name: str, found: Median) -> dict[str, FindingValue]:
    return {f"{name}_ns": round(found.middle), f"{name}_low_ns": round(found.low), f"{name}_high_ns": round(found.high)}


TLS_HANDSHAKE_TIME = Probe(
    name="tls_handshake_time",
    title="Handshake time",
    question="How long does a handshake take, in full and resumed, and what does resumption save?",
    method=f"{_PAIRS} pairs: a full handshake with one request, then one that offers its session; medians, TCP's part "
    "not included.",
    section="RFC 8446 §2.2",
    values={
        "full_ns": "a full handshake's time, median",
        "full_low_ns": "lower end of its interval (95 %)",
        "full_high_ns": "upper end",
        "resumed_ns": "a resumed handshake's time, median; absent where none was resumed",
        "resumed_low_ns": "lower end of its interval",
        "resumed_high_ns": "upper end",
        "saved_ns": "what resumption saves, median of the pairs",
        "saved_low_ns": "lower end of its interval",
        "saved_high_ns": "upper end",
        "pairs": "pairs that were measured",
        "resumed": "pairs whose second handshake was really resumed",
    },
    requests=_PAIRS,
    connections=2 * _PAIRS,
    run=_run,
    not_for=not_for,
)
