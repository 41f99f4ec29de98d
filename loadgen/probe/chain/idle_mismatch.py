"""Do the idle timeouts of the proxy and the origin fit? Who opens a connection has to be the first to close it."""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.model.units import format_duration
from loadgen.probe.chain.origin import no_chain
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_ADVICE = (
    "the proxy must be the first to close: set the origin's idle timeout above the proxy's ({proxy}), "
    "or the proxy's timeout for connections to the origin below {origin}"
)


def _run(session: ProbeSession) -> Finding:
    origin, proxy = session.finding("origin_idle_timeout"), session.finding("upstream_idle_timeout")
    reuse, losses = session.finding("upstream_reuse"), session.finding("chain_losses")
    front = session.finding("idle_timeout")
    origin_ns, origin_more_ns = _times(origin)
    proxy_ns, proxy_more_ns = _times(proxy)
    front_ns, front_more_ns = _times(front)
    times = {
        "front_ns": front_ns, "front_longer_than_ns": front_more_ns, "proxy_ns": proxy_ns,
        "proxy_longer_than_ns": proxy_more_ns, "origin_ns": origin_ns, "origin_longer_than_ns": origin_more_ns,
    }  # fmt: skip
    values = {name: value for name, value in times.items() if value is not None}
    if reuse is not None and reuse.verdict is Verdict.WARNING:
        return Finding(verdict=Verdict.OK, measured="the proxy keeps no connection to the origin", values=values)
    if origin_ns is None and origin_more_ns is None:
        return unknown("the origin's idle timeout is not known")
    keeps_ns, keeps_more_ns = proxy_ns, proxy_more_ns
    is_guess = keeps_ns is None and keeps_more_ns is None
    if is_guess:  # many a balancer has one idle timeout for both of its sides
        keeps_ns, keeps_more_ns = front_ns, front_more_ns
    if keeps_ns is None and keeps_more_ns is None:
        return unknown("the proxy's idle timeout is not known")
    whose = "the proxy, to its clients," if is_guess else "the proxy"
    measured = f"{whose} keeps {_text(keeps_ns, keeps_more_ns)}, the origin {_text(origin_ns, origin_more_ns)}"
    at_least_ns = keeps_more_ns if keeps_ns is None else keeps_ns
    is_safe = origin_ns is None or (keeps_ns is not None and keeps_ns < origin_ns)
    if is_safe or at_least_ns is None or origin_ns is None or at_least_ns < origin_ns:
        verdict = Verdict.OK if is_safe and keeps_ns is not None else Verdict.NOTE
        return Finding(verdict=verdict, measured=measured, values=values)
    is_lossy = losses is not None and losses.verdict is Verdict.WARNING
    return Finding(
        verdict=Verdict.NOTE if is_guess and not is_lossy else Verdict.WARNING,
        measured=measured,
        values=values,
        advice=_ADVICE.format(proxy=_text(keeps_ns, keeps_more_ns), origin=format_duration(origin_ns)),
        topic="upstream_idle_timeout",
    )


def _times(found: Finding | None) -> tuple[int | None, int | None]:
    """The timeout (ns), or the time that it is longer than."""
    values = {} if found is None else found.values
    exact, more = values.get("timeout_ns"), values.get("longer_than_ns")
    return (exact if isinstance(exact, int) else None), (more if isinstance(more, int) else None)


def _text(exact_ns: int | None, more_ns: int | None) -> str:
    if exact_ns is not None:
        return format_duration(exact_ns)
    return "for ever" if more_ns is None else f"more than {format_duration(more_ns)}"


IDLE_MISMATCH = Probe(
    name="idle_mismatch",
    title="Idle timeouts that fit",
    question="Does the proxy close its idle connections to the origin before the origin does?",
    method="The idle timeouts of both sides of the proxy and of the origin are compared.",
    section="RFC 9112 §9.5",
    values={
        "front_ns": "idle timeout of the proxy towards its clients",
        "front_longer_than_ns": "it is longer than this",
        "proxy_ns": "idle timeout of the proxy towards the origin",
        "proxy_longer_than_ns": "it is longer than this",
        "origin_ns": "idle timeout of the origin",
        "origin_longer_than_ns": "it is longer than this",
    },
    requests=0,
    connections=0,
    run=_run,
    needs=("idle_timeout", "origin_idle_timeout", "upstream_reuse", "upstream_idle_timeout", "chain_losses"),
    not_for=no_chain,
)
