"""The tables of light load: medians of the turns' medians, with quartiles. Measures nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.bench.turns import below_bar, differences, spread

POLICIES = ("persistent", "close")
NONE = "–"
TIMED = (("close", "connect"), ("persistent", "send + wait"), ("close", "send + wait"))
"""Phases that the packets show too."""
_PHASE_BAR_US, _PHASE_STRETCH_US = 30, 10
_BIAS_BAR_US, _BIAS_STRETCH_US = 10, 3

Medians = Mapping[str, Sequence[Mapping[str, float]]]
"""Client -> for each turn: name of a time -> its median (µs)."""


def phases(found: Medians) -> None:
    """Each phase by both clients and by the packets; and what ours has more, as it is and beyond each one's packets."""
    print("\n| phase | ours | C client | packets: ours | packets: C | ours less C | beyond packets | bar (stretch) |")
    print("|---|---|---|---|---|---|---|---|")
    timed = [*TIMED, *((policy, "receive") for policy in POLICIES)]
    for phase in (f"{phase} {policy}" for policy, phase in timed):
        ours, theirs, our_packets, their_packets = (
            figures(found, name, key) for key in (phase, f"packets' {phase}") for name in ("ours", "client")
        )
        cells = [text(values) for values in (ours, theirs, our_packets, their_packets)]
        less = differences(ours, theirs) if ours and theirs else None
        cells.append(less.text() if less else NONE)
        beyond = NONE
        if our_packets and their_packets:
            columns = zip(ours, our_packets, theirs, their_packets, strict=True)
            beyond = spread([(mine - wire) - (their - its) for mine, wire, their, its in columns]).text()
        bar = below_bar(less.median, _PHASE_BAR_US, _PHASE_STRETCH_US) if less and "receive" not in phase else ""
        print(f"| {' | '.join([phase, *cells, beyond, bar])} |", flush=True)


def errors(found: Medians) -> None:
    """By how much the phases exceed what the packets show, request by request; and the difference between policies."""
    if not figures(found, "ours", "bias"):
        return
    print("\n| beyond the packets | ours | C client | ours less C | bar (stretch) |")
    print("|---|---|---|---|---|")
    titles = {f"{phase} error {policy}": f"{phase}, {policy}" for policy, phase in TIMED}
    titles |= {f"error {policy}": f"connect + send + wait, {policy}" for policy in POLICIES}
    for key, title in {**titles, "bias": "the same, close less persistent"}.items():
        ours, theirs = (figures(found, name, key) for name in ("ours", "client"))
        bar = below_bar(abs(spread(ours).median), _BIAS_BAR_US, _BIAS_STRETCH_US) if key == "bias" else ""
        less = differences(ours, theirs).text() if ours and theirs else NONE
        print(f"| {' | '.join([title, text(ours), text(theirs), less, bar])} |", flush=True)
    left = _unexplained(found)
    if left:
        bar = below_bar(abs(spread(left).median), _BIAS_BAR_US, _BIAS_STRETCH_US)
        print(f"| the same, less the connect delay that the run reports | {text(left)} | {NONE} | {NONE} | {bar} |")


def _unexplained(found: Medians) -> list[float]:
    """What is left of each turn's bias once the delay of `connect` is taken off, which ours measured itself.

    That of `wait` is the same under both policies, and where the server closes the kernel's stamp is the close's.
    """
    delays = figures(found, "ours", "connect delay close")
    return [bias - delay for bias, delay in zip(figures(found, "ours", "bias"), delays, strict=True)] if delays else []


def kernel(found: Medians) -> None:
    """How the C client's error divides: until its segment left, and from the other one's coming to its stamp."""
    if not figures(found, "client", "bias"):
        return
    print("\n| the C client and the kernel | from the call until the segment left | from the segment to the event |")
    print("|---|---|---|")
    for policy, phase in TIMED:
        leaves, error = (figures(found, "client", f"{phase} {what} {policy}") for what in ("leaves", "error"))
        print(f"| {phase}, {policy} | {text(leaves)} | {differences(error, leaves).text()} |", flush=True)


def own(found: Medians) -> None:
    """What ours says of itself: its own work in a request, and how late its stamps are by the kernel's."""
    print("\n| what ours reports of itself | persistent | close |")
    print("|---|---|---|")
    for key in ("own", "wait delay", "connect delay"):
        cells = [text(figures(found, "ours", f"{key} {policy}")) for policy in POLICIES]
        print(f"| {' | '.join([key, *cells])} |", flush=True)


def figures(found: Medians, name: str, key: str) -> list[float]:
    """A median of each turn; empty where nobody measured it."""
    return [one[key] for one in found.get(name, []) if key in one]


def text(values: Sequence[float]) -> str:
    return spread(values).text() if values else NONE
