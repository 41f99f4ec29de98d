"""What workers send, to the run that it is about. Starts and ends no run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

import loadgen.swarm.messages as messages
from loadgen.swarm.messaging import MessageChannel, bad_message
from loadgen.swarm.run import LocustRun
from loadgen.swarm.worker_agent import WorkerAgent

logger = logging.getLogger(__name__)
RunHandler = Callable[[LocustRun, str, dict[str, Any]], None]


class RunOwner(Protocol):
    """Where the present run is."""

    run: LocustRun | None
    """The present run, or the last one."""

    @property
    def is_under_way(self) -> bool:
        """The run makes load, or collects its samples."""

    @property
    def takes_workers(self) -> bool:
        """The run makes load, so that another worker can take part."""

    def end_if_alone(self, run: LocustRun) -> None:
        """End a test in which no worker makes load any more."""


class WorkerMessages:
    """Listens from now on. agent: the load-making side in this process; None on a master."""

    def __init__(self, channel: MessageChannel, owner: RunOwner, agent: WorkerAgent | None) -> None:
        self._channel = channel
        self._owner = owner
        self._agent = agent
        channel.worker_joined = self._worker_joined
        channel.on_misfit = self._misfit
        channel.listen(messages.CLOCK_ANSWER, self._clock_answered)
        handlers: dict[str, RunHandler] = {
            messages.NOTICE: lambda run, _worker, data: run.take_notice(data),
            messages.BLOCK_READY: lambda run, worker, data: run.coordinator.block_ready(
                worker, data["round"], data["turn"]
            ),
            messages.BLOCK_DONE: self._block_done,
            messages.SAMPLE_PIECE: lambda run, worker, data: run.take_piece(worker, data),
            messages.WORKER_DONE: lambda run, worker, data: run.worker_done(worker, data),
            messages.WORKER_FAILED: self._worker_failed,
        }
        for kind, handle in handlers.items():
            channel.listen(kind, self._of_run(handle))

    def take_report(self, worker: str, data: dict[str, Any]) -> None:
        """Locust's own report of a worker has come, with block reports in it."""
        if messages.BLOCK_REPORTS in data:
            take = self._of_run(lambda run, worker, data: run.take_reports(worker, data["reports"]))
            self._channel.receive(messages.BLOCK_REPORTS, worker, data[messages.BLOCK_REPORTS], take)

    def _of_run(self, handle: RunHandler) -> Callable[[str, dict[str, Any]], None]:
        """Ignore messages about another run than the present one."""

        def take(worker: str, data: dict[str, Any]) -> None:
            run = self._owner.run
            if run is not None and run.name == data["run"]:
                handle(run, worker, data)

        return take

    def _worker_joined(self, worker: str) -> None:
        if self._owner.run is not None and self._owner.takes_workers:
            self._owner.run.add_worker(worker)

    def _block_done(self, run: LocustRun, worker: str, data: dict[str, Any]) -> None:
        if self._agent is not None:
            run.take_reports(worker, self._agent.take_reports()["reports"])
        run.coordinator.block_done(worker, data)

    def _clock_answered(self, worker: str, data: dict[str, Any]) -> None:
        if self._owner.run is not None:
            self._owner.run.start_times.clocks.take_answer(worker, data)

    def _misfit(self, kind: str, worker: str, wrong: str) -> None:
        """A message that is none of its kind belongs to the present run, if there is one: its worker is in that."""
        run = self._owner.run
        if run is None or not self._owner.is_under_way:
            logger.warning("loadgen: %s", bad_message(self._channel.worker_name(worker), kind, wrong))
            return
        run.misfit(kind, worker, wrong)
        if kind in messages.VITAL:
            self._owner.end_if_alone(run)

    def _worker_failed(self, run: LocustRun, worker: str, data: dict[str, Any]) -> None:
        run.worker_failed(worker, data["message"])
        self._owner.end_if_alone(run)
