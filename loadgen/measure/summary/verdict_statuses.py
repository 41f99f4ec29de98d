"""What the verdict begins with where most responses are redirects or errors: then no figure is a working target's."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from loadgen.measure.stats.statuses import StatusCounts
from loadgen.measure.summary.verdict_words import named
from loadgen.model.policy_summary import PolicySummary

_MAX_STATUSES = 4
_MAX_NAMED = 3
_BAD_REQUEST = 400


class Unwanted(NamedTuple):
    """What there is to say, and the policies whose figures are a working target's."""

    lead: str
    """Empty where all is well; else what the verdict begins with, to go on behind a `; `."""
    good: dict[str, PolicySummary]


def unwanted(answered: dict[str, PolicySummary], by_proxy: Container[str], is_tls: bool) -> Unwanted:
    """answered: policies with a response at least. by_proxy: those whose requests go to a proxy itself."""
    bad = {name: one for name, one in answered.items() if StatusCounts.of([one]).are_unwanted}
    good = {name: one for name, one in answered.items() if name not in bad}
    if not bad:
        return Unwanted("", good)
    if not good:
        counts = StatusCounts.of(bad.values())
        # Responses that came through a tunnel are not the proxy's.
        whose = ", perhaps the proxy's own" if counts.errors and all(name in by_proxy for name in bad) else ""
        lead = f"{_share(counts)} {_what(counts, bad)}{whose}{_tls_hint(counts, is_tls)}, so {_follows(counts)}"
        return Unwanted(lead, good)
    it, is_compared = ("it", "is") if len(bad) == 1 else ("they", "are")
    if len(bad) > _MAX_NAMED:
        counts = StatusCounts.of(bad.values())
        said = f"in {len(bad)} of {len(answered)}, {_share(counts)} {_what(counts, bad)}"
    else:
        said = " and ".join(_of_policy(name, one, answered) for name, one in bad.items())
    return Unwanted(f"{said}, so {it} {is_compared} compared with no other", good)


def _of_policy(name: str, one: PolicySummary, policies: dict[str, PolicySummary]) -> str:
    counts = StatusCounts.of([one])
    return f"{_share(counts, f' of {named(name, policies)}')} {_what(counts, {name: one})}"


def _share(counts: StatusCounts, whose: str = "") -> str:
    """The subject of the sentence."""
    if counts.share == 1:
        return f"every response{whose} was"
    return f"{min(99, round(100 * counts.share))}% of the responses{whose} were"


def _what(counts: StatusCounts, policies: dict[str, PolicySummary]) -> str:
    """The rest of the sentence: a 301 to https://example.org/."""
    is_one = counts.share == 1
    redirects, errors = counts.redirects, counts.errors
    where = next((f" to {to}" for one in reversed(policies.values()) if (to := one.get("redirected_to"))), "")
    if is_one and len(redirects) == 1 and not errors:
        return f"a {redirects[0]}{where}, which loadgen does not follow"
    names = ("a redirect", "an error") if is_one else ("redirects", "errors")
    parts = []
    if redirects:
        parts.append(f"{names[0]} ({_listed(redirects)}{where}), which loadgen does not follow")
    if errors:
        parts.append(f"{names[1]} ({_listed(errors)})")
    return " or ".join(reversed(parts))


def _listed(statuses: list[int]) -> str:
    return ", ".join(map(str, statuses[:_MAX_STATUSES])) + (", …" if len(statuses) > _MAX_STATUSES else "")


def _tls_hint(counts: StatusCounts, is_tls: bool) -> str:
    """A port that speaks TLS answers a request in clear with 400, if at all."""
    if is_tls or list(counts.statuses) != [_BAD_REQUEST]:
        return ""
    return " (does this port speak TLS? Then use https://)"


def _follows(counts: StatusCounts) -> str:
    kinds = [name for name, found in (("redirects", counts.redirects), ("errors", counts.errors)) if found]
    if counts.share == 1:
        return f"all figures are those of {' and '.join(kinds)}"
    return f"the figures mix {' and '.join(kinds)} with other responses"
