"""The target of a run: the host that was given, or the embedded target, which is started where none was."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.swarm.host_credentials import split_credentials
from loadgen.swarm.options import changed, check_for_embedded
from loadgen.swarm.user_classes import UserKind, kind_of
from loadgen.target.process import EmbeddedTarget, account


class TargetHost:
    """One for a coordinating process. environment: Locust's; its host becomes the embedded target's."""

    def __init__(self, environment: Any) -> None:
        self._environment = environment
        self._embedded: EmbeddedTarget | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    def url(self, options: Any) -> str | None:
        """The host; where none is given the embedded target, started if need be. Its scheme follows --tls.

        Of scenarios, which send a host's user and password themselves, it is given without these.
        Raises PlanError where it does not start.
        """
        given = self._environment.host or self._host_of_classes()
        if given and not self.is_embedded(given):
            kinds = {kind_of(one) for one in self._environment.user_classes} - {None}
            return split_credentials(given)[0] if kinds == {UserKind.SCENARIO} else given
        if self._embedded is None or (self._embedded.ca_file is not None) != options.tls:
            self.stop()
            self._directory = tempfile.TemporaryDirectory(prefix="loadgen-target-")
            self._embedded = EmbeddedTarget(options.tls, Path(self._directory.name))
        self._environment.host = self._embedded.url
        return self._embedded.url

    def _host_of_classes(self) -> str | None:
        """The host that the user classes name, if they do."""
        hosts = {one.host for one in self._environment.user_classes if one.host}
        if len(hosts) > 1:
            raise PlanError(f"the user classes name different hosts, {' and '.join(sorted(hosts))}; give one with -H")
        return next(iter(hosts), None)

    def trusted(self, options: Any, host: str | None) -> Any:
        """The options, with the embedded target's own authority if that is the host. Raises PlanError."""
        embedded = self._embedded
        if not self.is_embedded(host) or embedded is None:
            return options
        check_for_embedded(options)
        if embedded.ca_file is None:
            return options
        return options if options.insecure else changed(options, cacert=str(embedded.ca_file))

    def monitored(self, plan: Plan) -> Plan:
        """The plan, with the embedded target's process to be monitored."""
        if self._embedded is None or not self.is_embedded(self._environment.host):
            return plan
        return replace(plan, server_pid=self._embedded.pid)

    def account(self, plan: Plan) -> dict[str, Any] | None:
        """What the embedded target counted; None where it is not the target."""
        return account(plan.target, plan.cacert) if self.is_embedded(self._environment.host) else None

    def stop(self) -> None:
        """End the embedded target."""
        if self._embedded is not None:
            self._embedded.stop()
            self._embedded = None
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None

    def is_embedded(self, host: str | None) -> bool:
        """The host is that of the embedded target, which runs."""
        return self._embedded is not None and host == self._embedded.url
