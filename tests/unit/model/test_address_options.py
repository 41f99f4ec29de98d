"""The options that say where connections go, on their way from a command line to a plan, a plan file and back."""

from __future__ import annotations

import pytest

from loadgen.model import plan_fields
from loadgen.model.address_options import ADDRESS_OPTIONS, ADDRESSING, AUDIT_ADDRESSING
from loadgen.model.address_value_types import CONNECT_RULES, RESOLVE_RULES, DnsTtl, Rules
from loadgen.model.addressing import Addressing
from loadgen.model.exceptions import PlanError
from loadgen.model.option import COMPARE, SWEEP
from loadgen.model.options import option_named
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS

CONNECT_TO, RESOLVE = ("h:80:a.test:81", "unix:/run/a"), ("a.test:81:127.0.0.2,[::1]",)


def test_compare_sweep_audits_and_locust_have_all_of_them() -> None:
    assert all(option.locust is not None and {COMPARE, SWEEP} < {*option.commands, ""} for option in ADDRESS_OPTIONS)
    assert all(option.plan_field.startswith("addressing.") for option in ADDRESS_OPTIONS)
    # An audit asks one server.
    assert set(ADDRESSING) - set(AUDIT_ADDRESSING) == {"addresses", "dns_ttl", "dns_server"}


def test_a_recorded_plan_has_them() -> None:
    values = {"url": "http://h/", "connect_to": CONNECT_TO, "resolve": RESOLVE, "ipv4": True}
    fields = {"target": parse_target("http://h/"), "policies": parse_policies("close")}
    plan = Plan(**fields | plan_fields.of_values(values))
    assert plan.endpoint.authority == "a.test:81"
    record = plan.to_json(secrets=False)
    assert (record["connect_to"], record["resolve"]) == (list(CONNECT_TO), list(RESOLVE))
    assert Plan.from_json(record) == plan
    earlier = {key: value for key, value in record.items() if key not in (*ADDRESSING, "dns_ttl_ns")}
    assert Plan.from_json(earlier).addressing == Addressing()


def test_the_delay_between_attempts_is_a_time_in_its_range_or_none() -> None:
    values = {"url": "http://h/", "happy_eyeballs": 250 * NS_PER_MS}
    fields = {"target": parse_target("http://h/"), "policies": parse_policies("close")}
    plan = Plan(**fields | plan_fields.of_values(values))
    assert (plan.addressing.happy_eyeballs_ns, plan.addressing.varies) == (250 * NS_PER_MS, True)
    assert Plan.from_json(plan.to_json(secrets=False)) == plan
    option = option_named("happy_eyeballs")
    assert (option.type.write(250 * NS_PER_MS), option.type.write(None)) == ("250ms", None)
    with pytest.raises(PlanError, match="--happy-eyeballs is 1 ms; at least 10 ms is needed"):
        Plan(**fields, addressing=Addressing(happy_eyeballs_ns=NS_PER_MS))
    with pytest.raises(PlanError, match="--dns-ttl is 1 ns; at least 1 ms is needed"):
        Plan(**fields, addressing=Addressing(dns_ttl_ns=1))


@pytest.mark.parametrize(("kind", "rules"), [(CONNECT_RULES, CONNECT_TO), (RESOLVE_RULES, RESOLVE)])
def test_a_plan_file_has_the_rules_as_they_were_given(kind: Rules, rules: tuple[str, ...]) -> None:
    made = kind.make(tuple(map(kind.read, rules)))
    assert kind.write(made) == list(rules)
    with pytest.raises(ValueError, match="can't be read"):
        kind.read("nonsense")
    with pytest.raises(PlanError, match=r"^--(connect-to|resolve): .*can't be read"):
        kind.make(("nonsense",))


@pytest.mark.parametrize(("text", "ttl_ns"), [("2s", 2_000_000_000), ("record", 0)])
def test_a_ttl_is_a_time_or_what_the_records_say(text: str, ttl_ns: int) -> None:
    kind = DnsTtl(1_000_000)
    assert kind.read(text) == ttl_ns
    assert kind.complaint(ttl_ns) == ""
    assert kind.write(ttl_ns) == text
    assert kind.complaint(1)
    assert kind.write(None) is None


@pytest.mark.parametrize("text", ["0s", "0ms"])
def test_no_time_at_all_is_not_taken_for_what_the_records_say(text: str) -> None:
    with pytest.raises(ValueError, match="at least 1 ms is needed, or write record for the records' TTLs"):
        DnsTtl(1_000_000).read(text)
