"""How values are written in tables, pages and charts: durations, intervals, counts, the load. Knows no layout."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from loadgen.model.plan_record import PlanRecord
from loadgen.model.policy_summary import PolicySummary
from loadgen.model.summary import Summary
from loadgen.model.units import count, format_duration, format_estimate, plain_number

ABSENT = "–"
"""What stands for a value that is not known or does not apply."""


def duration(value_ns: float | None) -> str:
    """A duration for a table's cell; a dash where it is absent."""
    return ABSENT if value_ns is None else format_duration(value_ns)


def integer(value: int | None) -> str:
    """A count for a table's cell; a dash where it is absent."""
    return ABSENT if value is None else f"{value:,}"


def with_interval(value: float, interval: Sequence[float] | None, write: Callable[[float], str]) -> str:
    """A value with its interval in brackets, if it has one."""
    return write(value) + ("" if interval is None else f" [{write(interval[0])}, {write(interval[1])}]")


def length_text(summary: Summary) -> str:
    """How long the run was: `5 rounds of 2s blocks`, or `1,000 requests of each policy in 5 rounds`.

    The rounds are those that were planned, or run where the precision decided.
    """
    plan, precision = summary["plan"], summary.get("precision")  # a run of an earlier version has neither key
    rounds, requests = count(precision["rounds"] if precision else plan["rounds"], "round"), plan.get("requests")
    if requests is not None:
        return f"{count(requests, 'request')} of each policy in {rounds}"
    return f"{rounds} of {format_duration(plan['block_ns'])} blocks"


def estimate(value_ns: float | None, interval_ns: Sequence[float] | None, *, sign: bool = False) -> str:
    """A time with its interval, if it has one, for a table's cell; a dash where it is absent."""
    if value_ns is None:
        return ABSENT
    return " ".join(filter(None, format_estimate(value_ns, interval_ns, sign=sign)))


def target_text(plan: PlanRecord) -> str:
    """The target's URL, and how many other origins requests go to; of several targets each with its name."""
    named = ", ".join(f"{name} {url}" for name, url in plan.get("targets", ()))
    # A request without an origin of its own goes to the target.
    origins = {one["origin"] for one in plan.get("urls", ()) if one["origin"]}
    origins -= {origin for origin in origins if f"{plan['url']}/".startswith(f"{origin}/")}
    others = f" and {count(len(origins), 'other origin')}" if origins else ""
    return named or f"{plan['url']}{others}"


def url_of(plan: PlanRecord, policy: PolicySummary) -> str:
    """The URL of the target of one policy."""
    return next((url for name, url in plan.get("targets", ()) if name == policy.get("target")), plan["url"])


_AXIS_WORDS = {"tls_version": "TLS"}
"""What an axis is called where its name is no word."""


def load_text(plan: PlanRecord) -> str:
    """What makes the load: users or arrivals, and what a sweep varies."""
    axes = {name: values for name, values in plan["axes"].items() if isinstance(values, list) and values}
    parts = [
        f"{_AXIS_WORDS.get(name, name)} "
        f"{', '.join(plain_number(value) if name == 'rate' else str(value) for value in values)}"
        for name, values in axes.items()
    ]
    if plan["rate_rps"] and "rate" not in axes:
        parts.insert(0, f"{plain_number(plan['rate_rps'])} arrivals/s ({plan['arrivals']})")
    elif not (plan["rate_rps"] or "rate" in axes or "users" in axes):
        parts.insert(0, count(plan["users"], "user"))
    if plan["think_ns"]:
        parts.append(f"think {format_duration(plan['think_ns'])}")
    return "; ".join(parts)


def verdict_lines(summary: Summary) -> list[str]:
    """The verdict, a line for each policy where the run has it so."""
    return summary.get("verdict_lines") or [summary["verdict"]]
