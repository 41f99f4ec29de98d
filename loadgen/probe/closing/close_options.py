"""Does the server find `close` in each way a Connection field can be written (RFC 9110 §7.6.1, RFC 9112 §9.6)?"""

from __future__ import annotations

from functools import partial

from loadgen.model.audit import Verdict
from loadgen.probe.after_response import Next, after_response
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.session import ProbeSession
from loadgen.probe.side_by_side import side_by_side

# How it is written, line by line. TE is an option like another one, which a client must name there if it sends TE.
_WAYS: dict[str, tuple[str, ...]] = {
    "CLOSE": ("CLOSE",),
    "close, TE": ("close, TE",),
    "TE, close": ("TE, close",),
    "Keep-Alive, CLOSE": ("Keep-Alive, CLOSE",),
    "close in the second of two lines": ("TE", "close"),
    "close in the first of two lines": ("Close", "TE"),
}


def _run(session: ProbeSession) -> Finding:
    plain = session.finding("close_honoured")
    if plain is None or (plain.verdict in (Verdict.VIOLATION, Verdict.WARNING) and not plain.values.get("closed")):
        return unknown("`Connection: close` by itself is not honoured")
    tried = side_by_side([partial(_try, session, lines) for lines in _WAYS.values()])
    found = {way: one for way, one in zip(_WAYS, tried, strict=True) if isinstance(one, Next)}
    honoured = [way for way, what in found.items() if what is Next.CLOSED]
    ignored = [way for way, what in found.items() if what is Next.ANSWERED]
    refused = [way for way in _WAYS if way not in found]
    late = [way for way, what in found.items() if what is Next.SILENT]
    values = {"honoured": honoured, "ignored": ignored, "late": late, "refused": refused}
    if ignored:
        return Finding(
            verdict=Verdict.VIOLATION,
            measured=f"{len(ignored)} of {len(_WAYS)} ways ignored, {_such_as(ignored)}",
            values=values,
            advice="Connection is a list without regard to case, over all of its lines; a proxy before the server can "
            "write it plainly",
        )
    if refused or late:
        return Finding(
            verdict=Verdict.WARNING,
            measured=f"{len(refused + late)} of {len(_WAYS)} ways end badly, {_such_as(refused + late)}",
            values=values,
            advice="a request may say this; the server has to answer it and then close",
        )
    return Finding(verdict=Verdict.OK, measured=f"{len(honoured)} of {len(_WAYS)} ways honoured", values=values)


def _try(session: ProbeSession, lines: tuple[str, ...]) -> Next:
    fields = tuple(("Connection", line) for line in lines)
    if any("TE" in line for line in lines):
        fields += (("TE", "trailers"),)
    with session.open() as stream:
        reply = session.ask(stream, session.request(fields=fields))
        return after_response(session, stream, reply).what


def _such_as(ways: list[str]) -> str:
    rest = ", among others" if len(ways) > 1 else ""
    return f"{_quoted(ways[0])}{rest}"


def _quoted(way: str) -> str:
    return way if " of " in way else f"`{way}`"


CLOSE_OPTIONS = Probe(
    name="close_options",
    title="Close in any form",
    question="Does the server find close in any case, in lists, and in several Connection lines?",
    method=f"One request on each of {len(_WAYS)} connections: "
    + "; ".join(map(_quoted, _WAYS))
    + ". Where one stays open, one more request.",
    section="RFC 9110 §7.6.1",
    values={
        "honoured": "ways after which the server closed",
        "ignored": "ways after which it answered one more request",
        "late": "ways after which it neither closed in time nor answered one more request",
        "refused": "ways that got no answer",
    },
    requests=2 * len(_WAYS),
    connections=len(_WAYS),
    run=_run,
    needs=("close_honoured",),
)
