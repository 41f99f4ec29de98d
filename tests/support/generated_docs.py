"""The documents that are made from tables of the code; `python -m tests.support.generated_docs` writes them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from loadgen.measure.labels import ENDING_WORDS
from loadgen.model import errors, server_settings, warning_row
from loadgen.model.records import Ending
from loadgen.model.warning_codes import WarningCode
from loadgen.probe.probe import Probe
from loadgen.probe.registry import GROUPS
from tests.support.summary_schema import (
    AUDIT_SCHEMA_FILE,
    DIFF_SCHEMA_FILE,
    HISTORY_SCHEMA_FILE,
    SCHEMA_FILE,
    audit_schema_text,
    diff_schema_text,
    history_schema_text,
    schema_text,
)

DOCS = SCHEMA_FILE.parent
_NOTE = "<!-- Made by `make docs` from {}; do not edit. -->"


def errors_page() -> str:
    """docs/errors.md."""
    endings = "".join(f"| `{one.label}` | {one.closed_by.name.lower()} | {ENDING_WORDS[one]} |\n" for one in Ending)
    return (
        "# Errors\n\n"
        f"{_NOTE.format('loadgen/model/errors.py')}\n\n"
        "A request that gives no complete response is counted under one of these kinds, in `errors` of each policy in\n"
        "`summary.json`, in the report, and by number in `samples.npz`. A response with a status of 400 or above is a\n"
        "complete response, and no error here. With `--proxy` the kinds of the layers dns, tcp and proxy are about\n"
        "the way to the proxy.\n\n"
        f"{errors.markdown_table()}\n"
        "## How connections end\n\n"
        "`endings` in `summary.json` counts how each connection of a policy came to its end, as the client saw it.\n\n"
        "| ending | closed by | what happened |\n|---|---|---|\n"
        f"{endings}"
    )


def warnings_page() -> str:
    """docs/warnings.md."""
    return (
        "# Warnings\n\n"
        f"{_NOTE.format('loadgen/model/warning_codes.py')}\n\n"
        "What must be known before the numbers of a run are believed. Each warning has a code, and a message with the\n"
        "run's own figures: in the shell, in the report, and as `warnings[{code, message}]` in `summary.json`.\n\n"
        f"{warning_row.markdown_table(WarningCode)}"
    )


def settings_page() -> str:
    """docs/settings.md."""
    return (
        "# Settings of servers\n\n"
        f"{_NOTE.format('loadgen/model/server_settings.py')}\n\n"
        "What servers, proxies and balancers call the settings that a check of [`loadgen probe`](probe.md) is about,\n"
        "with their defaults. Each name leads to the documentation that says so. What a server can't be told has no\n"
        "row.\n\n"
        f"{server_settings.markdown_table()}"
    )


def probes_page() -> str:
    """docs/probes.md."""
    groups = "\n".join(
        f"## {group.title}\n\nAll of them: `--only {group.name}`.\n\n" + "\n".join(map(_probe_text, group.probes))
        for group in GROUPS
        if group.probes
    )
    return (
        "# What the connection doctor asks\n\n"
        f"{_NOTE.format('the probes in loadgen/probe/')}\n\n"
        "Each check of [`loadgen probe`](probe.md), in the order of the table: what it asks, how, where the rule\n"
        "stands, and the `values` that its finding may have in `--json`. Times end in `_ns`; what is not known is\n"
        "absent.\n\n"
        f"{groups}"
    )


def _probe_text(probe: Probe) -> str:
    rule = f" Rule: {probe.section}." if probe.section else ""
    values = "".join(f"| `{key}` | {meaning} |\n" for key, meaning in probe.values.items())
    table = f"\n| value | what it is |\n| --- | --- |\n{values}" if values else ""
    return f"### `{probe.name}`\n\n{probe.title}. {probe.question} {probe.method}{rule}\n{table}"


PAGES: dict[Path, Callable[[], str]] = {
    DOCS / "errors.md": errors_page,
    DOCS / "warnings.md": warnings_page,
    DOCS / "probes.md": probes_page,
    DOCS / "settings.md": settings_page,
    SCHEMA_FILE: schema_text,
    AUDIT_SCHEMA_FILE: audit_schema_text,
    DIFF_SCHEMA_FILE: diff_schema_text,
    HISTORY_SCHEMA_FILE: history_schema_text,
}

if __name__ == "__main__":
    for path, make in PAGES.items():
        path.write_text(make(), encoding="utf-8")
        sys.stdout.write(f"{path}\n")
