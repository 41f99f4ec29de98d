"""Whether two mean latencies are shown to be alike: an absence of proof is none. Knows no samples."""

from __future__ import annotations

from loadgen.model.summary import EquivalenceSummary


def equivalence(interval: list[float] | None, bound: float | None) -> EquivalenceSummary | None:
    """interval: of the ratio of means. bound: the share by which they may differ; None where that is not asked.

    Shown if the whole interval lies between 1 / (1 + bound) and 1 + bound, so the order of the two does not matter.
    D. J. Schuirmann's two one-sided tests (J. Pharmacokinet. Biopharm. 15, 1987), each at 2.5 % instead of the usual
    5 %, so that the interval that is shown is the one that decides.
    """
    if bound is None:
        return None
    return {
        "bound": bound,
        "shown": interval is not None and 1 / (1 + bound) <= interval[0] and interval[1] <= 1 + bound,
    }
