"""Does an HTTP/1.1 connection stay open without being asked to (RFC 9112 §9.3)?"""

from __future__ import annotations

from loadgen.model.audit import Verdict
from loadgen.probe.announcement import announcement
from loadgen.probe.failures import Loss, NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession, Reply

_REQUESTS = 3
_TRIES = 3
"""A single close may be chance (a restart, a limit that others used up); one on each connection is not."""


def _run(session: ProbeSession) -> Finding:
    tries = 0
    while True:
        answered, last = _try(session)
        tries += 1
        closes_early = answered < _REQUESTS and last.persists
        if not last.persists:
            session.check_limit(last.head.status)
        if not closes_early or tries == _TRIES:
            return _judge(answered, last, tries)


def _try(session: ProbeSession) -> tuple[int, Reply]:
    """How many requests one connection answered, and the last response. Raises NoResponse where it answered none."""
    replies: list[Reply] = []
    with session.open() as stream:
        try:
            while len(replies) < _REQUESTS and (not replies or replies[-1].persists):
                replies.append(session.ask(stream))
        except NoResponse as failure:
            # Silence is no close. What is silent behind one response is said by the probe of announcements.
            if not replies or failure.how is Loss.TIMEOUT:
                raise
    return len(replies), replies[-1]


def _judge(answered: int, last: Reply, tries: int) -> Finding:
    announced = last.field("connection")
    values = {"answered": answered, "requests": _REQUESTS, "connections": tries}
    if answered == _REQUESTS:
        lost = f"; {tries - 1} of {tries} connections closed early" if tries > 1 else ""
        return Finding(
            verdict=Verdict.NOTE if lost else Verdict.OK,
            measured=f"{answered} of {_REQUESTS} requests answered on one connection{lost}",
            announced=announced,
            values=values,
        )
    end = announcement(last.head)
    if end is not None:
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"closed after {answered}, {end.clause}",
            announced=announced or f"HTTP/{last.head.version}",
            values=values,
            advice=f"{f'1 of {answered} requests' if answered > 1 else 'each request'} pays for a new connection; "
            "let the server keep connections",
            topic="keep_alive",
        )
    is_always = answered == 1
    return Finding(
        verdict=Verdict.VIOLATION if is_always else Verdict.WARNING,
        measured=f"closed after {answered} without an announcement, on {tries} of {tries} connections",
        announced=announced,
        values=values,
        section=None if is_always else "RFC 9112 §9.6",
        advice="a server that closes has to say so with `Connection: close`; else a client's next request is lost",
        topic="keep_alive",
    )


PERSISTENT_BY_DEFAULT = Probe(
    name="persistent_by_default",
    title="HTTP/1.1 stays open",
    question="Does an HTTP/1.1 connection stay open without being asked to?",
    method=f"{_REQUESTS} requests without a Connection field on one connection; where that fails unannounced, on up to "
    f"{_TRIES}.",
    section="RFC 9112 §9.3",
    values={
        "answered": "requests that got a response on the last connection",
        "requests": "requests that were tried",
        "connections": "connections that were tried",
    },
    requests=_REQUESTS * _TRIES,
    connections=_TRIES,
    run=_run,
)
