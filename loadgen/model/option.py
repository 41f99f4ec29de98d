"""One option of loadgen: its flag, its type, who has it and what it sets. Knows none of the options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from loadgen.model.exceptions import PlanError
from loadgen.model.value_types import ListOf, ValueType

COMPARE, SWEEP, REPORT, PROBE, DIFF, HISTORY = "compare", "sweep", "report", "probe", "diff", "history"
_RUNS = (COMPARE, SWEEP)
LOCUSTS_OWN = "Locust has an option of this name"
"""Why Locust does not have ours."""
TO_TARGET = (*_RUNS, PROBE)
"""The commands that send requests to a target."""


class OptionGroup(Enum):
    """What an option is about, as the help's headings say it and in their order."""

    TARGET = "Target"
    TLS = "TLS"
    LOAD = "Load"
    CONNECTIONS = "Connections"
    STATISTICS = "Statistics"
    OUTPUT = "Output"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocustArgument:
    """What Locust's command line makes different."""

    help: str = ""
    """Empty: as on our own command line."""
    default: Any = None
    """None: as on our own command line."""
    in_form: bool = True
    """The start form of the web UI offers it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One row."""

    name: str
    """With dashes: the flag, and the key in a plan file."""
    type: ValueType
    help: str = ""
    group: OptionGroup = OptionGroup.OUTPUT
    default: Any = None
    """The plan's value where nothing is said, or a text that `type` reads."""
    is_implicit: bool = False
    """The command line has no default of its own, so that a value there was given by the user."""
    metavar: str | None = None
    short: str = ""
    """A one-letter flag."""
    positional: bool = False
    is_many: bool = False
    """A positional one that may be given several times."""
    commands: tuple[str, ...] = _RUNS
    differs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Command -> fields of this row that it has otherwise."""
    is_axis: bool = False
    """`sweep` varies it: there it takes several values, which are an axis of the grid."""
    locust: LocustArgument | None = None
    """None: Locust does not have it."""
    not_in_locust: str = ""
    """Why a run in Locust does not have it, and what to write there in its place."""
    plan_field: str = ""
    """Where the plan has it, like `load.users`; empty where it is no part of a plan."""
    recorded: str = ""
    """Its key in the plan of a recorded run; empty: the field's own name."""
    is_needed: bool = False
    """Every recorded plan has it; the others were added later."""
    needs: str = ""
    """Another option without which it means nothing."""
    needed_for: str = ""
    """What the options are for that need this one."""
    url_only: str = ""
    """Why it can't be given for the embedded target."""
    in_plan_file: bool = True
    plural: str = ""
    """Another key for it in plan files, which is used when one is written."""
    renamed: str = ""
    """A former name, which is refused with a line that names the new one."""

    @property
    def key(self) -> str:
        """Its key in a plan file; after `--`, its flag."""
        return self.name.replace("_", "-")

    @property
    def recorded_key(self) -> str:
        return self.recorded or self.plan_field.rpartition(".")[2]

    def default_value(self) -> Any:
        """The option's own value where nothing is said; None where that is known to be nothing."""
        if self.is_implicit:
            return None
        return self.type.read(self.default) if isinstance(self.default, str) else self.default

    def check_range(self, value: Any) -> None:
        """Raise PlanError, with one line that names the option, where a number is outside its range."""
        complaint = self.type.complaint(value)
        if complaint:
            raise PlanError(f"--{self.key} {complaint}")

    def plan_default(self) -> Any:
        """What the plan has where nothing is said."""
        text = self.default
        return self.type.make(self.type.read(text)) if isinstance(text, str) else text

    def of(self, command: str) -> Option:
        """The row as this command has it."""
        own = self.differs.get(command, {})
        if command == SWEEP and self.is_axis:
            own = {"type": ListOf(self.type), **own}
        return replace(self, **own) if own else self
