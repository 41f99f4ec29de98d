"""Does a connection that keeps a server waiting hold up the others? One request on another connection tells.

A server with few workers that read in order can be stopped by a single silent client; then the probes of an audit that
only wait would stop all others too.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from loadgen.model.units import NS_PER_S
from loadgen.probe.failures import Loss, NoResponse, OpenFailure
from loadgen.probe.session import ProbeSession

MAX_REQUESTS = 2
"""Of one look, each on a connection of its own; one where nothing is held up."""
_MIN_WAIT_NS = NS_PER_S
_USUAL_TIMES = 5
"""A response that takes this many times as long as the first one did is held up."""


class _Service(Enum):
    """What the request on the other connection gets."""

    ANSWERED = auto()
    NOTHING = auto()  # within the time
    FAILED = auto()  # which says nothing of the connection that waits


def is_held_up(session: ProbeSession, release: Callable[[], None]) -> bool:
    """True if a request on another connection gets no response before `release` was called, and one gets it after.

    release: ends what may hold it up; called only where no response comes.
    """
    wait_ns = max(_MIN_WAIT_NS, _USUAL_TIMES * session.first.took_ns)
    if _service(session, wait_ns) is not _Service.NOTHING:
        return False
    release()
    return _service(session, session.plan.timeout_ns) is _Service.ANSWERED


def _service(session: ProbeSession, wait_ns: int) -> _Service:
    # A TLS handshake waits for a worker too, so the time begins with the connection.
    until_ns = session.until_ns(wait_ns)
    try:
        with session.open(wait_ns=wait_ns) as stream:
            session.send(stream, session.request(connection="close"))
            session.read(stream, wait_ns=max(0, until_ns - session.now_ns()))
    except NoResponse as failure:
        is_silent = failure.how is Loss.TIMEOUT and not failure.received
        return _Service.NOTHING if is_silent else _Service.FAILED
    except OpenFailure as failure:
        return _Service.NOTHING if isinstance(failure.cause, TimeoutError) else _Service.FAILED
    return _Service.ANSWERED
