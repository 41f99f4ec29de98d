"""Completion for shells: the script that a shell reads, and what it offers for a value. Prints nothing itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from loadgen.cli import COMPLETE_VARIABLE, completion_scripts
from loadgen.model.file_value_types import FileName, FilePath
from loadgen.model.plan_value_types import Policies
from loadgen.model.policy import PARTS
from loadgen.model.value_types import Choice, ValueType

_RUNS = frozenset({"run", "resume", "plan", "old", "new", "baseline"})
"""Parameters that are the folder of a run."""
_RUN_FILES = ("run.json", "summary.json")
_RESULTS = Path("results")
_LAST_PART = re.compile(r"[^,+]*$")


def script(command: click.Command, shell: str) -> str:
    """What the shell has to read so that it completes `loadgen`."""
    completion_scripts.use()
    found = get_completion_class(shell)
    assert found is not None, shell
    return found(command, {}, "loadgen", COMPLETE_VARIABLE).source()


def completions(value_type: ValueType, name: str | None, incomplete: str) -> list[CompletionItem]:
    """What may stand in place of `incomplete`, the beginning of the value of the parameter `name`."""
    if isinstance(value_type, Policies):
        return [CompletionItem(text, help=meaning) for text, meaning in _policies(incomplete)]
    if isinstance(value_type, Choice):
        return [CompletionItem(word) for word in value_type.words if word.startswith(incomplete)]
    if name == "export":
        from loadgen.show.export import EXPORTERS  # takes long

        return [CompletionItem(word) for word in EXPORTERS if word.startswith(incomplete)]
    if name in _RUNS and (runs := [CompletionItem(run) for run in _run_folders(incomplete)]):
        return runs
    return [CompletionItem(incomplete, type="file")] if isinstance(value_type, FileName | FilePath) else []


def _policies(incomplete: str) -> Iterator[tuple[str, str]]:
    """The last part of a list of policies, completed; each with its meaning."""
    found = _LAST_PART.search(incomplete)
    begun = found[0] if found else ""
    for word, part in PARTS.items():
        if word.startswith(begun):
            colon = ":" if part.parameter and not part.omitted else ""  # more has to follow
            yield f"{incomplete.removesuffix(begun)}{word}{colon}", part.meaning


def _run_folders(incomplete: str) -> Iterator[str]:
    """Runs of the folder that is being written; where nothing is written, those in results/."""
    written = Path(incomplete)
    folder = written if incomplete.endswith("/") else written.parent
    for parent in [folder] if incomplete and folder != Path() else [folder, _RESULTS]:
        if not parent.is_dir():
            continue
        for one in sorted(parent.iterdir()):
            text = str(one)
            if text.startswith(incomplete) and any((one / name).is_file() for name in _RUN_FILES):
                yield text
