"""What a probe of the connection doctor is. Knows none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.finding import Finding
from loadgen.probe.session import ProbeSession

Cost = int | Callable[[AuditPlan], int]


def _always(_plan: AuditPlan) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Finds out one thing about a server, with a few requests of its own."""

    name: str
    """The word for --only, and the key of its finding."""
    title: str
    """The first column of the table: what it is about, in a few words."""
    question: str
    """What is asked of the server, as a question."""
    method: str
    """How it is found out: one sentence for the docs."""
    section: str
    """Where the rule stands, like `RFC 9112 §9.6`; empty where no document has one."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Each key of the finding's values, and what it means."""
    requests: Cost
    """The most requests that it sends."""
    connections: Cost
    """The most connections that it opens."""
    run: Callable[[ProbeSession], Finding]
    """Finds out. A ProbeFailure or OSError that it raises makes the finding `unknown`, with the error's text."""
    waits: bool = False
    """It mostly waits, so it runs beside all others; those that do not wait run one after another."""
    keeps_asking: bool = False
    """It waits, and sends requests all the while: it begins after the probes that need quiet."""
    needs_quiet: bool = False
    """Requests of other probes would spoil what it sees, as where a proxy's idle connection would be used again."""
    needs: tuple[str, ...] = ()
    """Probes whose findings it reads. They run too; it waits for them."""
    needs_response: bool = True
    """It means nothing where the server never answers a plain request."""
    not_for: Callable[[AuditPlan], str] = _always
    """Why it does not apply, as the rest of a sentence; empty where it does."""

    def max_requests(self, plan: AuditPlan) -> int:
        return self.requests if isinstance(self.requests, int) else self.requests(plan)

    def max_connections(self, plan: AuditPlan) -> int:
        return self.connections if isinstance(self.connections, int) else self.connections(plan)


@dataclass(frozen=True, slots=True)
class ProbeGroup:
    """Probes of one subject."""

    name: str
    """A word for --only and --skip that stands for all of them."""
    title: str
    probes: tuple[Probe, ...]
