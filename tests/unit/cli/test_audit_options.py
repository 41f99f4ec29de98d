"""From the options of `probe` to an AuditPlan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.cli.audit_options import build_audit_plan
from loadgen.model.exceptions import PlanError
from loadgen.model.option import PROBE
from loadgen.model.options import options_of
from loadgen.model.units import NS_PER_S


def options(**given: Any) -> dict[str, Any]:
    """The options as the command has them where only `given` stands on the command line."""
    return {option.name: option.default_value() for option in options_of(PROBE)} | given


def test_what_is_given_is_in_the_plan() -> None:
    plan = build_audit_plan(
        options(
            url="https://127.0.0.1:8443/a?b=c",
            header=("X: y",),
            insecure=True,
            proxy="http://127.0.0.1:3128",
            source_ip=("127.0.0.2",),
            origin="http://127.0.0.1:81/",
            chain_gap=2 * NS_PER_S,
            backend_header="X-Backend",
            timeout=NS_PER_S,
            max_time=3 * NS_PER_S,
        )
    )
    assert str(plan.target) == "https://127.0.0.1:8443/a?b=c"
    assert (plan.headers, plan.insecure, plan.source_ips) == ((("X", "y"),), True, ("127.0.0.2",))
    assert (str(plan.proxy), str(plan.origin)) == ("127.0.0.1:3128", "http://127.0.0.1:81/")
    assert (plan.backend_header, plan.timeout_ns, plan.max_time_ns) == ("X-Backend", NS_PER_S, 3 * NS_PER_S)
    assert plan.chain_gap_ns == 2 * NS_PER_S


def test_without_url_idle_connections_are_watched_for_a_shorter_time() -> None:
    assert build_audit_plan(options()).idle_max_ns == 8 * NS_PER_S
    assert build_audit_plan(options(url="http://127.0.0.1/")).idle_max_ns == 80 * NS_PER_S
    assert build_audit_plan(options(idle_max=NS_PER_S)).idle_max_ns == NS_PER_S


def test_a_gap_in_the_chain_needs_its_origin() -> None:
    with pytest.raises(PlanError, match="--chain-gap is for the chain before a server; give that server as --origin"):
        build_audit_plan(options(url="http://127.0.0.1/", chain_gap=NS_PER_S))


def test_what_only_this_machine_can_say_is_checked() -> None:
    with pytest.raises(PlanError, match=r"--source-ip 192\.0\.2\.1: not an address of this machine"):
        build_audit_plan(options(url="http://127.0.0.1/", source_ip=("192.0.2.1",)))
    with pytest.raises(PlanError, match="no PEM certificate"):
        build_audit_plan(options(url="https://127.0.0.1/", cacert=str(Path(__file__))))
