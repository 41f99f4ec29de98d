"""An audit of the target from Locust's web UI: one at a time, in a greenlet of the coordinating process, and never
beside a run, whose figures it would disturb. Imports no Locust.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

import gevent

from loadgen.model.audit import AuditRecord
from loadgen.model.exceptions import PlanError, TargetError
from loadgen.model.plan import Plan
from loadgen.model.units import NS_PER_S
from loadgen.probe.audit import Audit
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.progress import progress_text
from loadgen.probe.registry import PROBES, quick_probes
from loadgen.show.tables.findings import HEADINGS, audit_facts, findings_by_group, verdict_counts

logger = logging.getLogger(__name__)


class TargetAudit:
    """The present audit, or the last one.

    plan: says what is to be looked at, by the host in the page's form, or raises PlanError. is_busy: a run is on.
    """

    def __init__(self, plan: Callable[[str], AuditPlan], is_busy: Callable[[], bool]) -> None:
        self.record: AuditRecord | None = None
        """Of the last audit that has ended."""
        self._plan = plan
        self._is_busy = is_busy
        self._audit: Audit | None = None
        """The present one."""
        self._message = ""

    @property
    def is_running(self) -> bool:
        return self._audit is not None

    def start(self, host: str) -> str:
        """Start one; says in one line why that can't be, and is empty where it has begun."""
        if refusal := self._refusal():
            return refusal
        try:
            audit = Audit(self._plan(host), PROBES)
        except PlanError as error:
            return str(error)
        if refusal := self._refusal():  # a plan may have to start a target, and others have their turn meanwhile
            return refusal
        self._audit, self._message = audit, ""
        gevent.spawn(self._run, audit)
        return ""

    def before_load(self, plan: Plan) -> None:
        """Run one before the plan's load, and wait for it. A target that can't be reached may be about to start."""
        audit = Audit(AuditPlan.before_load(plan), quick_probes())
        limit_s = audit.plan.max_time_ns // NS_PER_S
        logger.info("loadgen: an audit of %s before the load, for up to %d s", plan.target, limit_s)
        self._audit, self._message = audit, ""
        self._run(audit)
        record = self.record
        logger.info(
            "loadgen: %s", self._message or f"the audit found {verdict_counts(record)}" if record else "no audit"
        )

    def of_run(self, plan: Plan) -> AuditRecord | None:
        """What the last audit found out about a run's target, without what happened on each connection."""
        record = self.record
        if record is None or record["url"] != str(plan.target):
            return None
        return cast(AuditRecord, {key: value for key, value in record.items() if key != "traces"})

    def stop(self) -> None:
        """End it with what is known."""
        if self._audit is not None:
            self._audit.interrupt()

    def view(self) -> dict[str, Any]:
        """What a page shows, for JSON.

        state: idle, running, finished or failed; message: why it failed; progress: a line while it runs; url, facts,
        counts: of the last one that ended; headings, groups: its table, `[{title, rows}]`.
        """
        found: dict[str, Any] = {"state": self._state(), "message": self._message, "progress": "", "headings": HEADINGS}
        if self._audit is not None:
            found["progress"] = f"{self._audit.plan.target}: {progress_text(self._audit)}"
        record = self.record
        if record is None:
            return found | {"url": "", "facts": "", "counts": "", "groups": []}
        groups = [{"title": title, "rows": table.rows} for title, table in findings_by_group(record).items()]
        counts = verdict_counts(record)
        return found | {"url": record["url"], "facts": audit_facts(record), "counts": counts, "groups": groups}

    def _refusal(self) -> str:
        """Why no audit can begin now; empty where one can."""
        if self._is_busy():
            return "a run is on, and an audit would disturb its figures; start it when the run has ended"
        return "an audit is on" if self.is_running else ""

    def _state(self) -> str:
        if self._audit is not None:
            return "running"
        return "failed" if self._message else "idle" if self.record is None else "finished"

    def _run(self, audit: Audit) -> None:
        try:
            self.record = audit.run()
        except (PlanError, TargetError) as error:
            self._message = str(error)
        except Exception as error:  # the web UI goes on, whatever is wrong with an audit
            logger.exception("loadgen: the audit failed")
            self._message = f"the audit failed: {error}"
        finally:
            self._audit = None
