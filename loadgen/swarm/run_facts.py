"""What is known of a run while it goes on, for `run.json`: environment, target, warnings. Writes no file."""

from __future__ import annotations

import logging
from typing import Any

from loadgen.measure.data.environment import environment
from loadgen.model.characters import visible
from loadgen.model.redaction import redact_url

_MAX_MESSAGE = 2000
_MAX_NOTES = 1000

logger = logging.getLogger(__name__)


class RunFacts:
    """Of one run with this name. What workers say is cut to a bounded length, and has no secret of a URL."""

    def __init__(self, name: str) -> None:
        self.values: dict[str, Any] = {"name": name, "environment": environment(), "notes": []}
        """As `run.json` holds them."""

    def note(self, code: str, message: str, *, replaces: bool = False) -> None:
        """A warning for the report; the same one again is ignored. replaces: the last one with this code goes."""
        warning = {"code": str(code), "message": redact_url(visible(message[:_MAX_MESSAGE]))}
        notes = self.values["notes"]
        if warning not in notes and len(notes) < _MAX_NOTES:
            self.values["notes"] = [*(one for one in notes if not replaces or one["code"] != code), warning]
            logger.warning("loadgen: %s", warning["message"])

    def withdraw(self, code: str) -> None:
        """Leave out the warnings with this code."""
        self.values["notes"] = [one for one in self.values["notes"] if one["code"] != code]

    def take(self, notice: dict[str, Any]) -> None:
        """What a worker observed of the target or of another origin, or warns of. The first observation counts."""
        environment = self.values["environment"]
        if "warning" in notice:
            self.note(**notice["warning"])
        elif "origin" in notice:
            environment.setdefault("origins", {}).setdefault(notice["origin"], notice["observed"])
        elif "observed" in notice:
            environment.setdefault("target", notice["observed"])
