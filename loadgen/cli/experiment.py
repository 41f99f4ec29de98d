"""One run: the embedded target if there is no other, the workers, and what they leave in results/<run>/.

`compare` and `sweep` both end here, a new run as well as one that is resumed. Shows nothing but its progress.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from loadgen.cli.live_blocks import LiveBlocks
from loadgen.cli.live_output import LiveOutput
from loadgen.cli.pilot import PilotEnd, run_pilot, with_load
from loadgen.cli.report import FinishedRun, finish
from loadgen.cli.run_notes import CUT_SHORT, RunNotes
from loadgen.cli.run_rollup import RunRollup
from loadgen.cli.screen.progress_display import ProgressDisplay
from loadgen.cli.signals import Interruption
from loadgen.cli.size_forecast import SizeForecast
from loadgen.cli.stdio import print_error
from loadgen.cli.worker_pool import end_of, run_workers
from loadgen.drive.system.idle_states import processors_awake
from loadgen.measure.data.recorder import worker_folder
from loadgen.measure.data.store import RunStore
from loadgen.measure.live.run_precision import RunPrecision
from loadgen.model.exceptions import PlanError, TargetError
from loadgen.model.plan import Plan
from loadgen.model.run_record import EmbeddedTargetRecord, RunRecord
from loadgen.model.split import shares
from loadgen.model.target import parse_target
from loadgen.probe.before_load import run_probes
from loadgen.startup import what_ended
from loadgen.target.account import add_accounts, subtract_accounts
from loadgen.target.process import EmbeddedTarget, account


class Experiment:
    """One run, or the rest of one that is resumed."""

    def __init__(
        self,
        plan: Plan,
        store: RunStore,
        facts: RunRecord,
        *,
        is_new: bool,
        quiet: bool,
        draws: bool,
        done: Sequence[int] = (),
        first_connection: int = 0,
        pilots: bool = False,
        audits: bool = False,
        live: LiveOutput | None = None,
    ) -> None:
        self._plan = plan
        self._store = store
        self._facts = facts
        """What the run records of itself."""
        self._quiet = quiet
        self._draws = draws
        """Draw the charts and write the pages."""
        self._done = done
        """Indices of the blocks that an earlier segment of the run has measured."""
        self._first_connection = first_connection
        """The lowest number of a connection that no earlier segment has used."""
        self._is_new = is_new
        self._pilots = pilots
        """A pilot chooses the load."""
        self._audits = audits
        """The connection doctor looks at the target first."""
        self._live = live or LiveOutput({})
        self._embedded = "embedded_target" in facts["environment"]

    def run(self) -> FinishedRun:
        """Run it. Raises PlanError or TargetError where there is nothing to report, and what a signal raises.

        Whatever ends it: what was measured stays, and a run that measured nothing leaves no folder.
        """
        try:
            return self._run()
        except BaseException as error:
            if not self._store.has_samples:
                self._discard()
            elif isinstance(error, Interruption):
                error.saved = self._store.directory
            raise
        finally:
            self._live.close()

    def _run(self) -> FinishedRun:
        with ExitStack() as stack:
            self._facts["environment"]["processors_awake"] = stack.enter_context(processors_awake())
            if self._embedded:
                self._start_target(stack)
            self._probe()
            notes = RunNotes(self._store, self._facts, self._plan.processes, is_new=self._is_new)
            if self._pilots:
                self._choose_load(notes)
            counted_before = self._account() if self._asks_before and self._embedded else None
            self._facts["plan"] = self._plan.to_json(secrets=False)
            if self._embedded and self._plan.cacert:
                # The file goes with the target; its folder means nothing later.
                self._facts["plan"]["cacert"] = Path(self._plan.cacert).name
            try:
                self._store.save_run(notes.unfinished())
            except OSError as error:
                raise PlanError(f"can't write to {self._store.directory}: {error.strerror}") from None
            last = self._work(notes)
            end = last["end"]
            if self._embedded:
                self._save_account(counted_before)
        if end in CUT_SHORT:
            notes.add_end(end)
        if last.get("signal", signal.SIGINT) != signal.SIGINT and not self._quiet:
            print_error(what_ended(last["signal"]))
        return finish(self._store, self._facts, end, draws=self._draws)

    def _start_target(self, stack: ExitStack) -> None:
        """The plan's target has a placeholder for a port, or that of a process that is gone."""
        plan = self._plan
        takes_early = any(cell.policy.early_data for cell in plan.cells)
        options = ("--early-data",) if takes_early else ()  # it makes each handshake a little dearer for the target
        embedded = EmbeddedTarget(plan.target.is_tls, self._store.directory, options)
        stack.callback(embedded.stop)
        self._plan = replace(
            plan,
            target=replace(plan.target, port=parse_target(embedded.url).port),
            cacert=None if plan.insecure or embedded.ca_file is None else str(embedded.ca_file),
            server_pid=embedded.pid,
        )

    def _probe(self) -> None:
        """Note what probes find out about target and proxy. A resumed run has noted that already."""
        run_probes(self._plan, self._facts["environment"])
        if self._audits:
            from loadgen.cli.run_audit import audit_before_load  # all probes take a third of a second to import

            found = audit_before_load(self._plan, quiet=self._quiet)
            if found is not None:
                self._facts["environment"]["audit"] = found

    def _choose_load(self, notes: RunNotes) -> None:
        """Let a pilot choose users and think time. Raises PlanError, TargetError or Interruption."""
        try:
            record = run_pilot(self._plan, self._store.directory, self._store.lock, notes, quiet=self._quiet)
        except PilotEnd as ended:
            raise self._nothing_measured(ended.event) from None
        self._plan = with_load(self._plan, record)
        self._facts["pilot"] = record

    @property
    def _asks_before(self) -> bool:
        """The target gets requests before the load."""
        return self._pilots or self._audits

    def _account(self) -> Any:
        """What the embedded target has counted by now; None where that can't be known."""
        return account(self._plan.target, self._plan.cacert)

    def _save_account(self, counted_before: Any) -> None:
        """Note what the embedded target counted; for a resumed run the sum of its segments, if each is known.

        counted_before: by then, the part of pilot and audit; None where there was neither.
        """
        found = self._account()
        if self._asks_before:
            found = subtract_accounts(found, counted_before)
        environment = self._facts["environment"]
        earlier = environment["embedded_target"]
        total = found if self._is_new else add_accounts(earlier, found)
        environment["embedded_target"] = cast(EmbeddedTargetRecord | None, total)

    def _work(self, notes: RunNotes) -> dict[str, Any]:
        """Let the workers run the plan; returns how they ended. Raises PlanError or TargetError where they say so."""
        jobs = self._jobs()
        cells = tuple(cell.name for cell in self._plan.cells)
        directories = [directory for directory, _ in jobs]
        progress = ProgressDisplay(self._plan, self._quiet, self._done, writes_lines=self._live.writes_lines)
        precision = None if self._plan.until_precision is None else RunPrecision(self._plan, progress.figures)
        listeners = [*progress.listeners, *self._live.listeners]
        blocks = LiveBlocks(directories, listeners, has_histograms=progress.has_percentiles)
        rollup = RunRollup(directories, cells, self._plan.max_samples, blocks.read_parts)
        forecast = SizeForecast(self._plan)
        with progress:

            def on_event(worker: int, event: dict[str, Any]) -> None:
                warning = notes.add(worker, event)
                if warning:
                    progress.say(f"warning: {warning}")
                progress.show(event, worker)
                progress.say(forecast.add(worker, event))
                rollup.add(worker, event)
                self._live.add(worker, event)

            def goes_on(block: int) -> bool:
                blocks.look()
                return precision is None or precision.goes_on(block)

            end = end_of(run_workers(jobs, self._store.lock, on_event, goes_on))
            blocks.look()
        if end["end"] in ("plan", "target"):
            self._discard()
            raise (PlanError if end["end"] == "plan" else TargetError)(end["message"])
        if not self._store.has_rows:
            raise self._nothing_measured(end)
        return end

    def _nothing_measured(self, end: dict[str, Any]) -> BaseException:
        """What a worker's end means before there is a row."""
        if end["end"] == "interrupted":
            return Interruption(end.get("signal", signal.SIGINT))
        return TargetError("the worker process ended before it measured anything")

    def _jobs(self) -> list[tuple[Path, dict[str, Any]]]:
        """The folder and the order of each worker. Raises PlanError where a folder can't be made."""
        plans = shares(self._plan)
        jobs = []
        for number, plan in enumerate(plans):
            directory = self._store.directory
            if len(plans) > 1:
                directory = worker_folder(directory, number)
                try:
                    directory.mkdir()
                except OSError as error:
                    raise PlanError(f"can't write to {directory}: {error.strerror}") from None
            job = {
                "plan": plan.to_json(secrets=True),
                "skip": list(self._done),
                "first_connection": self._first_connection,
                "waits": True,
                "watches": number == 0,
                "answered": self._pilots,
            }
            jobs.append((directory, job))
        return jobs

    def _discard(self) -> None:
        """A run without a single sample goes; what an earlier segment of it measured stays."""
        if self._is_new:
            with suppress(OSError):
                self._store.discard()
