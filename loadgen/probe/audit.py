"""Runs an audit: the first request, then each probe that applies, those that wait side by side. Shows nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import gevent
from gevent.event import AsyncResult, Event

import loadgen
from loadgen.model.audit import AUDIT_SCHEMA, AuditRecord, FindingRecord, Verdict
from loadgen.model.exceptions import TargetError
from loadgen.model.units import NS_PER_S
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.failures import Loss, NoResponse, OpenFailure, OverBudget, ProbeFailure, is_turned_away, text_of
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.probe import Probe
from loadgen.probe.registry import group_title
from loadgen.probe.session import AuditState, ProbeSession, Reply
from loadgen.wire.errors import FAILURES, Failure

End = Literal["done", "interrupted", "out_of_time"]

_NO_RESPONSE = "no response to a plain request"
_ENDS = {"interrupted": "interrupted before it was known", "out_of_time": "the audit's time was over; see --max-time"}
_GRACE_NS = NS_PER_S
"""What probes have left, once the audit's time is over, to say what they know by then."""
_ACCUSATIONS = (Verdict.WARNING, Verdict.VIOLATION)
_FIRST_TRIES = 3
_LIFE_SIGNS = 3
"""How often it is asked, after a silence that would accuse the server, whether it answers anything at all."""
_PAUSE_S = 0.2


class Audit:
    """One audit. probes: those that were chosen, in the order of the table."""

    def __init__(self, plan: AuditPlan, probes: Sequence[Probe]) -> None:
        self.plan = plan
        self.skipped: dict[str, str] = {}
        self.probes: list[Probe] = []
        for probe in probes:
            why = probe.not_for(plan)
            if why:
                self.skipped[probe.name] = why
            else:
                self.probes.append(probe)
        self.sessions: dict[str, ProbeSession] = {}
        """Of each probe that is at work: what it waits for, for a progress line."""
        self._records: dict[str, FindingRecord] = {}
        self._life_signs: ProbeSession | None = None
        self._over = Event()
        self._end: End = "done"

    @property
    def max_requests(self) -> int:
        """The most requests that it sends, the first ones included."""
        return _FIRST_TRIES + _LIFE_SIGNS + sum(probe.max_requests(self.plan) for probe in self.probes)

    @property
    def max_connections(self) -> int:
        """The most connections that it opens."""
        return _FIRST_TRIES + _LIFE_SIGNS + sum(probe.max_connections(self.plan) for probe in self.probes)

    @property
    def known(self) -> int:
        """How many probes have ended."""
        return len(self._records)

    def interrupt(self) -> None:
        """End it now, with what is known. Safe to call from a signal's handler."""
        self._end = "interrupted"
        self._over.set()

    def run(self) -> AuditRecord:
        """Run it. Raises PlanError where `cacert` can't be used, TargetError where no connection can be opened."""
        plan = self.plan
        started, begun_ns = datetime.now(UTC), time.monotonic_ns()
        state = AuditState.of(plan)
        state.findings = {probe.name: AsyncResult() for probe in self.probes}
        driver = gevent.spawn(self._drive, state)
        driver.link(lambda _: self._over.set())
        try:
            if not self._over.wait((plan.max_time_ns + _GRACE_NS) / NS_PER_S):
                self._end = "out_of_time"
        finally:  # also where this greenlet is killed
            if not driver.ready():
                driver.kill()
        if isinstance(driver.value, TargetError):
            raise driver.value
        for probe in self.probes:
            if probe.name not in self._records:
                self._note(probe, unknown(_ENDS.get(self._end, _NO_RESPONSE)))
        first = state.first
        return {
            "schema": AUDIT_SCHEMA,
            "loadgen": loadgen.__version__,
            "url": str(plan.target),
            "proxy": None if plan.proxy is None else str(plan.proxy),
            "origin": None if plan.origin is None else str(plan.origin),
            "started": started.isoformat(timespec="seconds"),
            "duration_ns": time.monotonic_ns() - begun_ns,
            "end": self._end,
            "requests": state.requests,
            "connections": state.connections,
            "max_requests": self.max_requests,
            "max_connections": self.max_connections,
            "server": None if first is None else first.field("server"),
            "findings": {probe.name: self._records[probe.name] for probe in self.probes},
            "skipped": self.skipped,
            "traces": state.traces.records(),
        }

    # Inside

    def _drive(self, state: AuditState) -> TargetError | None:
        """Run the probes. Returns why that can't be done: of what a greenlet raises, gevent would print a traceback."""
        try:
            session = ProbeSession(state, "first", _FIRST_TRIES, _FIRST_TRIES)
            state.first = self._first_reply(state, session)
        except TargetError as error:
            return error
        greenlets: list[Any] = []
        try:
            ready = [probe for probe in self.probes if state.first is not None or not probe.needs_response]
            why = f"{_NO_RESPONSE}: {state.first_failure}"
            for probe in self.probes:
                if probe not in ready:
                    self._note(probe, unknown(why))
                    state.findings[probe.name].set(None)
                    why = _NO_RESPONSE  # the reason stands in the first row, and not in all of them
            is_quiet = any(probe.needs_quiet for probe in ready)
            late = [probe for probe in ready if probe.keeps_asking and is_quiet]
            at_once = [probe for probe in ready if probe.waits and probe not in late]
            greenlets += [gevent.spawn(self._run_probe, probe, state) for probe in at_once]
            for probe in ready:
                if not probe.waits:
                    self._run_probe(probe, state)
            greenlets += [gevent.spawn(self._run_probe, probe, state) for probe in late]
            gevent.joinall(greenlets)
            if self._has_accused and state.first is not None and _is_gone(session):
                self._withdraw(state)
        finally:
            gevent.killall(greenlets)
        return None

    def _first_reply(self, state: AuditState, session: ProbeSession) -> Reply | None:
        """The response to a plain request, or None. Raises TargetError where no connection can be opened at all."""
        for left in reversed(range(_FIRST_TRIES)):
            try:
                with session.open() as stream:
                    reply = session.ask(stream, session.request(connection="close"))
                if not state.route.challenged(reply.head):
                    return reply
            except OpenFailure as error:
                if is_turned_away(error):
                    state.first_failure = str(error)
                    return None
                if not left:
                    message = f"{self.plan.target}: no connection could be opened ({error}){error.advice}"
                    raise TargetError(message) from None
                if error.stage == "connect" and state.route.skip_address():
                    continue
            except Failure as error:
                raise TargetError(f"{self.plan.target}: no connection could be opened ({error})") from None
            except ProbeFailure as error:
                state.first_failure = str(error)
                # A single close may be chance. Silence, or what is no HTTP, won't be better the next time.
                if not isinstance(error, NoResponse) or error.how not in (Loss.FIN, Loss.RESET):
                    return None
            if left:
                gevent.sleep(_PAUSE_S)
        return None

    def _run_probe(self, probe: Probe, state: AuditState) -> None:
        session = ProbeSession(state, probe.name, probe.max_requests(self.plan), probe.max_connections(self.plan))
        self.sessions[probe.name] = session
        begun_ns = session.now_ns()
        found: Finding | None = None
        try:
            found = noted = self._find(probe, session, state)
        except (ProbeFailure, *FAILURES) as error:
            noted = unknown(text_of(error))
        except Exception as error:  # a fault of one probe must not cost what the others found out
            noted = unknown(f"this check has a fault, please report it: {type(error).__name__}: {error}")
        finally:
            self.sessions.pop(probe.name, None)
            state.findings[probe.name].set(found)
        self._note(probe, noted, begun_ns - state.traces.zero_ns, session.now_ns() - begun_ns)

    def _find(self, probe: Probe, session: ProbeSession, state: AuditState) -> Finding:
        """What one probe finds out within the audit's time. Raises whatever it raises."""
        self._check_time(session)
        found = probe.run(session)
        if found.verdict in _ACCUSATIONS and (probe.keeps_asking or not probe.waits):
            self._check_time(session)  # what did not come in time may only have been cut short
        is_accused = found.verdict in _ACCUSATIONS and state.first is not None
        if is_accused and session.silences and not self._answers(state):
            raise ProbeFailure(f"{Loss.TIMEOUT}, nor to a plain request behind it")
        return found

    def _answers(self, state: AuditState) -> bool:
        """Whether the server answers a plain request now; taken for granted once that has been asked often.

        It may serve a few connections at once, and other probes have them.
        """
        if self._life_signs is None:
            self._life_signs = ProbeSession(state, "life_sign", _LIFE_SIGNS, _LIFE_SIGNS)
        session = self._life_signs
        try:
            with session.open() as stream:
                session.ask(stream, session.request(connection="close"))
        except OverBudget:
            return True
        except NoResponse as failure:
            return failure.how is not Loss.TIMEOUT
        except OpenFailure as failure:
            return not isinstance(failure.cause, TimeoutError)
        return True

    @property
    def _has_accused(self) -> bool:
        return any(one["verdict"] in _ACCUSATIONS for one in self._records.values())

    def _withdraw(self, state: AuditState) -> None:
        """The server went away: what ended after its last byte may be due to that."""
        events = [event for trace in state.traces.records() for event in trace["events"]]
        heard_ns = max((event["at_ns"] for event in events if event["event"] == "received"), default=0)
        for one in self._records.values():
            if one["verdict"] in _ACCUSATIONS and one["started_ns"] + one["duration_ns"] > heard_ns:
                one["verdict"] = Verdict.UNKNOWN.value
                one["measured"] = f"{one['measured']}; then the server was gone"
                one["advice"] = None

    def _check_time(self, session: ProbeSession) -> None:
        """Raises ProbeFailure once the audit's time is over."""
        if session.now_ns() >= session.deadline_ns:
            self._end = "out_of_time"
            raise ProbeFailure(_ENDS[self._end])

    def _note(self, probe: Probe, found: Finding, started_ns: int = 0, duration_ns: int = 0) -> None:
        """started_ns: since the audit's start; without it the probe never began."""
        self._records[probe.name] = {
            "group": group_title(probe.name),
            "title": probe.title,
            "question": probe.question,
            "announced": found.announced,
            "measured": found.measured,
            "values": dict(found.values),
            "verdict": found.verdict.value,
            "section": found.section or probe.section or None,
            "advice": found.advice,
            "topic": found.topic,
            "started_ns": started_ns,
            "duration_ns": duration_ns,
        }


def _is_gone(session: ProbeSession) -> bool:
    """Nothing listens any more where the first response came from."""
    try:
        session.open().close()
    except OpenFailure as error:
        return error.stage == "connect" and not isinstance(error.cause, TimeoutError)
    except OverBudget:
        return False
    return False
