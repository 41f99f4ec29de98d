"""Does a connection that keeps a server waiting hold up the others? One request on another connection tells.

A server with few workers that read in order can be stopped by a single silent client; then the probes of an audit that
only wait would stop all others too.
"""

from __future__ import annotations

from collections.abc import Callable

from loadgen.model.units import NS_PER_S
from loadgen.probe.failures import Loss, NoResponse, OpenFailure
from loadgen.probe.session import ProbeSession

_MIN_WAIT_NS = NS_PER_S
_USUAL_TIMES = 5
"""A response that takes this many times as long as the first one did is held up."""


def is_held_up(session: ProbeSession, release: Callable[[], None]) -> bool:
    """True if a request on another connection gets no response before `release` was called, and one after it.

    release: ends what may hold it up; called only where no response comes.
    """
    first = session.first
    wait_ns = max(_MIN_WAIT_NS, _USUAL_TIMES * (first.done_ns - first.sent_ns))
    try:
        with session.open() as stream:
            session.send(stream, session.request(connection="close"))
            try:
                session.read(stream, wait_ns=wait_ns)
            except NoResponse as failure:
                if failure.how is not Loss.TIMEOUT or failure.received:
                    return False
                release()
                session.read(stream)
                return True
    except (NoResponse, OpenFailure):
        pass  # it says nothing of the connection that waits
    return False
