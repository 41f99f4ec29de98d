"""A look at Locust's start form before a run starts: refuses, in one line, what could not be run. Starts nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from werkzeug.datastructures import MultiDict

from loadgen.measure.summary.run_gates import resolve_gates
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.request_list import has_file, is_text
from loadgen.model.unused_options import check_used
from loadgen.show.export.requested import check_exports
from loadgen.swarm.form_fields import FormTexts, with_form
from loadgen.swarm.live_view import LiveView
from loadgen.swarm.option_texts import lines
from loadgen.swarm.options import COMMAND_LINE_ONLY, check_for_embedded, plan_of
from loadgen.swarm.target_host import TargetHost
from loadgen.swarm.user_classes import ClassPolicies, UserKind, kind_of, policies_of
from loadgen.wire.route import Route


def checked_plan(options: Any, host: str | None, class_policies: ClassPolicies, users: int) -> Plan:
    """The plan that options or a form mean, checked as far as that needs no network. Raises PlanError."""
    plan = plan_of(options, host, class_policies, users)
    Route.of(plan)  # refuses a file that holds no certificate
    resolve_gates(plan)
    return plan


def _list_names_file(text: str, given: Sequence[str]) -> bool:
    """--urls names its own file, or that of a line which the command line does not have."""
    return not is_text(text) or any(has_file(line) for line in lines(text) if line not in given)


_NAMING_FILES: dict[str, Callable[[str, Sequence[str]], bool]] = {
    "data": lambda text, _given: text.startswith("@"),
    "template_csv": lambda _text, _given: True,
    "urls": _list_names_file,
}
"""By option: whether its text names a file whose contents would be sent. given: lines of the command line."""


def check_options_used(plan: Plan, classes: Iterable[type]) -> None:
    """Raise PlanError where an option can have no effect. Where a scenario's requests go only the scenario knows."""
    if UserKind.SCENARIO not in map(kind_of, classes):
        check_used(plan)


class StartForm:
    """environment: Locust's; its options and its host are what the form does not change."""

    def __init__(
        self, environment: Any, target_host: TargetHost, live_view: LiveView, is_auditing: Callable[[], bool]
    ) -> None:
        self._environment = environment
        self._is_auditing = is_auditing
        self._texts = FormTexts(environment.parsed_options)
        self._target_host = target_host
        self._live_view = live_view
        self._run_time: str | None = None
        """The run time in the last form; None before the first one."""

    def fill(self, fields: Mapping[str, Any]) -> None:
        """Put what our fields show into Locust's description of them, by name."""
        self._texts.fill(fields)

    def taken(self, form: Mapping[str, str]) -> Mapping[str, str]:
        """What was meant by a form that came back."""
        return self._texts.taken(form)

    def refusal(self, form: Mapping[str, str]) -> str | None:
        """Why this form can't start a run; None if it can."""
        if self._live_view.is_active:
            return "the results of the last run are still being written; start again when they are there"
        if self._is_auditing():
            return "an audit of the target is on; start when it has ended, or stop it"
        for name in form:
            if name in COMMAND_LINE_ONLY:
                return f"--{name.replace('_', '-')} is set on the command line, not here"
        self._run_time = form.get("run_time", "")
        classes = self._classes(form)
        if not any(map(kind_of, classes)):
            return None
        options = with_form(self._environment.parsed_options, form)
        host = form.get("host", "") or self._environment.host
        try:
            is_embedded = not host or self._target_host.is_embedded(host)
            if not host:
                check_for_embedded(options)
                host = "http://127.0.0.1"
            self._check_files(form)
            # The embedded target is trusted, whatever the scheme that the form asks for.
            trusted, policies = self._target_host.trusted(options, host), policies_of(classes, options.policies)
            plan = checked_plan(trusted, host, policies, 1)
            if not is_embedded:
                check_options_used(plan, classes)
        except PlanError as error:
            return str(error)
        return None

    def _check_files(self, form: Mapping[str, str]) -> None:
        """Raise PlanError where a form reads or writes a file that the command line did not name."""
        for name, names_file in _NAMING_FILES.items():
            text = form.get(name, "")
            if text and names_file(text, self._texts.given_lines(name)) and not self._texts.is_given(name, text):
                raise PlanError(f"--{name.replace('_', '-')}: a file can be named on the command line, not here")
        given = self._texts.given_lines("export")
        exports = lines(form.get("export", ""))
        for one in exports:
            if "=" in one and one not in given:
                raise PlanError(
                    f"--export {one}: another place than the run's folder can be named on the command line, not here"
                )
        check_exports({"export": exports})

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
