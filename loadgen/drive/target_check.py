"""Does the target answer at all? One request before all others, sent again a few times where its failure may pass.

Decides no order of blocks and writes no row: each try is an exchange like any other, outside all windows.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import TargetError
from loadgen.model.plan import Plan
from loadgen.model.policy import HTTP1
from loadgen.model.units import count, format_duration
from loadgen.model.warning_codes import WarningCode
from loadgen.wire.route import Route
from loadgen.wire.transport import SocketAddress

Report = Callable[[dict[str, Any]], None]

PAUSES_S = (0.1, 0.2, 0.4, 0.8)
"""Before the second try and those after it."""
_MAX_S = 3.0
_LOWEST_ERROR = 400  # RFC 9110 §15.5
# A server, or a gateway before one, that has just started says so with these (RFC 9110 §15.6.3 to §15.6.5).
_NOT_READY = frozenset({502, 503, 504})


class CheckedEngine(Protocol):
    """An engine, as the check sees it, or the part of one that is for one of several origins."""

    @property
    def connections(self) -> int:
        """How many were begun."""

    @property
    def errors(self) -> int: ...
    @property
    def observed(self) -> dict[str, Any]:
        """What kind of server answered first."""

    @property
    def interrupted(self) -> bool: ...
    @property
    def whole(self) -> bool:
        """The block had its time, so far."""

    def preflight(self) -> tuple[ErrorKind, str] | None:
        """Send one request alone before all others; returns how it failed, or None."""

    def pause(self, seconds: float) -> None:
        """Wait; an interruption ends that."""


class TargetCheck:
    """The first request of a run, and of each protocol and route until one was answered.

    must_answer: a target that fails it ends the run; else that is reported as a warning. has_answered: the target was
    waited for already, in a pilot; so each request is tried once, whatever status it is answered with. name: of several
    targets this one's. is_one_of_several: of origins; then warnings say which one. `report` is called with
    {"observed": ...}, of several targets also "target": the name, and {"warning": ...}. now_s: the monotonic clock (s).
    """

    def __init__(
        self, plan: Plan, route: Route, engine: CheckedEngine, report: Report, must_answer: bool,
        has_answered: bool = False, name: str | None = None, now_s: Callable[[], float] = time.monotonic,
        is_one_of_several: bool = False,
    ) -> None:  # fmt: skip
        self._plan = plan
        self._route = route
        self._engine = engine
        self._report = report
        self.must_answer = must_answer
        self._pauses_s = () if has_answered else PAUSES_S
        self._name = name
        self._whose = f"{plan.target}: " if is_one_of_several else self._of_target()
        """What a warning begins with that names no peer."""
        self._now_s = now_s
        self._tried: set[str] = set()  # protocols
        self._silent: list[SocketAddress] = []
        """Addresses that were skipped because they did not answer."""
        self._tunnels_tried: set[bool] = set()  # with a tunnel through the proxy, or without
        self.answered = False
        """A request was answered."""
        self._challenges = {"connections": 0, "errors": 0}

    def before_block(self, protocol: str) -> dict[str, Any]:
        """Send the request if the block needs it; gives the block's facts of it. Raises TargetError."""
        # A proxy may let requests pass and refuse tunnels, or ask for credentials in one of these cases only.
        is_new_route = self._route.tunnels not in self._tunnels_tried and self._plan.proxy is not None
        self._tunnels_tried.add(self._route.tunnels)
        if not is_new_route and (self.answered or protocol in self._tried):
            return {}
        self._tried.add(protocol)
        self._challenges = {"connections": 0, "errors": 0}
        self._check(protocol)
        return {"challenge": self._challenges} if self._route.login.wanted else {}

    def observed(self) -> dict[str, Any]:
        """What is known of the target."""
        address = (*self._route.addresses[0][1], 0) if self._route.addresses else ("", 0)
        proxy = {} if self._plan.proxy is None else {"proxy": f"{self._plan.proxy}"}
        usable = [f"{where[0]}" for _, where in self._route.addresses]
        return {
            "address": f"{address[0]}", "port": address[1], "addresses": usable, **proxy, **self._engine.observed,
        }  # fmt: skip

    def _check(self, protocol: str) -> None:
        """Try until it is answered, or until another try is no use or comes too late."""
        begun_s = self._now_s()
        failures: Counter[str] = Counter()
        failure, reason = None, ""
        for pause_s in (*self._pauses_s, None):
            failure = self._try()
            if self._engine.interrupted:
                break
            reason = self._reason(failure)
            if not reason:
                break
            failures[reason] += 1
            may_pass = failure is None or failure[0].may_pass
            if not may_pass or pause_s is None or self._now_s() - begun_s + pause_s > _MAX_S:
                break
            self._engine.pause(pause_s)
            if not self._engine.whole:  # the block is over before it began
                break
            self._route.restore_addresses()
        seconds = self._now_s() - begun_s
        if failure is not None and not self._engine.interrupted:
            self._report_failure(*failure, protocol, failures.total(), seconds)
            return
        self.answered = self.answered or failure is None
        observed = self.observed()
        self._warn_of_silent()
        self._report({"observed": observed} | ({} if self._name is None else {"target": self._name}))
        if failure is None and _wants_certificate(observed):
            message = f"the server asked for a client certificate, got none, and answered {observed['status']}"
            self._warn(WarningCode.CLIENT_CERTIFICATE_MISSING, f"{self._whose}{message}; give one with --cert")
        if failures and not self._engine.interrupted:  # else the run does not begin at all
            late = _late_answer(failures, bool(reason), seconds)
            self._warn(WarningCode.FIRST_REQUEST_FAILED, f"{self._whose}{late}")

    def _try(self) -> tuple[ErrorKind, str] | None:
        """One request, at each address of the target until one is open; returns how it failed, or None."""
        engine, route = self._engine, self._route
        # A proxy that closes the connection with its challenge is asked once more, with credentials.
        may_login = route.tunnels and not route.login.wanted
        while True:
            connections, errors = engine.connections, engine.errors
            failure = engine.preflight()
            spent = engine.connections - connections
            if failure is None:
                self._count_challenges(spent - 1, engine.errors - errors)
                return None
            if engine.interrupted:
                return failure
            kind = failure[0]
            first = route.addresses[0] if route.addresses else None
            if kind.tries_next_address and route.skip_address():
                if first is not None and kind is ErrorKind.CONNECT_TIMEOUT:
                    self._silent.append(first)
                continue
            if kind is ErrorKind.PROXY_AUTHENTICATION and route.login.wanted and may_login:
                may_login = False
                self._count_challenges(spent, engine.errors - errors)
            else:
                return failure

    def _count_challenges(self, connections: int, errors: int) -> None:
        """One connection is needed anyway; the others only carried the proxy's 407 challenge."""
        self._challenges["connections"] += max(0, connections)
        self._challenges["errors"] += min(max(0, connections), errors)

    def _reason(self, failure: tuple[ErrorKind, str] | None) -> str:
        """Why this try does not count as an answer; empty where it does."""
        if failure is not None:
            return failure[0].label.replace("_", " ")
        status = self._engine.observed.get("status")
        return f"status {status}" if status in _NOT_READY and self._pauses_s else ""

    def _report_failure(self, kind: ErrorKind, detail: str, protocol: str, tries: int, seconds: float) -> None:
        """It was not answered: raise TargetError, or warn where other blocks may still have an answer."""
        advice = f"; {kind.advice}" if kind.advice else ""
        # What the kernel calls an error is its kind once more.
        what = kind.meaning if detail in map(os.strerror, kind.errnos) else detail
        tried = f" (tried {tries} times in {seconds:.1f} s)" if tries > 1 else ""
        message = f"{self._of_target()}{self._peer_of(kind)}: {kind.label.replace('_', ' ')}: {what}{advice}{tried}"
        others = {cell.policy.protocol for cell in self._plan.cells} - self._tried
        # What a server does with an upgrade, or another protocol than HTTP/1.1, says nothing about other policies.
        of_protocol = protocol != HTTP1 and not kind.hits_every_policy
        if self.must_answer and not self.answered and not (others and of_protocol):
            raise TargetError(message)
        prefix = f"{protocol}: " if of_protocol else ""
        self._warn(WarningCode.TARGET_FAILED, f"{prefix}{message}")

    def _warn_of_silent(self) -> None:
        """Of addresses that were silent. One that refuses is another matter: it costs clients no time."""
        silent = [address for address in dict.fromkeys(self._silent) if address not in self._route.addresses]
        self._silent.clear()
        if silent and self._route.addresses:
            listed = ", ".join(f"{where[0]}" for _, where in silent)
            self._warn(
                WarningCode.FIRST_REQUEST_FAILED,
                f"{self._whose}{listed} did not answer within {format_duration(self._plan.load.timeout_ns)}, so "
                f"connections go to {self._route.addresses[0][1][0]}: clients that do not try several addresses at a "
                "time wait as long, or fail; loadgen probe URL --only addresses tries each",
            )

    def _of_target(self) -> str:
        return "" if self._name is None else f"target {self._name}: "

    def _peer_of(self, kind: ErrorKind) -> str:
        """Which peer a failure of this kind is about."""
        proxy, target = self._plan.proxy, self._plan.target
        if proxy is None:
            return f"{target}"
        return f"the proxy {proxy}, on the way to {target}" if kind.is_about_proxy else f"{target} by way of {proxy}"

    def _warn(self, code: WarningCode, message: str) -> None:
        self._report({"warning": {"code": code.value, "message": message}})


def _wants_certificate(observed: dict[str, Any]) -> bool:
    """A server may finish the handshake and say in a response that a certificate is missing, as nginx does."""
    tls = observed.get("tls") or {}
    return tls.get("client_certificate") == "missing" and (observed.get("status") or 0) >= _LOWEST_ERROR


def _late_answer(failures: Counter[str], is_not_ready: bool, seconds: float) -> str:
    """The warning that the run went on after tries that failed. is_not_ready: so did the last one, with a status."""
    listed = ", ".join(f"{reason} ({times})" if len(failures) > 1 else reason for reason, times in failures.items())
    failed = f"the first request failed {count(failures.total(), 'time')}: {listed}"
    if is_not_ready:
        return f"{failed}; the run began all the same, {seconds:.1f} s later"
    return f"{failed}; it was sent again, and the run began {seconds:.1f} s later"
