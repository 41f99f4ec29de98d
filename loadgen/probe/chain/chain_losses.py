"""Which requests does the chain lose because its two idle timeouts do not fit? Predicted from parts, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_MS, NS_PER_S, format_duration
from loadgen.probe.chain.gap_cells import (
    GapCell,
    LossShare,
    agree,
    cells_around,
    counted,
    exponential_gaps,
    per_million,
    predicted,
)
from loadgen.probe.chain.gap_drive import GapDrive, OutOfTime
from loadgen.probe.chain.origin import no_chain
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession

_AT_ONCE = 24
"""Requests right after each other; like those after short gaps, they find a connection that the origin keeps."""
_TRIES = {"before": 8, "race": 4, "after": 2, "beyond": 0}
"""In each cell. What lies beyond takes too long for what it tells."""
_COUNTED = 20
_POSTS = 2
"""Requests with POST, which a proxy must not send twice by itself (RFC 9110 §9.2.2)."""
_POST_AT = 1.3
"""In idle timeouts of the origin."""
_MAX_REQUESTS = 150
_BLUR = 0.01
_MIN_BLUR_NS = 2 * NS_PER_MS
_SHARE_OF_PARTS = 0.5
"""Of the time: for the parts of the prediction; the rest is for the count."""
_RESERVE_NS = NS_PER_S
_WAYS = {
    "blind": "the proxy does not watch its idle connections",
    "retries": "the proxy sends GET again, and not POST",
    "watches": "the proxy watches its idle connections",
    "unseen": "the proxy watches its idle connections, or sends requests again",
}


@dataclass(slots=True)
class _Losses:
    """What was found so far, and when it has to end."""

    cells: list[GapCell]
    mean_ns: int
    until_ns: int
    lost: int = 0
    tries: int = 0
    posts_lost: int = 0
    posts: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def after(self) -> tuple[int, int]:
        """Requests that were lost after the origin's timeout, and how many were tried."""
        cells = [cell for cell in self.cells if cell.name == "after"]
        return sum(cell.lost for cell in cells), sum(cell.tries for cell in cells)

    @property
    def way(self) -> str:
        """How the proxy treats connections that the origin has closed: a key of _WAYS."""
        lost, tries = self.after
        if 2 * lost > tries:
            return "blind"
        if not self.posts:
            return "unseen"
        return "retries" if self.posts_lost else "watches"


def _run(session: ProbeSession) -> Finding:
    session.waiting_for = "the origin's idle timeout to be known"
    origin = session.finding("origin_idle_timeout")
    reuse = session.finding("upstream_reuse")
    if origin is None:
        return unknown("the origin's idle timeout is not known")
    timeout_ns = origin.values.get("timeout_ns")
    if not isinstance(timeout_ns, int):
        return Finding(verdict=Verdict.OK, measured=f"nothing to lose: the origin's idle timeout: {origin.measured}")
    if reuse is not None and reuse.verdict is Verdict.WARNING:
        return Finding(verdict=Verdict.OK, measured="nothing to lose: the proxy reuses no connection to the origin")
    proxy = session.finding("upstream_idle_timeout")
    kept_ns = None if proxy is None else proxy.values.get("timeout_ns")
    if isinstance(kept_ns, int) and kept_ns < int(str(origin.values["min_ns"])):
        return Finding(verdict=Verdict.OK, measured="nothing to lose: the proxy is the first to close")
    low_ns, high_ns = (int(str(origin.values[name])) for name in ("min_ns", "max_ns"))
    cells = cells_around(low_ns, high_ns, max(_MIN_BLUR_NS, int(_BLUR * timeout_ns)))
    found = _Losses(cells, session.plan.chain_gap_ns or timeout_ns, session.deadline_ns - _RESERVE_NS)
    is_ours = reuse is not None and reuse.verdict is not Verdict.UNKNOWN
    _measure(session, found, timeout_ns, is_ours)
    _count(session, found)
    return _judged(found)


def _measure(session: ProbeSession, found: _Losses, timeout_ns: int, is_ours: bool) -> None:
    """Raises ProbeFailure."""
    begun_ns = session.now_ns()
    session.waiting_for, session.waiting_until_ns = "requests at gaps around the origin's timeout", found.until_ns
    with GapDrive(session, begun_ns + int((found.until_ns - begun_ns) * _SHARE_OF_PARTS)) as drive:
        with suppress(OutOfTime):
            for cell, gap_ns in _parts(found.cells):
                cell.lost += drive.is_lost(gap_ns)
                cell.tries += 1
        # Only where the origin is a `loadgen target`: another one might do something because of a POST.
        if is_ours and found.after[1] and not found.after[0]:
            with suppress(OutOfTime):
                for _ in range(_POSTS):
                    found.posts_lost += drive.is_lost(int(_POST_AT * timeout_ns), "POST")
                    found.posts += 1
        found.kinds.update(drive.losses)


def _count(session: ProbeSession, found: _Losses) -> None:
    """Raises ProbeFailure."""
    session.waiting_for = "requests at random gaps"
    left_ns = found.until_ns - session.now_ns()
    gaps_ns = exponential_gaps(min(_COUNTED, int(left_ns / found.mean_ns)), found.mean_ns)
    with GapDrive(session, found.until_ns) as drive, suppress(OutOfTime):
        for gap_ns in gaps_ns:
            found.lost += drive.is_lost(gap_ns)
            found.tries += 1
    found.kinds.update(drive.losses)


def _parts(cells: list[GapCell]) -> Iterator[tuple[GapCell, int]]:
    """Gaps to try, so that each cell has had one before the next turn; first some at once."""
    before = cells[0]
    yield from ((before, 0) for _ in range(_AT_ONCE))
    for turn in range(max(_TRIES.values())):
        for cell in cells:
            tries = _TRIES[cell.name]
            if turn < tries:
                yield cell, int(cell.low_ns + (cell.high_ns - cell.low_ns) * (turn + 0.5) / tries)


def _judged(found: _Losses) -> Finding:
    forecast, count = predicted(found.cells, found.mean_ns), counted(found.lost, found.tries)
    if not found.after[1]:
        return unknown("there was no time for it; a longer --max-time allows it")
    values: dict[str, FindingValue] = {
        "gap_mean_ns": found.mean_ns,
        **_as_values("predicted", forecast),
        "counted_lost": found.lost,
        "counted_requests": found.tries,
        **_as_values("counted", count),
        "agrees": agree(forecast, count) if found.tries else None,
        "way": found.way,
        "kinds": [f"{kind}: {number}" for kind, number in sorted(found.kinds.items())],
        "race_lost": found.cells[1].lost,
        "race_requests": found.cells[1].tries,
        "after_lost": found.after[0],
        "after_requests": found.after[1],
    }
    seen = f"{found.lost} of {found.tries} counted" if found.tries else "not counted, for want of time"
    measured = f"{_percent(forecast)} predicted, {seen}; {_WAYS[found.way]}"
    if not found.kinds:
        return Finding(verdict=Verdict.OK, measured=measured, values=values)
    expected = f"expect about {per_million(forecast)} lost requests per million"
    if found.way == "retries":
        expected = "requests that can't be sent again, as with POST, are lost"
    return Finding(
        verdict=Verdict.WARNING,
        measured=measured,
        values=values,
        advice=f"at gaps of {format_duration(found.mean_ns)} on average {expected}; "
        "set the origin's idle timeout above the proxy's",
        topic="idle_timeout",
    )


def _as_values(name: str, share: LossShare) -> dict[str, FindingValue]:
    return {f"{name}_share": share.middle, f"{name}_low": share.low, f"{name}_high": share.high}


def _percent(share: LossShare) -> str:
    return f"{share.middle:.1%} ({share.low:.1%} to {share.high:.1%})"


CHAIN_LOSSES = Probe(
    name="chain_losses",
    title="Requests lost in the chain",
    question="Which requests does the chain lose because the origin closes a connection that the proxy still uses?",
    method="Requests at gaps around the origin's idle timeout give the share that is lost after each; "
    "the prediction for exponential gaps is compared with a count at such gaps.",
    section="RFC 9110 §15.6.3",
    values={
        "gap_mean_ns": "mean of the exponential gaps between requests",
        "predicted_share": "share of requests that is predicted to be lost",
        "predicted_low": "lower end of its interval",
        "predicted_high": "upper end of its interval",
        "counted_lost": "requests that were lost at such gaps",
        "counted_requests": "requests that were sent at such gaps",
        "counted_share": "share of requests that was lost",
        "counted_low": "lower end of its interval",
        "counted_high": "upper end of its interval",
        "agrees": "the two shares may be the same: the interval of their difference has zero",
        "way": "`blind`: the proxy uses connections that the origin has closed; `watches`: it does not; "
        "`retries`: it sends GET again; `unseen`: one of these two",
        "kinds": "what came instead of a response, and how often",
        "race_lost": "requests that were lost around the origin's timeout",
        "race_requests": "requests that were tried there",
        "after_lost": "requests that were lost after the origin's timeout",
        "after_requests": "requests that were tried there",
    },
    requests=_MAX_REQUESTS,
    connections=_MAX_REQUESTS,
    run=_run,
    needs_quiet=True,
    needs=("origin_idle_timeout", "upstream_reuse", "upstream_idle_timeout"),
    not_for=no_chain,
)
