"""The page of an audit in a real browser: inert whatever a server said, whole under its policy, legible when narrow."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadgen.show.audit.audit_html import audit_html
from tests.support.audit_records import audit_record, finding_record, traces
from tests.support.browser import Browser
from tests.support.hostile_texts import texts

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("browser")]


def show(browser: Browser, folder: Path, page: str) -> None:
    path = folder / "audit.html"
    path.write_text(page, encoding="utf-8")
    browser.open(path.as_uri())


def test_a_hostile_server_gets_nothing_done(browser: Browser, tmp_path: Path) -> None:
    text = " ".join(texts())
    finding = finding_record("violation", group=text, title=text, announced=text, measured=text, advice=text)
    show(browser, tmp_path, audit_html(audit_record({"x": finding}, server=text, url=f"http://h/{text}")))
    unwanted = "script, link, iframe, svg, form, base, a, button, img:not([src^='data:image/svg+xml;base64,'])"
    script = "return [window.hacked ?? null, document.querySelectorAll(arguments[0]).length, location.protocol]"
    assert browser.driver.execute_script(script, unwanted) == [None, 0, "file:"]
    assert browser.complaints() == []


def test_it_is_whole_and_a_narrow_window_scrolls_in_frames_alone(browser: Browser, tmp_path: Path) -> None:
    browser.resize(500, 800)
    try:
        show(browser, tmp_path, audit_html(audit_record(traces=traces(200))))
        picture = "document.querySelector('figure img')"
        browser.wait(lambda: browser.driver.execute_script(f"return {picture}.complete && {picture}.naturalWidth"))
        assert browser.driver.execute_script(
            "const all = document.documentElement; return all.scrollWidth <= all.clientWidth"
        )
        assert (
            browser.driver.execute_script(
                "return getComputedStyle(document.querySelector('.is-violation')).backgroundColor"
            )
            == "rgb(179, 38, 30)"
        )
        assert browser.complaints() == []
    finally:
        browser.resize(1400, 900)
