"""The registry of export formats: what each writes, when it is written, and that a new one is one row."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

import pytest
from markdown_it import MarkdownIt

from loadgen.cli.report import rebuild
from loadgen.measure.data.npz import SAMPLES_FILE
from loadgen.model.characters import visible
from loadgen.model.errors import ErrorKind
from loadgen.model.option import REPORT
from loadgen.model.options import options_of
from loadgen.show.export import EXPORTERS, RunData, Written, export_text, write_report, write_summary
from loadgen.show.export.exporter import Exporter
from tests.support.audit_records import audit_record
from tests.support.hostile_texts import hostile, texts, without_scripts
from tests.support.synthetic import Exchange, Link, RunWriter, full_run, persistent_links, plan_json

Summary = dict[str, Any]


@pytest.fixture
def writer(tmp_path: Path) -> RunWriter:
    return full_run(tmp_path / "run", rounds=1)


def no_charts(summary: Summary) -> RunData:
    """The run as exporters see it, without the time that drawing takes."""
    run = RunData(summary)
    run.__dict__["charts"] = {"phases": {"png": b"PNG", "svg": b"<svg/>"}}
    return run


def csv_of_phases(run: RunData, stream: TextIO) -> None:
    for name, one in run.summary["policies"].items():
        stream.write(f"{name},{one['phases_ns']['wait']['mean']}\n")


def exporter(written: Written) -> Exporter:
    return Exporter("phases", "phases.csv", "phases", "Mean of each phase.", written, csv_of_phases)


def files(writer: RunWriter) -> set[str]:
    return {path.name for path in writer.store.directory.iterdir()}


def test_json_is_the_summary(writer: RunWriter) -> None:
    summary = writer.summary()
    text = export_text(EXPORTERS["json"], RunData(summary))
    assert json.loads(text) == json.loads(json.dumps(summary))
    assert text.endswith("}\n")


def test_markdown_begins_with_the_verdict(writer: RunWriter) -> None:
    summary = writer.summary()
    assert export_text(EXPORTERS["markdown"], RunData(summary)).startswith(f"> {summary['verdict']}\n")


def test_markdown_lists_the_warnings_and_with_them_the_kinds_of_errors(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("persistent", rounds=1))
    failed = [Exchange(outcome=-ErrorKind.RESPONSE_TIMEOUT), Exchange(outcome=-ErrorKind.TRUNCATED)]
    writer.block("persistent", 0, [*persistent_links(0), *(Link([one]) for one in failed)])
    summary = writer.summary()
    lines = export_text(EXPORTERS["markdown"], RunData(summary)).splitlines()
    listed = [line for line in lines if line.startswith("- warning ")]
    assert [line.split()[2] for line in listed] == [f"{one['code']}:" for one in summary["warnings"]]
    (errors,) = [line for line in listed if line.startswith("- warning errors: ")]
    assert "1 response_timeout" in errors
    assert "1 truncated" in errors


def test_an_audit_before_the_load_is_in_the_reports(writer: RunWriter) -> None:
    summary = dict(writer.summary())
    summary["environment"] = {**summary["environment"], "audit": audit_record()}
    counts = "Audit before the load: 1 violation, 1 warning, 1 note, 1 ok, 1 unknown"
    page = export_text(EXPORTERS["html"], no_charts(summary))
    assert "<h2>What the target does with connections</h2>" in page
    assert counts in page
    assert "<td class='text long'>3 of 3 requests answered on one connection" in page
    text = export_text(EXPORTERS["markdown"], RunData(summary))  # type: ignore[arg-type] # of any keys
    assert counts in text
    titles = [line.split(" | ")[0] for line in text[text.index(counts) :].splitlines() if line.startswith("| ")]
    assert titles[2:] == ["| Idle timeout", "| Connection: close is honoured", "| Lingering close"]  # those not just ok


def test_html_holds_the_charts(writer: RunWriter) -> None:
    assert "<img alt='phases'" in export_text(EXPORTERS["html"], no_charts(writer.summary()))


def test_markdown_takes_nothing_for_markup(writer: RunWriter) -> None:
    """As a reader of CommonMark with tables understands it."""
    text = export_text(EXPORTERS["markdown"], RunData(hostile(dict(writer.summary()))))  # type: ignore[arg-type] # texts of any kind
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    ours = {"blockquote", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    assert set(re.findall(r"<([a-z0-9]+)", page)) == ours
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        columns = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(columns) == 1, "a text has made a cell"
    for one in texts():
        assert escape(visible(one), quote=False) in as_shown(page)


def as_shown(page: str) -> str:
    """The page without an escape that is a matter of taste."""
    return page.replace("&quot;", '"')


def test_the_page_s_policy_knows_its_style_and_scripts(writer: RunWriter) -> None:
    page = export_text(EXPORTERS["html"], no_charts(writer.summary()))
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    head = page[: page.index("<title>")]
    assert f"style-src '{source(style)}'" in head
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 3
    assert all(f"'{source(script)}'" in head for script in scripts)
    assert not re.search(r"<script|\sstyle=|\son\w+=", without_scripts(page))


def source(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def test_charts_are_drawn_for_those_that_ask(writer: RunWriter) -> None:
    run = RunData(writer.summary())
    for name in ("json", "markdown"):
        export_text(EXPORTERS[name], run)
    assert "charts" not in run.__dict__


@pytest.mark.parametrize(
    ("written", "with_summary", "with_report"),
    [(Written.ALWAYS, True, False), (Written.UNLESS_NO_CHARTS, False, True)],
)
def test_a_new_format_is_written_when_it_says(
    writer: RunWriter, monkeypatch: pytest.MonkeyPatch, written: Written, with_summary: bool, with_report: bool
) -> None:
    monkeypatch.setitem(EXPORTERS, "phases", exporter(written))
    run = no_charts(writer.summary())
    write_summary(writer.store, run)
    assert ("phases.csv" in files(writer)) is with_summary
    write_report(writer.store, run)
    assert ("phases.csv" in files(writer)) is (with_summary or with_report)


def test_a_new_format_is_one_row(writer: RunWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    """`loadgen report` writes it, as every command does that ends in a report."""
    monkeypatch.setitem(EXPORTERS, "phases", exporter(Written.ALWAYS))
    monkeypatch.setattr("loadgen.cli.report.write_report", lambda *_: None)
    writer.settle()
    writer.store.release()
    options = {option.name: option.default_value() for option in options_of(REPORT)}
    rebuild(writer.store.directory, options | {"quiet": True})
    assert writer.store.path("phases.csv").read_text(encoding="utf-8").startswith("persistent,")


def test_the_command_line_and_pages_find_each_format_by_its_name() -> None:
    assert [name for name, one in EXPORTERS.items() if one.name != name] == []
    assert len({one.file_name for one in EXPORTERS.values()}) == len(EXPORTERS)
    assert all(one.help.endswith(".") and "\n" not in one.help for one in EXPORTERS.values())


def test_the_web_ui_offers_what_each_run_writes() -> None:
    from loadgen.swarm.web_pages import FILES

    written = {one.file_name for one in EXPORTERS.values() if one.written is not Written.ON_REQUEST}
    assert set(FILES) == {SAMPLES_FILE, *written}


def test_an_exporter_writes_to_any_stream(writer: RunWriter) -> None:
    stream = StringIO()
    EXPORTERS["markdown"].write(RunData(writer.summary()), stream)
    assert "| persistent |" in stream.getvalue()
