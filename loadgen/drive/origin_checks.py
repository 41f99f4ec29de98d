"""The check of a target before the load, where it is several origins: each is asked. Decides no order of blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from loadgen.drive.engine import Engine
from loadgen.drive.origins.origin_context import OriginContext
from loadgen.drive.origins.origins_engine import OriginsEngine
from loadgen.drive.target_check import Report, TargetCheck
from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import TargetError
from loadgen.model.plan import Plan
from loadgen.model.units import count
from loadgen.wire.route import Route


class RunCheck(Protocol):
    """A TargetCheck, or those of several origins."""

    def before_block(self, protocol: str) -> dict[str, Any]:
        """Send the requests that the block needs; gives the block's facts of them. Raises TargetError."""

    def observed(self) -> dict[str, Any]:
        """What is known of the target."""


def check_of(
    plan: Plan, route: Route, engine: Engine, report: Report, must_answer: bool, has_answered: bool = False,
    name: str | None = None,
) -> RunCheck:  # fmt: skip
    """The check of a plan's target by its engine; see TargetCheck."""
    if isinstance(engine, OriginsEngine):
        return OriginChecks(engine, report, must_answer, has_answered)
    return TargetCheck(plan, route, engine, report, must_answer, has_answered, name)


class OriginChecks:
    """A TargetCheck for each origin.

    One that fails is a warning that names it, and its requests are counted as they end; where all fail, that is a
    TargetError, if one must answer. What is warned of, and what is observed of an origin other than the first, is
    reported with "origin": its URL.
    """

    def __init__(self, engine: OriginsEngine, report: Report, must_answer: bool, has_answered: bool) -> None:
        self._report = report
        self._must_answer = must_answer
        self._failures: list[str] = []
        """Messages of the present round of checks."""
        self._checks = [self._check_of(one, engine, has_answered) for one in engine.origins]

    def before_block(self, protocol: str) -> dict[str, Any]:
        """Send the requests that the block needs; gives the block's facts of them. Raises TargetError."""
        self._failures.clear()
        challenges: Counter[str] = Counter()
        for place, check in enumerate(self._checks):
            is_last = place == len(self._checks) - 1
            check.must_answer = self._must_answer and is_last and not any(one.answered for one in self._checks)
            try:
                challenges.update(check.before_block(protocol).get("challenge", {}))
            except TargetError as error:
                failures = "; ".join([*self._failures, str(error)])
                raise TargetError(f"none of {count(len(self._checks), 'origin')} answers: {failures}") from None
        return {"challenge": dict(challenges)} if challenges else {}

    def observed(self) -> dict[str, Any]:
        """What is known of the first origin."""
        return self._checks[0].observed()

    def _check_of(self, origin: OriginContext, engine: OriginsEngine, has_answered: bool) -> TargetCheck:
        part = _CheckedOrigin(engine, origin)
        report = self._of_origin(origin)
        return TargetCheck(origin.plan, origin.route, part, report, False, has_answered, is_one_of_several=True)

    def _of_origin(self, origin: OriginContext) -> Report:
        """Where its check reports to."""

        def report(event: Mapping[str, Any]) -> None:
            if "warning" in event:
                self._failures.append(event["warning"]["message"])
            named = {"origin": origin.plan.target.base_url} if "warning" in event or origin.place else {}
            self._report({**event, **named})

        return report


class _CheckedOrigin:
    """One origin's part of an engine."""

    def __init__(self, engine: OriginsEngine, origin: OriginContext) -> None:
        self._engine = engine
        self._origin = origin

    @property
    def connections(self) -> int:
        return self._origin.connections

    @property
    def errors(self) -> int:
        return self._origin.errors

    @property
    def observed(self) -> dict[str, Any]:
        return self._origin.observed

    @property
    def interrupted(self) -> bool:
        return self._engine.interrupted

    @property
    def whole(self) -> bool:
        return self._engine.whole

    def preflight(self) -> tuple[ErrorKind, str] | None:
        return self._engine.preflight_of(self._origin)

    def pause(self, seconds: float) -> None:
        self._engine.pause(seconds)
