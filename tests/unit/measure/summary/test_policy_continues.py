"""Bodies that waited for 100 Continue: counts and waits, their table, and the warning about a silent server."""

from __future__ import annotations

from typing import Any

import numpy as np

from loadgen.measure.summary.policy_continues import continues
from loadgen.measure.warnings.continue_timeouts import continue_warnings
from loadgen.model.continue_counts import ContinueCounts
from loadgen.model.records import ABSENT
from loadgen.model.warning_codes import WarningCode
from loadgen.show.tables.continue_waits import continues as table
from loadgen.show.tables.continue_waits import continues_note
from tests.support.summaries import policy_summary

MS = 1_000_000


def facts(asked: int, received: int, timed_out: int = 0, refused: int = 0) -> Any:
    counts = ContinueCounts()
    counts.asked, counts.received, counts.timed_out, counts.refused = asked, received, timed_out, refused
    found = counts.take()
    assert not any(counts.take().values())  # type: ignore[call-overload] # mypy knows its values as objects
    return {"continues": found}


def test_blocks_add_up() -> None:
    found = continues([facts(5, 3, 1, 1), facts(2, 2)], np.array([MS, ABSENT, 3 * MS]))
    assert found == {
        "asked": 7, "received": 5, "timed_out": 1, "refused": 1, "wait_ns": {"mean": 2 * MS, "p50": MS, "p99": 3 * MS},
    }  # fmt: skip
    summary: Any = {
        "sweep": None,
        "policies": {"close": policy_summary(continues=found), "persistent": policy_summary()},
    }
    assert table(summary).rows == [("close", "7", "5", "1", "1", "2.00 ms", "1.00 ms", "3.00 ms")]
    assert "warm-up included" in continues_note(summary)


def test_a_run_without_them_says_nothing() -> None:
    assert continues([{}], np.array([ABSENT])) is None  # type: ignore[list-item] # a block without facts
    assert list(continue_warnings(policy_summary(), 10**9)) == []


def test_a_server_that_never_answers_is_warned_of() -> None:
    silent = continues([facts(5, 0, 5)], np.array([ABSENT]))
    assert silent is not None
    assert silent["wait_ns"] == {"mean": None, "p50": None, "p99": None}
    ((code, text),) = continue_warnings(policy_summary(continues=silent), 10**9)
    assert code is WarningCode.CONTINUE_IGNORED
    assert text == "100 Continue never came: the bodies of 5 requests waited 1s in vain, warm-up included"
    assert list(continue_warnings(policy_summary(continues=silent | {"received": 1}), 10**9)) == []
