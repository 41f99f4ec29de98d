"""The table of findings on a page: by group, each verdict with its look, and no text that is markup."""

from __future__ import annotations

from html.parser import HTMLParser

from loadgen.show.export.findings_html import findings_html
from tests.support.audit_records import audit_record, finding_record
from tests.support.hostile_texts import texts


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)


def test_findings_stand_by_group_and_verdict() -> None:
    page = findings_html(audit_record())
    assert page.count("<th class=group colspan=6>") == 3
    for verdict in ("ok", "note", "warning", "violation", "unknown"):
        assert f"<td class='text is-{verdict}'>{verdict}" in page


def test_no_text_of_a_server_is_markup() -> None:
    text = " ".join(texts())
    found = finding_record("ok", group=text, title=text, measured=text, advice=text)
    found["verdict"] = text  # type: ignore[typeddict-item] # of a file that was edited
    tags = _Tags()
    tags.feed(findings_html(audit_record({"x": found}, server=text)))
    assert tags.seen == {"div", "table", "tr", "th", "td"}
