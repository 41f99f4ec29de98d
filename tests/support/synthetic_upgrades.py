"""Runs made of known numbers whose policies speak WebSocket or HTTP/2; see tests/synthetic.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loadgen.model.records import ABSENT, ConnectionFlag, Ending
from tests.support.synthetic import MS, OPEN, TLS, US, Exchange, Link, RunWriter, links, plan_json

UPGRADED, DECLINED = OPEN | ConnectionFlag.UPGRADED, OPEN | ConnectionFlag.DECLINED
UNANSWERED_CLOSE = UPGRADED | ConnectionFlag.IGNORED_CLOSE
SEVEN = "close,persistent,h2c-upgrade,h2,websocket,websocket-close,h2+streams:10"
WAIT_US = {"h2c-upgrade": 170, "h2": 160, "websocket": 60, "websocket-close": 70, "h2+streams:10": 400}
UPGRADE_NS = {"h2c-upgrade": 260 * US, "websocket": 150 * US, "websocket-close": 150 * US}
"""`persistent` waits 100 µs."""


def upgraded_links(policy: str, number: int, flags: int = UPGRADED, requests: int = 50) -> list[Link]:
    """Two users, a connection for each of them or for each request; its first request is the warm-up's."""
    upgrade = UPGRADE_NS.get(policy, ABSENT) if flags & ConnectionFlag.UPGRADED else ABSENT
    status = 101 if policy.startswith("websocket") else 200
    exchanges = [
        Exchange(at * MS, wait=(WAIT_US[policy] + number + max(at, 0)) * US, outcome=status)
        for at in range(-1, requests)
    ]
    rows = [[one] for one in exchanges] if policy.endswith("-close") else [exchanges]
    return [
        Link(row, slot=user, connect=30 * US, upgrade=upgrade, flags=flags, ending=Ending.CLIENT_ANNOUNCED)
        for user in range(2)
        for row in rows
    ]


def upgraded_run(directory: Path, policies: str = SEVEN, rounds: int = 5, **flags: int) -> RunWriter:
    """A whole run; flags: of the connections of a policy, its name with `_` for `-`, where not UPGRADED."""
    writer = RunWriter(directory, plan_json(policies, rounds))
    for number in range(rounds):
        for policy in policies.split(","):
            if policy in WAIT_US:
                made = upgraded_links(policy, number, flags.get(policy.replace("-", "_"), UPGRADED))
            else:
                made = links(policy, number)
            writer.block(policy, number, made)
    return writer


def every_phase(directory: Path) -> RunWriter:
    """Names and phases, as long and as many as there can be."""
    names = ("persistent", "websocket-close+resolve", "h2+recycle:1000+resume")
    writer = RunWriter(directory, plan_json(",".join(names), url="https://localhost:8443/"))
    paid: dict[str, Any] = {"dns": 90 * US, "connect": 80 * US, "tunnel": 160 * US, "tls": 300 * US}
    for number in range(5):
        for name in names:
            exchanges = [Exchange(at * MS, wait=(100 + number) * US, queue=30 * US) for at in range(50)]
            rows = [exchanges] if name == "persistent" else [[one] for one in exchanges]
            upgrade = ABSENT if name == "persistent" else 150 * US
            flags = TLS if name == "persistent" else TLS | ConnectionFlag.UPGRADED
            writer.block(name, number, [Link(row, slot=0, **paid, upgrade=upgrade, flags=flags) for row in rows])
    return writer
