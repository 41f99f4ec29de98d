"""A look at Locust's start form before a run starts: refuses, in one line, what could not be run. Starts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from loadgen.measure.summary.run_gates import resolve_gates
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.swarm.live_view import LiveView
from loadgen.swarm.options import COMMAND_LINE_ONLY, plan_of, with_form
from loadgen.swarm.target_host import TargetHost
from loadgen.swarm.user_classes import ClassPolicies, kind_of, policies_of
from loadgen.wire.route import Route


def checked_plan(options: Any, host: str | None, class_policies: ClassPolicies, users: int) -> Plan:
    """The plan that options or a form mean, checked as far as that needs no network. Raises PlanError."""
    plan = plan_of(options, host, class_policies, users)
    Route.of(plan)  # refuses a file that holds no certificate
    resolve_gates(plan)
    return plan


class StartForm:
    """environment: Locust's; its options and its host are what the form does not change."""

    def __init__(self, environment: Any, target_host: TargetHost, live_view: LiveView) -> None:
        self._environment = environment
        self._target_host = target_host
        self._live_view = live_view
        self._run_time: str | None = None
        """The run time in the last form; None before the first one."""

    def refusal(self, form: Mapping[str, str]) -> str | None:
        """Why this form can't start a run; None if it can."""
        if self._live_view.is_active:
            return "the results of the last run are still being written; start again when they are there"
        for name in form:
            if name in COMMAND_LINE_ONLY:
                return f"--{name.replace('_', '-')} is set on the command line, not here"
        self._run_time = form.get("run_time", "")
        classes = self._classes(form)
        if not any(map(kind_of, classes)):
            return None
        options = with_form(self._environment.parsed_options, form)
        host = form.get("host", "") or self._environment.host or "http://127.0.0.1"
        try:
            # The embedded target is trusted, whatever the scheme that the form asks for.
            checked_plan(self._target_host.trusted(options, host), host, policies_of(classes, options.policies), 1)
        except PlanError as error:
            return str(error)
        return None

    def run_seconds(self, options: Any) -> float:
        """How long Locust lets the run go on; 0 if it does not end it.

        Locust's options keep the run time of an earlier form, but only the last form counts.
        """
        return 0.0 if self._run_time == "" else float(options.run_time or 0)

    def _classes(self, form: Mapping[str, str]) -> list[Any]:
        """The user classes that the form chooses, else those that Locust has."""
        known: dict[str, Any] = self._environment.available_user_classes or {}
        names = form.getlist("user_classes") if isinstance(form, MultiDict) else []
        return [known[name] for name in names if name in known] or self._environment.user_classes
