"""`report.html` in a real browser: it is inert whatever a target or a user sent, and complete under its own policy."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from loadgen.show.charts import draw
from loadgen.show.export import EXPORTERS, RunData, export_text
from loadgen.show.export.html import render
from tests.support.browser import Browser
from tests.support.hostile_texts import hostile, texts
from tests.support.synthetic import full_run, sweep_plan, sweep_run

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="session")
def summary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return dict(full_run(tmp_path_factory.mktemp("report") / "run").summary())


@pytest.fixture(scope="session")
def page(summary: Any) -> str:
    """The report of an ordinary run."""
    return export_text(EXPORTERS["html"], RunData(summary))


@pytest.fixture
def leaks() -> Iterator[tuple[int, list[str]]]:
    """A server that a page in a browser could tell something: its port, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], asked
        server.shutdown()


def show(browser: Browser, folder: Path, page: str) -> None:
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    browser.open(path.as_uri())


def test_a_hostile_target_gets_nothing_done(
    browser: Browser, tmp_path: Path, summary: dict[str, Any], leaks: tuple[int, list[str]]
) -> None:
    port, asked = leaks
    show(browser, tmp_path, export_text(EXPORTERS["html"], RunData(hostile(summary, port))))  # type: ignore[arg-type] # texts of any kind
    script = "return [window.hacked ?? null, document.querySelectorAll(arguments[0]).length, location.protocol]"
    unwanted = (
        "script[src], link, iframe, svg:not(.waterfall svg, .drawn svg), form, base, a, "
        "button:not(th > button, .window > button), "
        "body b:not(.warning > b), "
        "img:not([src^='data:image/svg+xml;base64,'])"
    )
    assert browser.driver.execute_script(script, unwanted) == [None, 0, "file:"]
    assert "hacked" not in browser.driver.title.partition("<script>")[0]
    assert browser.complaints() == []  # the policy forbade nothing, because there was nothing to forbid
    assert asked == []
    # All of it is there to be read, as text.
    body = browser.driver.execute_script("return document.body.textContent")
    for one in texts(port)[:-2]:
        assert one in body
    assert "\\x1b]0;owned\\x07" in body


def test_the_report_is_whole_under_its_own_policy(browser: Browser, tmp_path: Path, page: str) -> None:
    show(browser, tmp_path, page)
    assert browser.complaints() == []
    colour = browser.driver.execute_script(
        "return getComputedStyle(document.querySelector('.verdict')).borderLeftColor"
    )
    assert colour == "rgb(0, 114, 178)"
    assert len(browser.all(".drawn svg")) >= 5
    assert not browser.all("figure img")


def test_charts_that_the_page_does_not_draw_are_pictures(browser: Browser, tmp_path: Path) -> None:
    summary = sweep_run(tmp_path / "run", sweep_plan(recycle=("1", "inf"), users=(1, 10))).summary()
    picture = draw("phases", summary)["svg"]  # type: ignore[arg-type] # of any keys
    show(browser, tmp_path, render(summary, {"of_another_version": picture}))  # type: ignore[arg-type] # of any keys
    pictures = "[...document.querySelectorAll('figure img')]"
    # A picture is complete once it is drawn or has failed.
    browser.wait(lambda: browser.driver.execute_script(f"return {pictures}.every(one => one.complete)"))
    widths = browser.driver.execute_script(f"return {pictures}.map(one => one.naturalWidth)")
    assert widths
    assert min(widths) > 100
    assert browser.complaints() == []


@pytest.mark.parametrize(
    "attack",
    [
        "<script>window.hacked=1</script>",
        "<img src='{leak}' onerror='window.hacked=1'>",
        "<style>body{{background:url({leak})}}</style>",
        "<iframe src='{leak}'></iframe>",
        "<link rel=stylesheet href='{leak}'>",
        "<a id=x href='javascript:window.hacked=1'>x</a>",
        "<form id=y action='{leak}'><input></form>",
    ],
)
def test_the_policy_holds_where_escaping_fails(
    browser: Browser, tmp_path: Path, page: str, leaks: tuple[int, list[str]], attack: str
) -> None:
    port, asked = leaks
    end = "<h2>Environment"
    show(browser, tmp_path, page.replace(end, attack.format(leak=f"http://127.0.0.1:{port}/") + end))
    browser.driver.execute_script("document.querySelector('#x')?.click(); document.querySelector('#y')?.submit()")
    browser.wait(browser.complaints)
    assert browser.driver.execute_script("return window.hacked ?? null") is None
    assert asked == []
