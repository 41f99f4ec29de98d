"""The audit before a run's load (`--probe`): all that can be found out quickly. Judges nothing.

No idle connection is watched for longer than 10 s, and all of it takes 20 s at most.
"""

from __future__ import annotations

from loadgen.cli.audit_console import progress, show_cost
from loadgen.cli.signals import Interruption, noted
from loadgen.cli.stdio import print_error
from loadgen.model.audit import AuditRecord
from loadgen.model.exceptions import TargetError
from loadgen.model.plan import Plan
from loadgen.probe.audit import Audit
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.registry import quick_probes


def audit_before_load(plan: Plan, *, quiet: bool) -> AuditRecord | None:
    """What the audit found out, without what happened on each connection; None where no connection can be opened.

    Then the load says so: it may find a target that is starting now. Raises PlanError or Interruption.
    """
    audit = Audit(AuditPlan.before_load(plan), quick_probes())
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
