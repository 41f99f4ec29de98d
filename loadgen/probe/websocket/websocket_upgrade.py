"""Does the URL upgrade to WebSocket, as the handshake demands (RFC 6455 §4.2.2)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.model.units import format_duration
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.websocket.websocket_link import NotOffered, open_websocket
from loadgen.probe.websocket.where_offered import UPGRADE_PROBE
from loadgen.wire.errors import UpgradeFailure


def _run(session: ProbeSession) -> Finding:
    try:
        with open_websocket(session) as link:
            upgrade_ns = link.at_ns - link.stream.opened_ns
    except NotOffered as refusal:
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"not offered at this URL: {refusal}",
            values={"offered": False},
            topic="websocket",
        )
    except UpgradeFailure as error:
        return Finding(
            verdict=Verdict.VIOLATION,
            measured=str(error),
            values={"offered": False},
            advice="clients have to fail such a handshake",
            topic="websocket",
        )
    return Finding(
        verdict=Verdict.OK,
        measured=f"upgraded in {format_duration(upgrade_ns)}",
        values={"offered": True, "upgrade_ns": upgrade_ns},
        topic="websocket",
    )


WEBSOCKET_UPGRADE = Probe(
    name=UPGRADE_PROBE,
    title="WebSocket upgrade",
    question="Does this URL upgrade to WebSocket, as the handshake demands?",
    method="One request for an upgrade.",
    section="RFC 6455 §4.2.2",
    values={"offered": "the connection was upgraded", "upgrade_ns": "time from the open connection to the 101"},
    requests=1,
    connections=1,
    run=_run,
    waits=True,  # a server that does not offer it may not answer
    needs_response=False,
)
