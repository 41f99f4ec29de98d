"""Whom the warning of delayed acknowledgements advises to do what."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.measure.warnings.nagle import delayed_ack_warnings
from loadgen.model.policy import parse_policy
from loadgen.model.warning_codes import WarningCode


@pytest.mark.parametrize(
    ("policy", "summary", "says"),
    [
        ("persistent", {"delayed_ack_share": 0.5}, "50.0% of the requests took the 40 ms"),
        ("pipeline:3+tcp-nagle", {"delayed_ack_share": 0.5}, "without tcp-nagle the client does not hold back"),
        ("persistent", {"delayed_ack_share": 0.0}, None),
        ("persistent", {}, None),  # a run of an earlier version
    ],
)
def test_the_warning(policy: str, summary: Any, says: str | None) -> None:
    found = list(delayed_ack_warnings(parse_policy(policy), summary))
    assert [code for code, _ in found] == ([WarningCode.NAGLE_DELAYS] if says else [])
    assert says is None or says in found[0][1]
    assert ("tcp-nagle" in "".join(message for _, message in found)) is ("nagle" in policy)
