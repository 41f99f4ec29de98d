"""The compiled core and the pure one take the same steps: scripted loads end in the same rows, number for number."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, CONNECTION_FIELDS, EXCHANGE_FIELDS
from tests.support.core_scenarios import POLICIES


def printed(**environment: str) -> dict[str, Any]:
    """What a process of its own makes of all scenarios."""
    inherited = {name: value for name, value in os.environ.items() if name != "LOADGEN_PURE"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.core_scenarios"],
        env={**inherited, **environment}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def pure() -> dict[str, Any]:
    found = printed(LOADGEN_PURE="1")
    assert found["core"] == "pure"
    results: dict[str, Any] = found["results"]
    return results


@pytest.fixture(scope="module")
def compiled() -> dict[str, Any]:
    found = printed()
    if found["core"] != "compiled":
        pytest.skip("the core is not compiled here")  # tests/house/test_core.py says whether it must be
    results: dict[str, Any] = found["results"]
    return results


def column(rows: list[list[int]], name: str) -> list[int]:
    return [row[EXCHANGE_FIELDS.index(name)] for row in rows]


@pytest.mark.parametrize("policy", POLICIES)
def test_both_cores_write_the_same_rows(pure: dict[str, Any], compiled: dict[str, Any], policy: str) -> None:
    one, other = pure[policy], compiled[policy]
    for number, (row, others) in enumerate(zip(one["exchanges"], other["exchanges"], strict=False)):
        assert dict(zip(EXCHANGE_FIELDS, row, strict=True)) == dict(zip(EXCHANGE_FIELDS, others, strict=True)), number
    for number, (row, others) in enumerate(zip(one["connections"], other["connections"], strict=False)):
        assert dict(zip(CONNECTION_FIELDS, row, strict=True)) == dict(zip(CONNECTION_FIELDS, others, strict=True)), (
            number
        )
    assert one == other


@pytest.mark.parametrize("core", ["pure", "compiled"])
def test_recycling_without_end_takes_the_steps_of_persistent(request: pytest.FixtureRequest, core: str) -> None:
    """A difference between the two is one of chance: steps, looks at the clock and rows are the same."""
    results = request.getfixturevalue(core)
    assert results["recycle:inf"] == results["persistent"]


def test_the_scenarios_meet_what_a_load_meets(pure: dict[str, Any]) -> None:
    """Else equal rows would prove little."""
    rows = [row for policy in POLICIES for row in pure[policy]["exchanges"]]
    kinds = {ErrorKind(-outcome) for outcome in column(rows, "outcome") if outcome < 0}
    assert kinds >= {
        ErrorKind.CONNECT_REFUSED, ErrorKind.CONNECT_UNREACHABLE, ErrorKind.TLS_FAILED, ErrorKind.SEND_FAILED,
        ErrorKind.STALE_CONNECTION, ErrorKind.CLOSED_WITHOUT_RESPONSE, ErrorKind.TRUNCATED, ErrorKind.MALFORMED,
        ErrorKind.PIPELINE_DROPPED, ErrorKind.RESPONSE_TIMEOUT, ErrorKind.UNFINISHED,
        ErrorKind.CROSSED_BY_CLOSE,
    }  # fmt: skip
    assert set(column(rows, "outcome")) >= {200, 204, 404}
    for name in ("queue", "late", "wait_delay", "own", "lag"):
        assert any(value > 0 for value in column(rows, name)), name
    assert all(value >= 0 for value in column(rows, "own"))
    connections = [row for policy in POLICIES for row in pure[policy]["connections"]]
    for name in ("connect", "tls", "connect_delay"):
        assert any(row[CONNECTION_FIELDS.index(name)] > 0 for row in connections), name
    assert len({row[CONNECTION_FIELDS.index("ending")] for row in connections}) >= 8
    assert sum(pure[policy]["counts"][1] for policy in POLICIES) > 0  # sent once more


@pytest.mark.parametrize("policy", ["persistent", "recycle:3", "lifetime:40ms", "close-resume"])
def test_phases_and_own_work_lead_to_where_the_users_next_request_begins(pure: dict[str, Any], policy: str) -> None:
    """A user without pauses begins the next one as soon as one is answered, which is a few looks at the clock later."""
    handshakes = {row[0]: sum(max(0, phase) for phase in row[3:8]) for row in pure[policy]["connections"]}
    ends: dict[int, int] = {}
    followed = 0
    for row in pure[policy]["exchanges"]:
        one = dict(zip(EXCHANGE_FIELDS, row, strict=True))
        if one["user"] in ends:
            assert 0 <= one["scheduled"] - ends.pop(one["user"]) < 200
            followed += 1
        if one["outcome"] > 0 and (one["request_index"] or one["connection"] in handshakes):
            handshake = 0 if one["request_index"] else handshakes[one["connection"]]
            phases = sum(one[name] for name in ("queue", "send", "wait", "receive") if one[name] != ABSENT)
            ends[one["user"]] = one["scheduled"] + handshake + phases + one["own"]
    assert followed > 50
