"""Results of the simulation as lines of text, each with the names of what lies outside of what is promised."""

from __future__ import annotations

from statistics import fmean

from tests.coverage.check_rates import Found, line_of
from tests.coverage.claims import ERROR_RATE, Claims
from tests.coverage.diffs import LEAST_FOUND, Diffs
from tests.coverage.early_ends import LEAST, EarlyEnds
from tests.coverage.intervals import BAND, Coverage
from tests.coverage.tally import Tally

Written = tuple[str, list[str]]
"""Text, and what failed."""

COVERAGE = (
    f"Coverage of 95 % intervals in %: of baseline, candidate, difference, ratio; * outside of {BAND[0]:.0%} to "
    f"{BAND[1]:.0%} beyond chance.\nSecond line: half of the interval's width, by the value; of a difference, by the "
    "baseline's value."
)
CLAIMS = f"Wrong claims: a difference where there is none, equivalence exactly at its bound; at most {ERROR_RATE:.0%}."
EARLY_ENDS = (
    f"Runs that end by precision: coverage of their intervals, at least {LEAST:.0%}, and how many rounds they had."
)
DIFFS = (
    f"Diffs of two runs: wrong claims, at most {ERROR_RATE:.0%}; and of a change that has rounds enough, how often it "
    f"is called certain, at least {LEAST_FOUND:.0%}, and held, at least {LEAST:.0%}."
)
CHECKS = (
    "Self-checks: of sound runs at most the stated rate may fail, of runs with a fault most must.\n"
    f"check          runs   scenario{' ' * 35}size    failed  stated"
)

_COLUMNS = {
    "mean": ("baseline mean", "candidate mean", "mean difference", "mean ratio"),
    "p50": ("baseline p50", "candidate p50", "p50 difference", "p50 ratio"),
    "p99": ("baseline p99", "candidate p99", "p99 difference", "p99 ratio"),
    "req/s": ("baseline req/s", "candidate req/s", "req/s ratio"),
}
_CONFIDENCE = 0.999
"""Of hundreds of shares some lie outside by chance; with this, hardly one does."""


def coverage(found: Coverage) -> Written:
    """Three lines or four."""
    shares, widths = [], []
    for kind, names in _COLUMNS.items():
        shares.append(f"{kind:5}" + " ".join(_share(found.tallies[name]) for name in names))
        widths.append(" " * 5 + " ".join(f"{fmean(found.widths[name]) * 100:5.1f}" for name in names))
    low, high = found.tallies["mean ratio"].interval()
    lines = [
        f"{found.scenario.name}, {found.rounds} rounds; each ± {(high - low) / 2 * 100:.1f}",
        "  " + " | ".join(shares),
        "  " + " | ".join(widths),
        *dict.fromkeys(f"  known: {why}" for why in found.scenario.known.values()),
    ]
    head = f"{found.scenario.name}, {found.rounds} rounds"
    return "\n".join(lines), [f"{head}: {name}" for name in found.outside(_CONFIDENCE)]


def _share(tally: Tally) -> str:
    return f"{tally.share * 100:4.1f}{' ' if tally.may_lie_in(*BAND) else '*'}"


def claims(found: Claims) -> Written:
    """One line."""
    names = {"difference": found.certain, "equivalence": found.equivalent}
    head = f"{found.machine}, {found.rounds} rounds, {found.candidates} candidates"
    return _line(head, names), [
        f"{head}: {name}" for name, tally in names.items() if not tally.may_lie_in(0, ERROR_RATE, _CONFIDENCE)
    ]


def early_ends(found: EarlyEnds) -> Written:
    """One line."""
    head = f"{found.scenario.name}, ± {found.aim:.0%}"
    text = f"{_line(head, found.tallies)}; {fmean(found.rounds):.1f} rounds, at best {found.ideal_rounds:.1f}"
    return text, [
        f"{head}: {name}" for name, tally in found.tallies.items() if not tally.may_lie_in(LEAST, 1, _CONFIDENCE)
    ]


def diffs(of_rounds: Diffs) -> Written:
    """One line."""
    head = f"{of_rounds.rounds} rounds"
    promised = {
        "wrong claims": (of_rounds.claims, 0.0, ERROR_RATE),
        "certain": (of_rounds.found, LEAST_FOUND, 1.0),
        "held": (of_rounds.held, LEAST, 1.0),
    }
    return _line(head, {name: tally for name, (tally, _, _) in promised.items()}), [
        f"{head}: {name}"
        for name, (tally, low, high) in promised.items()
        if not tally.may_lie_in(low, high, _CONFIDENCE)
    ]


def checks(found: Found) -> Written:
    """One line."""
    text = line_of(found)
    return text, [] if found.is_within else [text]


def _line(head: str, tallies: dict[str, Tally]) -> str:
    low, high = next(iter(tallies.values())).interval()
    shares = ", ".join(f"{name} {tally.share:.1%}" for name, tally in tallies.items())
    return f"{head}: {shares} (± {(high - low) / 2:.1%})"
