"""How is HTTP/2 spoken, and what do the server's SETTINGS announce (RFC 9113 §3.4, §6.5)?"""

from __future__ import annotations

from loadgen.model.audit import FindingValue, Verdict
from loadgen.model.units import format_duration
from loadgen.probe.finding import Finding
from loadgen.probe.http2.http2_link import MAX_ANSWER_NS, Http2Link, NotSpoken, Way, open_http2
from loadgen.probe.http2.over_http2 import SETTINGS_PROBE, not_spoken
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.wire.errors import Failure
from loadgen.wire.http2.h2_frame_client import (
    ENABLE_PUSH,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    MAX_FRAME_SIZE,
    SETTING_NAMES,
)

_MAX_WINDOW_BYTES = (1 << 31) - 1
_FRAME_SIZES = (1 << 14, (1 << 24) - 1)
_ADVISED_STREAMS = 100  # RFC 9113 §6.5.2
_BY = {Way.ALPN: "by ALPN", Way.PRIOR: "with prior knowledge", Way.UPGRADE: "by an upgrade from HTTP/1.1"}


def _run(session: ProbeSession) -> Finding:
    ways = (Way.ALPN,) if session.plan.target.is_tls else (Way.PRIOR, Way.UPGRADE)
    why = ""
    for way in ways:
        try:
            link = open_http2(session, way)
        except NotSpoken as refusal:
            why = str(refusal)
            continue
        with link:
            found = _look(session, link, way)
        if found is not None:
            return found
        why = "the answer to prior knowledge is not HTTP/2"
    return not_spoken(f"not spoken: {why}")


def _look(session: ProbeSession, link: Http2Link, way: Way) -> Finding | None:
    """What its first frames say; None where this way leads to no HTTP/2."""
    client = link.client
    until_ns = session.until_ns(min(session.plan.timeout_ns, MAX_ANSWER_NS))
    try:
        came = link.wait(lambda: client.settings is not None, until_ns)
    except Failure as error:
        if way is Way.PRIOR:
            return None
        return Finding(
            verdict=Verdict.VIOLATION,
            measured=f"agreed to {_BY[way]}, but {error}",
            section="RFC 9113 §3.4",
            advice="clients have to end such a connection; let the server not offer HTTP/2",
            topic="http2",
        )
    if not came:
        if way is Way.PRIOR:
            return None
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"agreed to {_BY[way]}, but no SETTINGS came ({link.loss})",
            section="RFC 9113 §3.4",
            advice="clients wait in vain on such a connection; let the server not offer HTTP/2",
            topic="http2",
        )
    link.wait(lambda: client.acknowledged, session.timeout_at_ns)
    return _judge(session, link, way)


def _judge(session: ProbeSession, link: Http2Link, way: Way) -> Finding:
    client = link.client
    settings = client.settings or {}
    values: dict[str, FindingValue] = {"way": way.value}
    values |= {name: settings[number] for number, name in SETTING_NAMES.items() if number in settings}
    if client.acknowledged:
        values["acknowledged_ns"] = link.at_ns - link.opened_ns
    verdict, section, measured, advice = Verdict.OK, "", f"spoken {_BY[way]}", None
    broken = _broken_rule(settings)
    if broken:
        verdict, section, measured = Verdict.VIOLATION, "RFC 9113 §6.5.2", f"{measured}; {broken}"
        advice = "clients have to end such a connection"
    elif not client.acknowledged:
        verdict, section = Verdict.VIOLATION, "RFC 9113 §6.5.3"
        measured = f"{measured}; our SETTINGS were never acknowledged ({link.loss})"
        advice = "clients may end such a connection by SETTINGS_TIMEOUT"
        if link.stream.ended or session.now_ns() >= session.deadline_ns:
            verdict = Verdict.UNKNOWN  # it ended before it had to
    else:
        measured = f"{measured}; ours acknowledged in {format_duration(link.at_ns - link.opened_ns)}"
        if settings.get(MAX_CONCURRENT_STREAMS, _ADVISED_STREAMS) < _ADVISED_STREAMS:
            verdict, section = Verdict.NOTE, "RFC 9113 §6.5.2"
            measured = f"{measured}; fewer streams than the {_ADVISED_STREAMS} that are advised"
    announced = ", ".join(f"{SETTING_NAMES.get(key, key)}={value}" for key, value in sorted(settings.items()))
    return Finding(
        verdict=verdict, measured=measured, announced=announced or "no settings", values=values,
        section=section or None, advice=advice, topic="http2",
    )  # fmt: skip


def _broken_rule(settings: dict[int, int]) -> str:
    """What in these SETTINGS a server must not announce (RFC 9113 §6.5.2); empty where all is well."""
    if settings.get(ENABLE_PUSH, 0):
        return f"ENABLE_PUSH is {settings[ENABLE_PUSH]}, which a server must not announce"
    if settings.get(INITIAL_WINDOW_SIZE, 0) > _MAX_WINDOW_BYTES:
        return f"INITIAL_WINDOW_SIZE is {settings[INITIAL_WINDOW_SIZE]:,}, above 2^31-1"
    size = settings.get(MAX_FRAME_SIZE, _FRAME_SIZES[0])
    if not _FRAME_SIZES[0] <= size <= _FRAME_SIZES[1]:
        return f"MAX_FRAME_SIZE is {size:,}, outside of 2^14 to 2^24-1"
    return ""


HTTP2_SETTINGS = Probe(
    name=SETTINGS_PROBE,
    title="HTTP/2 SETTINGS",
    question="How is HTTP/2 spoken, and what does the server announce?",
    method="The preface after ALPN; in clear with prior knowledge, then after an upgrade; its SETTINGS are read.",
    section="RFC 9113 §6.5",
    values={
        "way": "how HTTP/2 is spoken: `alpn`, `prior` (prior knowledge) or `upgrade`; absent where it is not",
        "header_table_size": "SETTINGS_HEADER_TABLE_SIZE (bytes)",
        "enable_push": "SETTINGS_ENABLE_PUSH",
        "max_concurrent_streams": "SETTINGS_MAX_CONCURRENT_STREAMS; absent where there is no limit",
        "initial_window_size": "SETTINGS_INITIAL_WINDOW_SIZE (bytes)",
        "max_frame_size": "SETTINGS_MAX_FRAME_SIZE (bytes)",
        "max_header_list_size": "SETTINGS_MAX_HEADER_LIST_SIZE (bytes)",
        "enable_connect_protocol": "SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441)",
        "acknowledged_ns": "time from our SETTINGS to their acknowledgement",
    },
    requests=1,
    needs_response=False,
    connections=2,
    run=_run,
    waits=True,  # a server that does not speak it may not answer
)
