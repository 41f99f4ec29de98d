"""A run of scenarios that share connections, have several requests under way, and talk over WebSockets."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.support.locusts import counts, headless
from tests.support.targets import Target


def test_the_summary_agrees_with_the_targets_account(tmp_path: Path, start_target: Callable[..., Target]) -> None:
    target = start_target()
    done = headless(
        "parallel.py", tmp_path, "-H", target.url, "--results", str(tmp_path), "--run-name", "run", "--json", users=10
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    policies = summary["policies"]
    assert all(policy["errors"] == {} for policy in policies.values())
    connections = {name: policy["connections"] for name, policy in policies.items()}
    account = target.stats()
    answered, accepted = counts(summary)
    assert accepted == account["accepted"]
    # A user that is stopped within its requests has sent them, at most three at a time, and hears no answer.
    assert answered <= account["requests"] <= answered + 3 * 10
    # Two users of each class.
    opened = {name: (one["opened"], one["ideal"]) for name, one in connections.items()}
    assert opened["pool:3"] == (3, 3)
    assert opened["h2"] == (2, 2)
    assert opened["h2+coalesce"] == (1, 1)
    assert opened["persistent"] == (6, 6)  # three requests at a time
    assert account["protocols"]["h2"] == 3
    upgraded = connections["recycle:5"]["upgraded"]
    assert 0 < upgraded <= account["protocols"]["websocket"]
    # Each WebSocket has a connection of its own, with the best reuse too; two users may be stopped in a handshake.
    assert 2 + upgraded <= opened["recycle:5"][1] <= 2 + upgraded + 2
    talking = policies["recycle:5"]["statuses"]
    assert talking["101"] > talking["200"]  # two messages a request, but for those under way as the window began
    assert policies["pool:3"]["phases_ns"]["queue"]["count"] > 0
    counted = Counter({entry["name"]: entry["num_requests"] for entry in json.loads(done.stdout)})
    assert counted["connect /chat"] < counted["send /chat"] <= 2 * counted["connect /chat"]
    assert counted["send /chat"] - 2 <= counted["receive /chat"] <= counted["send /chat"]
    assert counted["part"] > counted["seen"] > 0
