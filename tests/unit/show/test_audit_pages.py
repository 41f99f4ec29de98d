"""An audit as Markdown, as a page and as a picture."""

from __future__ import annotations

from html import escape

import pytest

from loadgen.model.audit import AuditRecord
from loadgen.show.audit.audit_html import audit_html
from loadgen.show.audit.audit_markdown import audit_markdown
from loadgen.show.audit.timeline import chosen_traces, draw_timeline, lanes_of
from loadgen.show.export.page import POLICY
from loadgen.show.tables.findings import audit_facts, verdict_counts, what_to_do
from tests.support.audit_records import audit_record, finding_record, one_of_each, traces
from tests.support.hostile_texts import texts


def hostile_audit() -> AuditRecord:
    text = " ".join(texts())
    finding = finding_record("warning", announced=text, measured=text, advice=text, title=text)
    return audit_record({"x": finding}, server=text, url=f"http://h/{text}", skipped={"y": text})


def test_counts_begin_with_the_worst() -> None:
    assert verdict_counts(audit_record()) == "1 violation, 1 warning, 1 note, 1 ok, 1 unknown"
    two = {"a": finding_record("warning"), "b": finding_record("warning")}
    assert verdict_counts(audit_record(two)) == "2 warnings"


def test_advice_names_the_setting_of_the_server_that_answers() -> None:
    finding = finding_record("warning", advice="make it longer")
    assert what_to_do(finding, "nginx/1.22.1") == "make it longer; nginx: keepalive_timeout (75s)"
    assert what_to_do(finding, None).startswith("make it longer; nginx: keepalive_timeout; Apache: ")
    assert what_to_do(finding_record(), "gunicorn") == "gunicorn: --keep-alive (2s)"
    assert what_to_do(finding_record(), "mine") == ""


def test_what_was_looked_at_and_how_it_ended() -> None:
    facts = audit_facts(audit_record(proxy="http://p:3128", origin="http://o/", end="out_of_time", server=None))
    assert "no Server field · through the proxy http://p:3128 · origin http://o/ · 5 checks, 20 requests" in facts
    assert "its time was over before all was known" in facts


def test_markdown_is_one_table_and_a_list() -> None:
    text = audit_markdown(audit_record())
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + len(one_of_each())
    assert {row.count("|") for row in rows} == {6}
    assert "| **violation** |" in text
    assert "- Connection: close is honoured: close the connection after the response" in text
    assert "Not asked: chain" in text


def test_a_hostile_server_makes_no_markup() -> None:
    markdown, page = audit_markdown(hostile_audit()), audit_html(hostile_audit())
    assert "<script" not in markdown
    assert not any(one.startswith("# head") for one in markdown.splitlines())
    for text in texts():
        assert text not in page
    assert escape("<script>window.hacked=1;document.title='hacked';alert(1)</script>") in page
    assert page.index(f'content="{POLICY}"') < page.index("hacked")


def test_the_page_says_the_worst_first_and_has_a_picture() -> None:
    page = audit_html(audit_record())
    assert page.index("violation: <b>Connection: close is honoured") < page.index("warning: <b>Idle timeout")
    assert page.count("<img ") == 1
    assert "<td class='text is-violation'>violation" in page
    assert "<img" not in audit_html(audit_record(traces=[]))


@pytest.mark.parametrize("others", [1, 40])
def test_of_very_many_connections_each_check_keeps_some(others: int) -> None:
    many = [*traces(200), *(trace for number in range(others) for trace in traces(3, f"p{number}"))]
    chosen = chosen_traces(many, max_lanes=110)
    assert sum(map(len, chosen.values())) <= 110
    assert all(len(one) >= 2 for one in chosen.values())
    assert [lane.trace for lane in lanes_of(chosen)["idle_timeout"]] == chosen["idle_timeout"]
    places = [lane.y for group in lanes_of(chosen).values() for lane in group]
    assert places == sorted(set(places))


def test_the_picture_has_its_legend_and_names() -> None:
    svg = draw_timeline(audit_record(traces=traces(150)))
    assert svg == draw_timeline(audit_record(traces=traces(150)))
    for text in ("Idle timeout (110 of 150)", "closed by the server (FIN)", "reset by the server (RST)", "opened"):
        assert (text.encode() in svg) == (text != "opened")
