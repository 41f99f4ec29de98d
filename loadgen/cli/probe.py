"""`loadgen probe`: the connection doctor. Says what it will cost, runs the audit, shows what was found."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadgen.cli import EXIT_DONE, EXIT_GATE, EXIT_INTERRUPTED, EXIT_OUTPUT, Outcome
from loadgen.cli.audit_console import progress, show_audit, show_cost, show_probes
from loadgen.cli.audit_options import build_audit_plan
from loadgen.cli.consent import ask_consent
from loadgen.cli.gate_lines import report_gates
from loadgen.cli.signals import noted
from loadgen.cli.stdio import print_error
from loadgen.model.audit import AuditRecord, Verdict
from loadgen.model.exceptions import PlanError
from loadgen.model.files import check_writable, write_whole
from loadgen.model.target import parse_target
from loadgen.probe.audit import Audit
from loadgen.probe.audit_gates import judge_gates, resolve_gates
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.registry import GROUPS, choose
from loadgen.show.audit.audit_markdown import audit_markdown
from loadgen.target.process import EmbeddedTarget

# Without limits the embedded target keeps every connection for ever, and there is nothing to find.
_EMBEDDED_OPTIONS = ("--idle-timeout", "3s", "--close-after", "100")


def probe(options: dict[str, Any]) -> Outcome:
    """Run an audit as the options say. Raises PlanError or TargetError."""
    if options["list"]:
        show_probes(GROUPS, choose(options["only"] or (), options["skip"] or ()))
        return Outcome(EXIT_DONE)
    plan = build_audit_plan(options)
    page = options["html"]
    if page is not None:
        check_writable(page, "--html")
    probes = choose(options["only"] or (), options["skip"] or ())
    with _embedded(plan, options) as plan:
        audit = Audit(plan, probes)
        if not audit.probes:
            reasons = "; ".join(f"{name}: {why}" for name, why in audit.skipped.items())
            raise PlanError(f"nothing is left to ask: {reasons}")
        gates = resolve_gates(options["fail_if"], audit.probes)
        is_quiet = options["quiet"] or options["json"]
        if not is_quiet:
            show_cost(audit)
        ask_consent(
            [plan.target], plan.proxy, embedded=options["url"] is None, agreed=options["yes"],
            addressing=plan.addressing,
        )  # fmt: skip
        if plan.origin is not None:
            ask_consent([plan.origin], None, embedded=False, agreed=options["yes"])
        with noted(audit.interrupt), progress(audit, quiet=is_quiet):
            record = audit.run()
    if gates:
        record["gates"] = judge_gates(gates, record)
    _show(record, options)
    if page is not None and not _write_page(record, page):
        return Outcome(EXIT_OUTPUT)
    exit_code = report_gates(record.get("gates", ()))
    if record["end"] == "interrupted":
        return Outcome(EXIT_INTERRUPTED)
    is_bad = any(one["verdict"] == Verdict.VIOLATION.value for one in record["findings"].values())
    return Outcome(EXIT_GATE if options["strict"] and is_bad else exit_code)


@contextmanager
def _embedded(plan: AuditPlan, options: dict[str, Any]) -> Iterator[AuditPlan]:
    """The plan as it is; without URL that of the embedded target, which runs until the end of the block."""
    if options["url"] is not None:
        yield plan
        return
    with tempfile.TemporaryDirectory(prefix="loadgen-probe-") as folder:
        target = EmbeddedTarget(options["tls"], Path(folder), _EMBEDDED_OPTIONS)
        try:
            cacert = None if target.ca_file is None else str(target.ca_file)
            yield replace(plan, target=parse_target(target.url), cacert=cacert)
        finally:
            target.stop()


def _show(record: AuditRecord, options: dict[str, Any]) -> None:
    if options["json"]:
        sys.stdout.write(json.dumps(record, indent=2) + "\n")
    elif options["markdown"]:
        sys.stdout.write(audit_markdown(record))
    elif not options["quiet"]:
        show_audit(record)


def _write_page(record: AuditRecord, path: Path) -> bool:
    """Write the audit as a page; where that fails, say so."""
    from loadgen.show.audit.audit_html import audit_html  # matplotlib takes half a second to import

    content = audit_html(record).encode()
    try:
        write_whole(path, lambda file: file.write(content))
    except OSError as error:
        print_error(f"can't write {path}: {error.strerror}")
        return False
    return True
