"""What must hold of a run after one of its processes was killed."""

from __future__ import annotations

import json

from tests.faults.kills import Killed

_MAX_UNREAD_S = 1.0


def wrong(one: Killed) -> list[str]:
    """What is not as it should be."""
    if one.report.code:
        return [f"report: {one.report.code} {one.report.stderr.strip()}"]
    found = [f"left: {name}" for name in one.leftovers]
    if one.unread_s > _MAX_UNREAD_S:
        found.append(f"{one.unread_s:.3f} s before the kill are not in the report")
    for name, policy in json.loads(one.report.stdout)["policies"].items():
        if policy["started"] != policy["requests"] + sum(policy["errors"].values()) + policy["unfinished"]:
            found.append(f"{name}: the account does not add up")
    return found
