"""The audit before a run's load (`--probe`): all that can be found out quickly. Judges nothing.

No idle connection is watched for longer than 10 s, and all of it takes 20 s at most.
"""

from __future__ import annotations

from dataclasses import replace

from loadgen.cli.audit_console import progress, show_cost
from loadgen.cli.signals import Interruption, noted
from loadgen.cli.stdio import print_error
from loadgen.model.audit import AuditRecord
from loadgen.model.exceptions import TargetError
from loadgen.model.plan import Plan
from loadgen.model.units import NS_PER_S
from loadgen.probe.audit import Audit
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.registry import choose

_IDLE_MAX_NS = 10 * NS_PER_S
_MAX_TIME_NS = 20 * NS_PER_S
_TIMEOUT_NS = 5 * NS_PER_S


def audit_before_load(plan: Plan, *, quiet: bool) -> AuditRecord | None:
    """What the audit found out, without what happened on each connection; None where no connection can be opened.

    Then the load says so: it may find a target that is starting now. Raises PlanError or Interruption.
    """
    audited = AuditPlan.of(plan)
    audit = Audit(
        replace(
            audited,
            timeout_ns=min(audited.timeout_ns, _TIMEOUT_NS),
            idle_max_ns=_IDLE_MAX_NS,
            max_time_ns=_MAX_TIME_NS,
        ),
        # A chain takes longer than there is, and its origin is reached without the proxy, which a load is not.
        choose((), ("chain",)),
    )
    if not quiet:
        show_cost(audit)
    record: AuditRecord | None = None
    with noted(audit.interrupt) as signals:
        try:
            with progress(audit, quiet=quiet):
                record = audit.run()
        except TargetError as error:
            if not quiet:
                print_error(f"no audit: {error}")
    if signals:
        raise Interruption(signals[0])
    if record is not None:
        del record["traces"]
    return record
