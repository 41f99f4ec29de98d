"""What a run notes while it goes on: the target as its workers saw it, warnings, lost workers; saved at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, cast

from loadgen import core
from loadgen.measure.data.store import RunStore
from loadgen.model.run_record import RunRecord, RunWarning, TargetRecord
from loadgen.model.warning_codes import WarningCode

CUT_SHORT = {
    WarningCode.INTERRUPTED.value: "the run was interrupted; this is what had been measured",
    WarningCode.DISK_FULL.value: "the disk was full, so the run ended; this is what had been measured",
    WarningCode.DIED.value: "the worker process died; this is what it had measured",
}
"""The ways in which a run can end early, as notes."""

_UNFINISHED: RunWarning = {
    "code": WarningCode.INTERRUPTED.value,
    "message": "the command ended before the run did, as it does where it is killed; this is what had been measured",
}
"""Stands in the run's folder while the run goes on: a command that is killed can note nothing any more."""
_CORE = {"compiled": "compiled", "pure": "as pure Python"}
_RESUMED = (
    "the run was measured in {} segments; blocks that were cut off were dropped and run again, and the target's own "
    "account still counts them"
)


class RunNotes:
    """Takes the workers' events, and keeps `facts` and the run's folder up to date."""

    def __init__(self, store: RunStore, facts: RunRecord, workers: int, *, is_new: bool) -> None:
        self._store = store
        self._facts = facts
        self._workers = workers
        self._alive = set(range(workers))
        self._has_begun = is_new
        """False until a resumed run measures again."""
        self._cells: dict[int, str] = {}
        """The cell of each worker's last block."""
        self._rounds: dict[int, int] = {}
        """The round of each worker's last block."""
        self._warned: set[tuple[str, str, str | None]] = set()

    def add(self, worker: int, event: Mapping[str, Any]) -> str:
        """Note what the event says; returns a warning for the user where it holds a new one, else an empty text."""
        if "observed" in event:
            self._add_observed(event["observed"], event.get("target"), event.get("origin"))
        elif "block" in event:
            self._cells[worker] = event["block"]["policy"]
            self._rounds[worker] = event["block"]["round"]
            if not self._has_begun:
                self._begin_segment()
        elif "warning" in event:
            return self._add_warning(event["warning"], self._cells.get(worker, ""), event.get("origin"))
        elif event.get("end") == "died":
            return self._lose(worker)
        return ""

    def unfinished(self) -> RunRecord:
        """What the run's folder is to hold while the run goes on."""
        if not self._has_begun:  # nothing new was measured
            return self._facts
        return {**self._facts, "notes": [*without(self._facts["notes"], CUT_SHORT), _UNFINISHED]}

    def add_end(self, end: str) -> None:
        """The run has ended early, in one of the ways of CUT_SHORT."""
        self._facts["notes"] = [*without(self._facts["notes"], CUT_SHORT), {"code": end, "message": CUT_SHORT[end]}]

    def _add_observed(self, observed: Mapping[str, Any], name: str | None, origin: str | None) -> None:
        """name: of several targets the one that was observed. origin: of one that is not the target's own."""
        environment = self._facts["environment"]
        if origin is not None:
            environment.setdefault("origins", {})[origin] = cast(TargetRecord, observed)
            self._save()
            return
        if name is not None:
            environment.setdefault("targets", {})[name] = cast(TargetRecord, observed)
        if name is None or name == self._facts["plan"].get("targets", [[""]])[0][0]:
            # What probes have found about the target stays beside what a worker observed.
            known = environment.get("target", {})
            environment["target"] = cast(TargetRecord, {**known, **observed})
        self._save()

    def _add_warning(self, warning: RunWarning, cell: str, origin: str | None) -> str:
        """Each warning is noted once for a cell, and of several origins for each."""
        code, message = warning["code"], warning["message"]
        if (code, cell, origin) in self._warned:
            return ""
        self._warned.add((code, cell, origin))
        return self._note(code, message)

    def _lose(self, worker: int) -> str:
        """A worker died. While others are left, the run goes on without it."""
        self._alive.discard(worker)
        if not self._alive:
            return ""
        when = f"in round {self._rounds[worker] + 1}" if worker in self._rounds else "before the first block"
        return self._note(
            WarningCode.WORKER_DIED,
            f"worker {worker + 1} of {self._workers} died {when}: its samples of that block are lost, and from there "
            "on only the other workers made load",
        )

    def _begin_segment(self) -> None:
        """A resumed run goes on, so the note that it was cut off no longer holds."""
        self._has_begun = True
        segments = self._facts["parts"] = self._facts.get("parts", 1) + 1
        self._facts["notes"] = without(self._facts["notes"], {*CUT_SHORT, WarningCode.RESUMED})
        self._note(WarningCode.RESUMED, _RESUMED.format(segments))
        was, now = self._facts["environment"].get("core"), core.running()
        is_noted = any(note["code"] == WarningCode.CORE_CHANGED for note in self._facts["notes"])
        if was not in (None, now) and not is_noted:
            self._note(
                WarningCode.CORE_CHANGED, f"the generator's core ran {_CORE[was]} at first, and {_CORE[now]} later"
            )

    def _note(self, code: str, message: str) -> str:
        self._facts["notes"] = [*self._facts["notes"], {"code": str(code), "message": message}]
        self._save()
        return message

    def _save(self) -> None:
        with suppress(OSError):  # the disk may be full already; it is saved again at the end
            self._store.save_run(self.unfinished())


def without(notes: list[RunWarning], codes: Collection[str]) -> list[RunWarning]:
    """The notes without those of these codes."""
    return [note for note in notes if note["code"] not in codes]
