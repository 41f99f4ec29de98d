"""From the options of `probe` to an AuditPlan, or to one line that says what is wrong with them. Starts nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from loadgen.cli.machine import check_machine
from loadgen.model import plan_fields
from loadgen.model.address_options import AUDIT_ADDRESSING
from loadgen.model.exceptions import PlanError
from loadgen.model.option import PROBE
from loadgen.model.options import default, options_of
from loadgen.model.plan import Plan
from loadgen.model.proxy_options import PROXYING
from loadgen.model.target import Target, parse_target
from loadgen.model.tls_options import TLS_OPTIONS
from loadgen.model.unused_options import check_used
from loadgen.probe.audit_plan import EMBEDDED_IDLE_MAX_NS, AuditPlan

_OF_THE_WAY = (
    *("url", "header", "cacert", "insecure", "source_ip", "timeout"),
    *(option.name for option in TLS_OPTIONS),
    *PROXYING,
    *AUDIT_ADDRESSING,
)
"""Options that say where requests go and how: a comparison's plan has them too, and checks them."""


def build_audit_plan(options: dict[str, Any]) -> AuditPlan:
    """What is to be looked at; without URL the target is still a placeholder. Raises PlanError."""
    _check_pairs(options)
    for option in options_of(PROBE):
        if options[option.name] is not None:
            option.check_range(options[option.name])
    scheme = "https" if options["tls"] else "http"
    fields = {"target": parse_target(f"{scheme}://127.0.0.1/"), "policies": default("policies")}
    way = {name: options[name] for name in _OF_THE_WAY}
    if options["user"]:
        way["header"] = (*options["header"], options["user"])
    plan = Plan(**fields | plan_fields.of_values(way))
    check_used(plan)
    check_machine(plan)
    audited = AuditPlan.of(plan)
    idle_max_ns = options["idle_max"]
    if idle_max_ns is None:
        idle_max_ns = audited.idle_max_ns if options["url"] else EMBEDDED_IDLE_MAX_NS
    return replace(
        audited,
        origin=_origin(options["origin"]),
        chain_gap_ns=options["chain_gap"] or 0,
        idle_max_ns=idle_max_ns,
        max_time_ns=options["max_time"],
        max_requests=options["max_requests"],
    )


def _check_pairs(options: dict[str, Any]) -> None:
    if options["tls"] and options["url"]:
        raise PlanError("--tls is for the embedded target; with a URL its scheme decides")
    for option in options_of(PROBE):
        if option.url_only and not options["url"] and options[option.name]:
            raise PlanError(f"--{option.key} is for a URL; {option.url_only}")
    if options["chain_gap"] is not None and not options["origin"]:
        raise PlanError("--chain-gap is for the chain before a server; give that server as --origin too")
    if options["json"] and options["markdown"]:
        raise PlanError("--json and --markdown both print on standard output; give one of them")


def _origin(url: str | None) -> Target | None:
    if url is None:
        return None
    try:
        return parse_target(url)
    except PlanError as error:
        raise PlanError(f"--origin: {error}") from None
