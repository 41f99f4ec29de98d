"""A checked plan becomes a finished run in results/<run>/: target, worker, folder, report.

`compare` and `sweep` both end here, a new run as well as one that is resumed.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from loadgen.cli import EXIT_DONE, EXIT_INTERRUPTED
from loadgen.cli.consent import added, consent
from loadgen.cli.console import Progress
from loadgen.cli.dry_run import blocks, extent
from loadgen.cli.machine import check_machine
from loadgen.cli.plan_writer import save_plan
from loadgen.cli.report import finish
from loadgen.cli.worker_pool import end_of, run_workers
from loadgen.measure.data.environment import environment
from loadgen.measure.data.recorder import part_directory
from loadgen.measure.data.store import RunStore
from loadgen.model.exceptions import PlanError, TargetError
from loadgen.model.plan import Plan
from loadgen.model.split import shares
from loadgen.model.target import parse_target
from loadgen.probe.hop_by_hop import check_hops
from loadgen.target.behaviour import FIELDS_PATH
from loadgen.target.process import EmbeddedTarget, account

CUT_SHORT = {
    "interrupted": "the run was interrupted; this is what had been measured",
    "disk_full": "the disk was full, so the run ended; this is what had been measured",
    "died": "the worker process died; this is what it had measured",
}

_RESUMED = (
    "the run was measured in {} parts; blocks that were cut off were dropped and run again, and the target's own "
    "account still counts them"
)


def prepare(plan: Plan, options: dict[str, Any]) -> Experiment | None:
    """Everything that can be wrong is found, and --save-plan and --dry-run done, before anything is started.

    Gives None where nothing is to be run. Raises PlanError.
    """
    embedded = options["url"] is None
    if options["dry_run"] and options["json"]:
        raise PlanError("--dry-run prints blocks and measures nothing that --json could print; give one of them")
    check_machine(plan)
    name = f"{datetime.now():%Y%m%d-%H%M%S}" if options["name"] is None else options["name"]
    if "/" in name or name.startswith(".") or not name.isprintable():
        raise PlanError(f"--name {name!r} can't be a folder's name")
    if options["dry_run"]:
        _save_plan(plan, embedded, options)
        click.echo("\n".join([*blocks(plan), extent(plan)]))
        return None
    consent(plan, embedded, options["yes"])
    store = RunStore.create(options["out"] or Path("results") / name)
    try:
        _save_plan(plan, embedded, options)
    except PlanError:
        store.discard()
        raise
    found: dict[str, Any] = environment()
    if embedded:
        found["embedded_target"] = None  # marks the run as one against it, also where it is cut off
    return Experiment(plan, store, {"name": name, "environment": found, "notes": []}, options)


def _save_plan(plan: Plan, embedded: bool, options: dict[str, Any]) -> None:
    if options["save_plan"] is None:
        return
    left_out = save_plan(options["save_plan"], plan, embedded)
    if left_out and not options["quiet"]:
        tell(f"{options['save_plan']} holds no credentials; give those of {', '.join(left_out)} when you run it")


class Experiment:
    """One run, or what is left of it: `skip` are the blocks that are done, `first_connection` the next free number."""

    def __init__(
        self,
        plan: Plan,
        store: RunStore,
        facts: dict[str, Any],
        options: dict[str, Any],
        skip: Sequence[int] = (),
        first_connection: int = 0,
    ) -> None:
        self._plan = plan
        self._store = store
        self._facts = facts
        self._as_json = options["json"]
        self._draws = not options["no_charts"]
        self._quiet = options["quiet"]
        self._skip = skip
        self._first_connection = first_connection
        self._is_new = self._has_begun = "plan" not in facts
        self._embedded = "embedded_target" in facts["environment"]
        self._warned: set[tuple[str, str]] = set()
        self._cell = ""
        self._living = set(range(plan.processes))
        self._rounds: dict[int, int] = {}

    @property
    def directory(self) -> Path:
        return self._store.directory

    def run(self) -> int:
        """Run it; returns the exit code. Raises PlanError or TargetError."""
        with ExitStack() as stack:
            if self._embedded:
                self._start_target(stack)
            self._look_at_proxy()
            self._facts["plan"] = self._plan.to_json(secrets=False)
            if self._embedded and self._plan.cacert:
                # It goes with the target; its folder means nothing later.
                self._facts["plan"]["cacert"] = Path(self._plan.cacert).name
            self._store.save_run(self._facts)
            end = self._work()["end"]
            if self._embedded:
                self._account()
        if end in CUT_SHORT:
            self._facts["notes"] = [*without(self._facts["notes"], CUT_SHORT), {"code": end, "message": CUT_SHORT[end]}]
        try:
            finish(self._store, self._facts, self._as_json, self._quiet, self._draws)
        except TargetError:
            if end not in CUT_SHORT:
                raise
        if end not in CUT_SHORT:
            return EXIT_DONE
        if end != "interrupted":
            tell(CUT_SHORT[end])
        return EXIT_INTERRUPTED

    def _start_target(self, stack: ExitStack) -> None:
        """The plan's target has a placeholder for a port, or that of a process that is gone."""
        plan = self._plan
        embedded = EmbeddedTarget(plan.target.is_tls, self._store.directory)
        stack.callback(embedded.stop)
        self._plan = replace(
            plan,
            target=replace(plan.target, port=parse_target(embedded.url).port),
            cacert=None if plan.insecure or embedded.ca_file is None else str(embedded.ca_file),
            server_pid=embedded.pid,
        )

    def _look_at_proxy(self) -> None:
        """Note what the proxy does with fields that are for it alone. A resumed run knows that already."""
        there = self._facts["environment"]
        if self._plan.proxy is None or "proxy" in there:
            return
        try:
            found = check_hops(self._plan, FIELDS_PATH)
        except KeyboardInterrupt:  # a silent proxy is waited for, for a while
            self._discard()
            raise
        there["proxy"] = {"address": str(self._plan.proxy), "hop_by_hop": found}

    def _account(self) -> None:
        """Note what the embedded target counted, of a resumed run the sum of its parts where each is known."""
        found = account(self._plan.target, self._plan.cacert)
        there = self._facts["environment"]
        there["embedded_target"] = found if self._is_new else added(there["embedded_target"], found)

    def _work(self) -> dict[str, Any]:
        """Let the workers run the plan. Raises what they say of plan or target."""
        with Progress(self._plan, self._quiet, len(self._skip)) as progress:

            def on_event(worker: int, event: dict[str, Any]) -> None:
                self._note(worker, event, progress)
                progress.show(event, worker)

            end = end_of(run_workers(self._jobs(), self._store.lock, on_event))
        if end["end"] in ("plan", "target"):
            self._discard()
            raise (PlanError if end["end"] == "plan" else TargetError)(end["message"])
        if not self._store.has_rows:
            self._discard()
            if end["end"] == "interrupted":
                raise KeyboardInterrupt
            raise TargetError("the worker process ended before it measured anything")
        return end

    def _jobs(self) -> list[tuple[Path, dict[str, Any]]]:
        """What each worker is to do, and the folder for its rows. Raises PlanError where that can't be made."""
        plans = shares(self._plan)
        jobs = []
        for number, plan in enumerate(plans):
            directory = self._store.directory
            if len(plans) > 1:
                directory = part_directory(directory, number)
                try:
                    directory.mkdir()
                except OSError as error:
                    self._discard()
                    raise PlanError(f"can't write to {directory}: {error.strerror}") from None
            job = {
                "plan": plan.to_json(secrets=True),
                "skip": list(self._skip),
                "first_connection": self._first_connection,
                "waits": len(plans) > 1,
                "watches": number == 0,
            }
            jobs.append((directory, job))
        return jobs

    def _note(self, worker: int, event: dict[str, Any], progress: Progress) -> None:
        """Take what an event says of target and generator."""
        if "observed" in event:
            self._facts["environment"]["target"] = event["observed"]
            self._save()
        elif "block" in event:
            self._cell = event["block"]["policy"]
            self._rounds[worker] = event["block"]["round"]
            if not self._has_begun:
                self._begin_part()
        elif "warning" in event:
            warning = event["warning"]
            about = (warning["code"], self._cell)
            if about not in self._warned:
                self._warned.add(about)
                self._facts["notes"].append({"code": warning["code"], "message": warning["message"]})
                progress.warn(warning["message"])
                self._save()
        elif event.get("end") == "died":
            self._lost(worker, progress)

    def _lost(self, worker: int, progress: Progress) -> None:
        """A worker died. Where others are left, the run goes on without it."""
        self._living.discard(worker)
        if not self._living:
            return
        when = f"in round {self._rounds[worker] + 1}" if worker in self._rounds else "before the first block"
        message = (
            f"worker {worker + 1} of {self._plan.processes} died {when}: that block is without what it had measured of "
            "it, and from there on the load was only the others'"
        )
        self._facts["notes"].append({"code": "worker_died", "message": message})
        progress.warn(message)
        self._save()

    def _begin_part(self) -> None:
        """A run that is resumed goes on: what was said of its being cut off no longer holds."""
        self._has_begun = True
        parts = self._facts["parts"] = self._facts.get("parts", 1) + 1
        note = {"code": "resumed", "message": _RESUMED.format(parts)}
        self._facts["notes"] = [*without(self._facts["notes"], {*CUT_SHORT, "resumed"}), note]
        self._save()

    def _save(self) -> None:
        with suppress(OSError):  # the disk may be full already; it is saved again at the end
            self._store.save_run(self._facts)

    def _discard(self) -> None:
        """A run that never got a sample goes; what an earlier part measured stays."""
        if self._is_new:
            self._store.discard()


def without(notes: list[dict[str, str]], codes: Collection[str]) -> list[dict[str, str]]:
    """The notes but those of these codes."""
    return [note for note in notes if note["code"] not in codes]


def tell(message: str) -> None:
    """One line on standard error."""
    print(f"loadgen: {message}", file=sys.stderr)  # noqa: T201
