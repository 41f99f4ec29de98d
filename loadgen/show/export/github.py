"""The summary of a step of GitHub Actions, as Markdown, and annotations: failed gates are errors, warnings warnings.

Workflow commands: docs.github.com, "Workflow commands for GitHub Actions". The runner reads them on standard error too.
"""

from __future__ import annotations

from typing import TextIO

from loadgen.model.characters import visible
from loadgen.show.export.exporter import Exporter, RunData, Written
from loadgen.show.export.markdown import escape, render
from loadgen.show.formatting import target_text


def _write(run: RunData, stream: TextIO) -> None:
    plan = run.summary["plan"]
    title = escape(f"{plan['method']} {target_text(plan)}")
    stream.write(f"### loadgen: {title}\n\n{render(run.summary, run.diff)}\n")


def workflow_commands(run: RunData) -> str:
    """A workflow command for each gate that failed and each warning; a text in it ends no line."""
    failed = [one for one in run.summary.get("gates", ()) if not one["passed"]]
    lines = [_command("error", "gate failed", f"{one['expression']}: {one['message']}") for one in failed]
    lines += [_command("warning", one["code"], one["message"]) for one in run.summary["warnings"]]
    return "".join(lines)


def _command(kind: str, title: str, message: str) -> str:
    return f"::{kind} title=loadgen {_data(title).replace(':', '%3A').replace(',', '%2C')}::{_data(message)}\n"


def _data(text: str) -> str:
    return visible(text).replace("%", "%25")  # line ends are visible already


GITHUB = Exporter(
    name="github",
    file_name="step_summary.md",
    title="summary of a step of GitHub Actions",
    help="Summary and annotations of a step of GitHub Actions.",
    written=Written.ON_REQUEST,
    write=_write,
    appends_to="GITHUB_STEP_SUMMARY",
    remarks=workflow_commands,
)
