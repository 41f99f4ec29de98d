"""What one Locust process has of loadgen: a coordinating side, a load-making side, or both. Imports no Locust."""

from __future__ import annotations

from typing import Any

import gevent

import loadgen.swarm.messages as messages
from loadgen.swarm.class_runner import ScenarioClassRunner
from loadgen.swarm.messaging import MessageChannel
from loadgen.swarm.run_controller import RunController
from loadgen.swarm.worker_agent import WorkerAgent


class LoadgenPlugin:
    """It lies at `environment.loadgen`, where users find it."""

    def __init__(
        self,
        environment: Any,
        runner: Any,
        channel: MessageChannel,
        agent: WorkerAgent | None,
        controller: RunController | None,
    ) -> None:
        self.agent = agent
        """The load-making side; None on a master."""
        self.controller = controller
        """The coordinating side; None on a worker."""
        self._environment = environment
        self._runner = runner
        self._interruptions = 0
        if agent is not None:
            self._listen(channel, agent)

    # What users ask for

    def user_spawned(self, user_class: str) -> None:
        """Locust has started a user."""
        assert self.agent is not None
        self.agent.spawned[user_class] += 1

    def user_gone(self, user_class: str) -> None:
        """A user has ended, in whatever way."""
        assert self.agent is not None
        self.agent.spawned[user_class] -= 1

    def user_started(self, user_class: str) -> None:
        """A user makes load from now on."""
        assert self.agent is not None
        self.agent.users[user_class] += 1

    def user_stopped(self, user_class: str) -> None:
        """A user makes load no longer."""
        assert self.agent is not None
        self.agent.users[user_class] -= 1

    def scenario_runner(self, user_class: type) -> ScenarioClassRunner:
        """Makes the requests of a ReuseUser class. Waits for a run that this worker is about to join.

        Raises RuntimeError where none has begun.
        """
        agent, name = self.agent, user_class.__name__
        if agent is not None and self.controller is None and name not in agent.class_runners:
            agent.await_run()
        runner = None if agent is None else agent.class_runners.get(name)
        if not isinstance(runner, ScenarioClassRunner):
            raise RuntimeError(f"{user_class.__name__} can't run: the connections of this run could not be set up")
        return runner

    # Locust's events

    def add_reports(self, data: dict[str, Any]) -> None:
        """Locust is about to report to its master: add our block reports."""
        if self.agent is not None:
            data[messages.BLOCK_REPORTS] = self.agent.take_reports()

    def stopping(self) -> None:
        """Locust is about to end the test."""
        if self.controller is not None:
            self.controller.stopping()
        if self.agent is not None:
            self.agent.cut_block()

    def close(self) -> None:
        """Locust ends."""
        if self.controller is not None:
            self.controller.close()
        if self.agent is not None:
            self.agent.close_run()

    def interrupted(self) -> None:
        """Ctrl-C. Python's own handler would raise in the middle of whatever the loop does, and lose that exchange.

        The processes of one command all get the signal; the master ends the others once it has their samples, so that
        these ignore the first one.
        """
        self._interruptions += 1
        if self.controller is not None or not self._environment.parsed_options.processes or self._interruptions > 1:
            gevent.get_hub().handle_system_error(KeyboardInterrupt, KeyboardInterrupt())

    # Messages from the coordinating process

    def _listen(self, channel: MessageChannel, agent: WorkerAgent) -> None:
        channel.listen(messages.BEGIN_RUN, lambda _sender, data: agent.begin_run(data))
        channel.listen(messages.RUN_BLOCK, lambda _sender, data: agent.run_block(data))
        channel.listen(messages.CLOCK_QUESTION, lambda _sender, data: agent.tell_time(data))
        channel.listen(messages.START_BLOCK, lambda _sender, data: agent.start_block(data))
        channel.listen(messages.CUT_BLOCK, lambda _sender, _data: agent.cut_block())
        channel.listen(messages.END_RUN, lambda _sender, data: gevent.spawn(self._end_run, agent, data))
        channel.listen(messages.PIECE_RECEIVED, lambda _sender, _data: agent.piece_received())

    def _end_run(self, agent: WorkerAgent, data: dict[str, Any]) -> None:
        """The test is over. A master that is about to quit may not have stopped this worker's users yet."""
        if self.controller is None:
            self._runner.stop()
        agent.end_run(data)
