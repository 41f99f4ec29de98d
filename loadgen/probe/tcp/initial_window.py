"""How much does a new connection send before the first acknowledgement (RFC 6928)?

What comes within a part of a round trip after the first byte was sent in one flight: the acknowledgement of its first
segment can't be back at the server earlier, so nothing that it allows can have come.
"""

from __future__ import annotations

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import NS_PER_MS, NS_PER_US, format_duration
from loadgen.probe.failures import NoResponse
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.probe_stream import ProbeStream
from loadgen.probe.session import ProbeSession
from loadgen.probe.tcp.tcp_info import TcpInfo, tcp_info

_MIN_RTT_NS = 5 * NS_PER_MS
"""With shorter round trips the flights run into one another: a process is not woken exactly enough."""
_SHARE = 0.6
"""The part of a round trip that is waited for."""
_ADVISED_SEGMENTS = 10  # RFC 6928 §2


def _run(session: ProbeSession) -> Finding:
    with session.open() as stream:
        rtt_ns = tcp_info(stream.transport.socket).rtt_us * NS_PER_US
        if rtt_ns < _MIN_RTT_NS:
            return Finding(
                verdict=Verdict.UNKNOWN,
                measured=f"the round trip of {format_duration(rtt_ns)} is too short to tell flights apart",
                values={"rtt_ns": rtt_ns},
            )
        before = tcp_info(stream.transport.socket)
        session.send(stream, session.request(connection="close"))
        flight = _first_flight(session, stream, rtt_ns)
        # All that came after the flight belongs to later ones; nothing did where the flight was the whole response.
        stream.wait_end(session.until_ns(2 * rtt_ns))
        later = _received(stream, flight) > flight.received_bytes
    flight_bytes = flight.received_bytes - before.received_bytes
    mss_bytes = flight.received_mss_bytes
    segments = -(-flight_bytes // mss_bytes)
    values: dict[str, FindingValue] = {
        "rtt_ns": rtt_ns, "flight_bytes": flight_bytes, "mss_bytes": mss_bytes, "segments": segments,
        "whole": not later,
    }  # fmt: skip
    text = f"{segments} segments of {mss_bytes:,} bytes"
    after = ", behind a TLS handshake" if session.plan.target.is_tls else ""
    if not later:
        return Finding(
            verdict=Verdict.OK if segments >= _ADVISED_SEGMENTS else Verdict.UNKNOWN,
            measured=f"at least {text}{after}: the whole response of {flight_bytes:,} bytes",
            values=values,
            topic="initial_window",
        )
    if segments < _ADVISED_SEGMENTS:
        return Finding(
            verdict=Verdict.NOTE,
            measured=f"{text}{after}",
            values=values,
            advice=f"with {_ADVISED_SEGMENTS} segments a long response on a new connection takes a round trip less",
            topic="initial_window",
        )
    return Finding(verdict=Verdict.OK, measured=f"{text}{after}", values=values, topic="initial_window")


def _first_flight(session: ProbeSession, stream: ProbeStream, rtt_ns: int) -> TcpInfo:
    """What had come within a part of a round trip after the first byte of the response. Raises NoResponse."""
    first = stream.receive(session.timeout_at_ns)
    if first is None or not first.data:
        raise NoResponse(stream.loss, b"", session.now_ns())
    until_ns = first.at_ns + round(rtt_ns * _SHARE)
    while session.now_ns() < until_ns and not stream.ended:
        stream.receive(until_ns)
    return tcp_info(stream.transport.socket)


def _received(stream: ProbeStream, default: TcpInfo) -> int:
    try:
        return tcp_info(stream.transport.socket).received_bytes
    except OSError:
        return default.received_bytes


INITIAL_WINDOW = Probe(
    name="initial_window",
    title="Initial window",
    question="How much does a new connection send before the first acknowledgement?",
    method=f"One request on a new connection; the bytes within {_SHARE:.0%} of a round trip after the first count.",
    section="RFC 6928",
    values={
        "rtt_ns": "round trip of the handshake",
        "flight_bytes": "bytes that came in the first flight",
        "mss_bytes": "bytes in a segment",
        "segments": "segments of the first flight",
        "whole": "the whole response was in it, so that the window may be wider",
    },
    requests=1,
    connections=1,
    run=_run,
)
