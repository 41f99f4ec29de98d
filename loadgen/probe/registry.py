"""The connection doctor's probes, in the order of the table, and which of them an audit runs.

A new probe is a file in the folder of its subject and a line in that folder's PROBES. Knows neither the shell nor how a
finding is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from loadgen.model.exceptions import PlanError
from loadgen.probe import (
    addresses,
    chain,
    closing,
    http2,
    idle,
    limits,
    messages,
    options,
    persistence,
    tcp,
    tls,
    versions,
    websocket,
)
from loadgen.probe.probe import Probe, ProbeGroup

GROUPS: tuple[ProbeGroup, ...] = (
    ProbeGroup("versions", "HTTP versions", versions.PROBES),
    ProbeGroup("persistence", "Persistent connections", persistence.PROBES),
    ProbeGroup("closing", "Closing", closing.PROBES),
    ProbeGroup("idle", "Idle timeouts", idle.PROBES),
    ProbeGroup("limits", "Limits of a connection", limits.PROBES),
    ProbeGroup("messages", "Messages that a connection must survive", messages.PROBES),
    ProbeGroup("options", "Connection options", options.PROBES),
    ProbeGroup("tls", "TLS", tls.PROBES),
    ProbeGroup("http2", "HTTP/2", http2.PROBES),
    ProbeGroup("websocket", "WebSocket", websocket.PROBES),
    ProbeGroup("tcp", "TCP", tcp.PROBES),
    ProbeGroup("addresses", "Addresses and backends", addresses.PROBES),
    ProbeGroup("chain", "The chain", chain.PROBES),
)
PROBES: tuple[Probe, ...] = tuple(probe for group in GROUPS for probe in group.probes)


def choose(only: Iterable[str], skip: Iterable[str]) -> list[Probe]:
    """The probes that --only and --skip leave, and those that they need. Names of groups stand for all of theirs.

    Raises PlanError where a word is no name, or nothing is left.
    """
    wanted = _named(only, "--only") or {probe.name for probe in PROBES}
    wanted -= _named(skip, "--skip")
    pending = list(wanted)
    while pending:
        for name in _BY_NAME[pending.pop()].needs:
            if name not in wanted:
                wanted.add(name)
                pending.append(name)
    if not wanted:
        raise PlanError("--only and --skip leave no check to run")
    return [probe for probe in PROBES if probe.name in wanted]


def quick_probes() -> list[Probe]:
    """Those of an audit before a load. A chain takes longer than there is, and its origin is reached without the proxy,
    which a load is not."""
    return choose((), ("chain",))


def group_title(name: str) -> str:
    """The title of the group that a probe belongs to; empty where the registry does not have it."""
    return _TITLES.get(name, "")


_TITLES = {probe.name: group.title for group in GROUPS for probe in group.probes}
_BY_NAME = {probe.name: probe for probe in PROBES}
_BY_WORD = {group.name: {probe.name for probe in group.probes} for group in GROUPS} | {
    name: {name} for name in _BY_NAME
}


def _named(words: Iterable[str], option: str) -> set[str]:
    found: set[str] = set()
    for word in words:
        if word not in _BY_WORD:
            close = get_close_matches(word, _BY_WORD, 1)
            hint = f"; did you mean {close[0]}?" if close else f"; it takes {', '.join(group.name for group in GROUPS)}"
            raise PlanError(f"{option} {word!r} is no check and no group of them{hint}")
        found |= _BY_WORD[word]
    return found
