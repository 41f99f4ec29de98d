"""Locust's web UI with our tab, page and downloads in it, in a real browser, over figures that the test has written."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadgen.model.units import format_duration
from loadgen.show.formatting import estimate
from loadgen.swarm.live_page import shown_charts, shown_figures
from tests.support.browser import PHASES, POLICIES, SECTION, TAB, VERDICT, Browser, WebUI, locust_web_ui
from tests.support.drawn_charts import figure, hover, said
from tests.support.summaries import balance_summary
from tests.support.synthetic import full_run

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("browser")]

LOCUSTFILE = Path(__file__).parents[1] / "support" / "fake_locustfile.py"
NO_PHASES = dict.fromkeys(("queue", "dns", "connect", "tunnel", "tls", "upgrade", "send", "wait", "receive"))
RUNNING = {
    "state": "running", "run": "r1", "directory": "results/r1", "url": "http://127.0.0.1:8080/", "round": 2,
    "blocks": 3, "users": 50, "message": "", "verdict": "close costs 0.95 ms more [0.86, 1.07] than persistent",
    "warnings": [], "charts_version": 1, "plots_version": 1,
    "verdict_lines": ["close costs 0.95 ms more [0.86, 1.07] than persistent"], "gates": {"rows": []},
    "balance": {"rows": []},
    "exports": [
        {"name": "html", "title": "report", "opens": True}, {"name": "json", "title": "summary", "opens": False},
    ],
    "cards": [
        {"title": "persistent", "amount": "0.10 ms", "bounds": "", "kind": ""},
        {"title": "close", "amount": "+0.95 ms", "bounds": "[+0.86, +1.07]", "kind": "is-cost"},
    ],
    "policies": [
        {
            "name": "persistent", "requests": 1234567, "throughput_rps": 41152.2, "mean_ns": 104_400, "mean_ci95": None,
            "p50_ns": 101_204, "p50_ci95": [99_800, 103_000], "p99_ns": 169_900, "p99_ci95": [165_000, 1_751_234],
            "phases_ns": {**NO_PHASES, "send": 22_000, "wait": 77_000.5, "receive": 640}, "opened": 51, "ideal": 50,
            "reuse_ratio": 0.99996, "errors": {},
        },
        {
            "name": "close", "requests": 1745, "throughput_rps": 872.5, "mean_ns": 1_060_000,
            "mean_ci95": [980_000, 1_140_000], "p50_ns": 1_050_000, "p50_ci95": None, "p99_ns": 2_000_000_000,
            "p99_ci95": None,
            "phases_ns": {**NO_PHASES, "dns": 1_500, "connect": 99_960, "tls": 784_000, "wait": 136_000},
            "opened": 2170, "ideal": 50, "reuse_ratio": 0.0,
            "errors": {"response_timeout": 3, "connect_refused": 12345, "truncated": 0},
        },
    ],
}  # fmt: skip
POLICY_ROWS = [
    [
        "persistent", "1,234,567", "41,152", "104 µs", "101 µs [100, 103]", "0.17 ms [0.17, 1.75]",
        "opened 51 (ideal 50)", "99.9%", "0",
    ],
    [
        "close", "1,745", "872", "1.06 ms [0.98, 1.14]", "1.05 ms", "2.00 s", "opened 2,170 (ideal 50)", "0.0%",
        "12,345 connect refused, 3 response timeout",
    ],
]  # fmt: skip
PHASE_ROWS = [
    ["persistent", "–", "–", "–", "22.0 µs", "77.0 µs", "640 ns"],
    ["close", "1.50 µs", "100 µs", "784 µs", "–", "136 µs", "–"],
]  # a phase that no request had has no column
IDLE = {
    **RUNNING, "state": "idle", "run": None, "directory": None, "url": None, "round": 0, "blocks": 0, "users": 0,
    "verdict": "", "charts_version": 0, "policies": [],
}  # fmt: skip
HOSTILE = '"><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>\'&lt;'


class Shown:
    """The folder that the fake view shows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def reset(self) -> None:
        """As it is at the beginning of each test."""
        for name in ("charts", "files"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir(parents=True)
        self.plot({})
        self.write()

    def plot(self, data: dict[str, Any]) -> None:
        """What charts are drawn from, from the next version on."""
        (self.folder / "plots.json").write_text(json.dumps(data), encoding="utf-8")

    def write(self, **changes: Any) -> None:
        """The figures from now on: those of RUNNING, but for these; a verdict is one line."""
        if "verdict" in changes:
            changes["verdict_lines"] = [changes["verdict"]]
        new = self.folder / "new"
        new.write_text(json.dumps({**RUNNING, **changes}), encoding="utf-8")
        new.replace(self.folder / "live.json")

    def draw(self, name: str, width: int) -> None:
        picture = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="10"/>'
        (self.folder / "charts" / name).write_text(picture, encoding="utf-8")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("view")


@pytest.fixture
def shown(folder: Path) -> Shown:
    shown = Shown(folder)
    shown.reset()
    return shown


@pytest.fixture(scope="session")
def shared_ui(folder: Path) -> Iterator[WebUI]:
    """Locust's web UI over the figures of `shown`, one for most tests."""
    Shown(folder).reset()
    with locust_web_ui(LOCUSTFILE, LOADGEN_TEST_VIEW=str(folder)) as ui:
        yield ui


@pytest.fixture
def ui(shared_ui: WebUI, shown: Shown) -> Iterator[WebUI]:
    """Without a run."""
    yield shared_ui
    shared_ui.post("stop")


@pytest.fixture
def running(ui: WebUI) -> WebUI:
    """A web UI in whose Locust a run is going on."""
    ui.post("swarm", "user_count=1&spawn_rate=1")
    return ui


def test_the_tab_shows_the_run_and_follows_it(browser: Browser, running: WebUI, shown: Shown) -> None:
    shown.write(warnings=[{"code": "generator_late", "message": "1.2% of events were late"}])
    browser.open(running.url)
    browser.click("[role=tab]", "Connection reuse")
    browser.wait(lambda: browser.table(POLICIES) == POLICY_ROWS)
    assert browser.table(PHASES) == PHASE_ROWS
    assert browser.text(VERDICT) == RUNNING["verdict"]
    assert browser.text(".card").split("\n") == ["persistent", "0.10 ms", "close", "+0.95 ms", "[+0.86, +1.07]"]
    assert browser.text(".loadgen-warning") == "generator_late: 1.2% of events were late"
    assert (
        browser.text(".loadgen-facts")
        == "running · round 2 · 3 blocks · 50 users · http://127.0.0.1:8080/ · results/r1"
    )
    assert not browser.all(".loadgen-failure")

    gates = {"headings": ["fails if", "gate", "what was found"], "rows": [["errors > 1%", "FAILED", "close: 2%"]]}
    gates["note"] = "1 of 1 gate failed"
    shown.write(policies=RUNNING["policies"][:1], verdict="persistent alone", blocks=1, gates=gates)
    browser.wait(lambda: browser.table(POLICIES) == POLICY_ROWS[:1])
    assert browser.text(VERDICT) == "persistent alone"
    assert browser.table("Gates") == gates["rows"]
    assert "1 of 1 gate failed" in browser.text(SECTION)
    assert "· 1 block ·" in browser.text(".loadgen-facts")
    assert not browser.all(".loadgen-warning")
    assert browser.complaints() == []


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return full_run(tmp_path_factory.mktemp("plots") / "run", "persistent,close,recycle:10", 6).summary()


CHARTS = {
    "differences", "round_p50", "round_p99", "round_rps", "round_reuse", "round_handshake", "extra_time", "percentiles",
    "phases", "endings", "balance",
}  # fmt: skip
AXIS_COLOUR = "return getComputedStyle(document.querySelector('.drawn svg text')).color"


def test_the_tab_draws_what_the_summary_says_as_it_grows(
    browser: Browser, running: WebUI, shown: Shown, summary: Any
) -> None:
    balanced = {**summary, "policies": {**summary["policies"]}}
    balanced["policies"]["close"] = summary["policies"]["close"] | {"balance": balance_summary([[9, 1], [7, 3]])}
    shown.plot(shown_charts({**balanced, "blocks": summary["blocks"][:12]}))
    shown.write(balance=shown_figures(balanced)["balance"])
    browser.open(running.url + TAB)
    for name in CHARTS:
        browser.wait(lambda name=name: browser.all(f"{figure(name)} .drawn svg"))
    assert said(browser, f"{figure('balance')} .keys li").split("\n") == ["b0: 80%", "b1: 20%"]
    assert browser.table("Where connections and requests went")[-1] == [
        "close", "backend b1", "–", "8", "20.0%", "–", "0.74",
    ]  # fmt: skip
    hover(browser, f"{figure('round_p99')} svg", 0.45, 0.0)
    tip = f"{figure('round_p99')} g[aria-label=tip] text"
    said_of_one = browser.wait(lambda: said(browser, tip))
    # The library begins each line with a space of no width.
    policy, number, value = re.findall("\u200b(.+)\u200bround (\\d+): (.+)", said_of_one)[0]
    (block,) = [one for one in summary["blocks"] if (one["policy"], one["round"] + 1) == (policy, int(number))]
    assert value == format_duration(block["latency_p99_ns"])

    hover(browser, ".loadgen-picker", 0.0, 0.0)  # no chart is under the pointer, so all are drawn anew
    shown.plot(shown_charts(summary))
    shown.write(plots_version=2)
    last = max(one["round"] for one in summary["blocks"]) + 1
    for name in ("round_rps", "differences"):
        browser.wait(lambda name=name: f"{last}" in said(browser, f"{figure(name)} g[aria-label^='x-axis tick'] text"))
    dots = f"{figure('round_rps')} g[aria-label=dot] circle"
    assert browser.driver.execute_script(f'return document.querySelectorAll("{dots}").length') == 18
    browser.click(".loadgen-picker label", "close")
    assert browser.driver.execute_script(f'return document.querySelectorAll("{dots}").length') == 12
    assert "recycle:10" in said(browser, f"{figure('endings')} svg text")
    assert "close" not in said(browser, f"{figure('endings')} svg text")
    assert browser.complaints() == []


def test_the_tab_is_as_dark_as_locust_at_once_and_fits_a_phone(
    browser: Browser, running: WebUI, shown: Shown, summary: Any
) -> None:
    shown.plot(shown_charts(summary))
    browser.open(running.url + TAB)
    browser.driver.execute_script("localStorage.theme = 'light'")
    browser.open(running.url + TAB)
    browser.wait(lambda: browser.all(".drawn svg"))
    theme = "return document.querySelector('#loadgen-tab').dataset.theme"
    assert browser.driver.execute_script(theme) == "light"
    before = browser.driver.execute_script(AXIS_COLOUR)
    browser.all("header button")[-1].click()
    browser.wait(lambda: browser.driver.execute_script(theme) == "dark")
    assert browser.driver.execute_script(AXIS_COLOUR) != before
    assert browser.driver.execute_script("return getComputedStyle(document.querySelector('.is-cost .big')).color") == (
        "rgb(255, 154, 87)"
    )
    browser.driver.execute_script("localStorage.clear()")

    phone = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        width = "return document.querySelector('.drawn svg').width.baseVal.value"
        browser.wait(lambda: browser.driver.execute_script(width) < 360)
        assert browser.driver.execute_script("return document.documentElement.scrollWidth") == 360
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert browser.complaints() == []


def test_before_the_first_figures_the_tab_says_what_it_waits_for(
    browser: Browser, running: WebUI, shown: Shown
) -> None:
    nothing = {
        "mean_ns": None,
        "p50_ns": None,
        "p99_ns": None,
        "requests": 0,
        "throughput_rps": 0.0,
        "phases_ns": NO_PHASES,
    }
    shown.write(verdict="", policies=[{**RUNNING["policies"][0], **nothing}])
    browser.open(running.url + TAB)
    row = ["persistent", "0", "0", "–", "–", "–", "opened 51 (ideal 50)", "–", "0"]
    browser.wait(lambda: browser.table(POLICIES) == [row])
    assert browser.table(PHASES) == []
    assert browser.text(VERDICT) == "No verdict yet: it takes a finished round."
    shown.write(**IDLE)
    browser.wait(lambda: browser.table(POLICIES) == [])
    assert browser.text(VERDICT).startswith("No run yet")
    assert browser.text(".loadgen-facts") == "idle"
    assert not browser.all(f"{SECTION} table")


def test_a_failed_run_says_what_went_wrong(browser: Browser, running: WebUI, shown: Shown) -> None:
    shown.write(state="failed", message="the disk is full: free some of it and run again")
    browser.open(running.url + TAB)
    browser.wait_text(".loadgen-failure", "the disk is full: free some of it and run again")
    browser.wait(lambda: browser.table(POLICIES) == POLICY_ROWS)


@pytest.fixture
def new_ui(shown: Shown) -> Iterator[WebUI]:
    """One that has never had a run: its page is the start form alone."""
    with locust_web_ui(LOCUSTFILE, LOADGEN_TEST_VIEW=str(shown.folder)) as ui:
        yield ui


def test_the_tab_outlasts_whatever_locust_does_to_its_page(browser: Browser, new_ui: WebUI, shown: Shown) -> None:
    ui = new_ui
    browser.open(ui.url + TAB)
    browser.wait(lambda: browser.all("input[name=userCount]"))
    assert not browser.all(SECTION)  # the start form is shown

    browser.click("button", "Start")
    browser.wait_text(SECTION, "persistent")
    browser.click("[role=tab]", "Theirs")
    browser.wait(lambda: not browser.all(SECTION))
    browser.driver.back()  # the address says our tab again, Locust shows theirs
    browser.wait(lambda: TAB in browser.driver.current_url)
    browser.driver.execute_script("document.body.append(document.createElement('i'))")  # as if Locust redrew its page
    assert not browser.all(SECTION)
    browser.click("[role=tab]", "Connection reuse")
    browser.wait_text(SECTION, "persistent")

    before = browser.driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    browser.all("header button")[-1].click()  # light or dark
    browser.wait(
        lambda: browser.driver.execute_script("return getComputedStyle(document.body).backgroundColor") != before
    )
    browser.wait_text(SECTION, "persistent")
    browser.driver.execute_script("localStorage.clear()")

    # Locust's page waits for ever where it is stopped before it has seen a user.
    browser.wait_text("header", "Users\n1")
    browser.click("button", "Stop")
    browser.wait(lambda: [one for one in browser.all("button") if one.text.lower() == "new"])
    shown.write(state="finishing", verdict="nearly there")
    browser.wait_text(VERDICT, "nearly there")
    shown.write(state="finished", verdict="the end")
    browser.wait_text(VERDICT, "the end")
    browser.click("button", "Reset")
    browser.wait_text(VERDICT, "the end")

    browser.click("button", "New")
    browser.type("host", "ftp://files")
    browser.click("button[type=submit]", "Start")
    browser.wait_text("[role=alert]", "'ftp://files' is no target: use http:// or https://")
    browser.type("host", "http://127.0.0.1:9")
    shown.write(run="r2", verdict="of a second run")
    browser.click("button[type=submit]", "Start")
    browser.wait_text(VERDICT, "of a second run")
    assert browser.complaints() == []


def test_when_locust_is_gone_the_last_figures_stay(browser: Browser, shown: Shown) -> None:
    with locust_web_ui(LOCUSTFILE, LOADGEN_TEST_VIEW=str(shown.folder)) as ui:
        ui.post("swarm", "user_count=1&spawn_rate=1")
        browser.open(ui.url + TAB)
        browser.wait_text(SECTION, "persistent")
    browser.wait_text(".loadgen-failure", "Locust does not answer")
    assert browser.table(POLICIES) == POLICY_ROWS
    assert browser.complaints()


def test_the_start_form_says_why_a_run_cannot_start(browser: Browser, ui: WebUI) -> None:
    browser.open(ui.url)
    browser.show_start_form()
    browser.type("host", "ftp://files")
    browser.click("button", "Start")
    browser.wait_text("[role=alert]", "'ftp://files' is no target: use http:// or https://")
    assert ui.get("tasks").status == 200  # Locust is alive, and no run has begun
    assert browser.all("input[name=userCount]")
    browser.type("host", "http://127.0.0.1:9")
    browser.click("button", "Start")
    browser.wait(lambda: browser.all("[role=tab]"))


def test_numbers_are_written_as_in_the_report(browser: Browser, ui: WebUI) -> None:
    chance = random.Random(1)
    # Halves, which go to the even digit; the edges of units and of digits; and anything.
    values = [step * 0.5 for step in range(200)] + [step * 500 for step in range(2500)]
    values += [125_000 * step for step in range(400)] + [12_500 * step for step in range(900)]
    values += [edge * scale for scale in (1, 1e3, 1e6, 1e9) for edge in (0.9994, 0.9995, 9.995, 99.95, 999.4995, 999.5)]
    values += [10 ** chance.uniform(-1, 14) for _ in range(2000)] + [chance.randrange(10**12) for _ in range(2000)]
    values += [-value for value in values[-500:]]
    browser.open(ui.url + "loadgen")
    script = """const {formatDuration, formatCount} = await import('./loadgen/static/numbers.js');
        return args[0].map(value => [formatDuration(value), formatCount(value)]);"""
    expected = [[format_duration(value), f"{value:,.0f}"] for value in values]
    assert browser.run(script, values) == expected
    estimates = [[value, [value * factor, value + 30_000]] for value in values[40::40] for factor in (0.9, 0.001, -1)]
    estimates += [[0, [0, 0]], [7, None]]
    script = (
        "const m = await import('./loadgen/static/numbers.js'); return args[0].map(one => m.formatEstimate(...one));"
    )
    assert browser.run(script, estimates) == [estimate(*one) for one in estimates]


def test_a_share_is_never_rounded_up_to_all(browser: Browser, ui: WebUI) -> None:
    browser.open(ui.url + "loadgen")
    script = "const m = await import('./loadgen/static/numbers.js'); return args[0].map(m.formatShare);"
    shares, texts = [0, 0.0004, 0.5, 0.98765, 0.99999, 1], ["0.0%", "<0.1%", "50.0%", "98.7%", "99.9%", "100%"]
    assert browser.run(script, shares) == texts


def test_a_low_rate_is_not_shown_as_none(browser: Browser, ui: WebUI) -> None:
    browser.open(ui.url + "loadgen")
    script = "const m = await import('./loadgen/static/numbers.js'); return args[0].map(m.formatRate);"
    assert browser.run(script, [0, 0.4, 40.23, 99.96, 12345.6]) == ["0", "0.4", "40.2", "100", "12,346"]


@pytest.mark.parametrize("path", [TAB, "loadgen"], ids=["tab", "page"])
def test_nothing_that_comes_from_outside_runs_as_script(
    browser: Browser, running: WebUI, shown: Shown, path: str
) -> None:
    bad = {**RUNNING["policies"][0], "name": HOSTILE, "errors": {HOSTILE: 1}}
    shown.write(
        **dict.fromkeys(("run", "directory", "url", "verdict"), HOSTILE),
        state="failed",
        message=f"failed: {HOSTILE}",
        policies=[bad],
        warnings=[{"code": HOSTILE, "message": HOSTILE}],
    )
    shown.draw("a<b>.svg", 10)
    browser.open(running.url + path)
    browser.wait_text(VERDICT, HOSTILE)
    for selector in (".loadgen-facts", ".loadgen-failure", ".loadgen-warning"):
        assert HOSTILE in browser.text(selector)
    (row,) = browser.table(POLICIES)
    assert row[0] == HOSTILE
    assert HOSTILE.replace("_", " ") in row[-1]
    assert browser.driver.execute_script("return window.hacked") is None
    assert (
        browser.driver.execute_script("return document.querySelectorAll('.loadgen :is(img[src=x], script)').length")
        == 0
    )


def widths(browser: Browser) -> list[int]:
    """The pictures' own widths, once they are loaded."""
    found: list[int] = browser.driver.execute_script(
        "return [...document.querySelectorAll('#charts img')].map(one => one.complete ? one.naturalWidth : 0)"
    )
    return found


def test_the_page_draws_charts_and_shows_the_pictures_that_a_run_has_left(
    browser: Browser, running: WebUI, shown: Shown, summary: Any
) -> None:
    shown.plot(shown_charts(summary))
    browser.open(running.url + "loadgen")
    browser.wait(lambda: browser.table(POLICIES) == POLICY_ROWS)
    browser.wait(lambda: browser.all(f"{figure('percentiles')} .drawn svg"))
    assert "None yet" in browser.text("#no-charts")
    assert browser.text(VERDICT) == RUNNING["verdict"]

    shown.draw("extra_time.svg", 31)
    shown.draw("phases.svg", 32)
    shown.write(charts_version=2)
    browser.wait(lambda: widths(browser) == [31, 32])
    assert [one.get_attribute("alt") for one in browser.all("#charts img")] == ["extra time", "phases"]
    assert not browser.all("#no-charts")

    (shown.folder / "charts" / "extra_time.svg").unlink()
    shown.write(charts_version=3, state="finished", run="r2", verdict="the end")
    browser.wait(lambda: widths(browser) == [32])
    assert browser.driver.title == "r2: connection reuse"
    assert browser.complaints() == []


def test_the_page_is_as_dark_as_locust(browser: Browser, ui: WebUI) -> None:
    background = "return getComputedStyle(document.documentElement).backgroundColor"
    colours = set()
    for theme in ("light", "dark"):
        browser.open(ui.url)
        browser.driver.execute_script("localStorage.theme = arguments[0]", theme)
        browser.open(ui.url + "loadgen")
        browser.wait(lambda: browser.text(VERDICT))
        colours.add(browser.driver.execute_script(background))
    browser.driver.execute_script("localStorage.clear()")
    assert colours == {"rgb(255, 255, 255)", "rgb(18, 18, 18)"}


def test_what_a_run_leaves_can_be_downloaded_once_it_is_there(browser: Browser, running: WebUI, shown: Shown) -> None:
    browser.open(running.url + TAB)
    browser.wait_text(SECTION, "persistent")
    assert not browser.all(f"{SECTION} a[download]")
    content = {"summary.json": '{"run": "r1"}', "samples.npz": "PK", "report.html": "<p>all of it</p>"}
    for name, text in content.items():
        (shown.folder / "files" / name).write_text(text, encoding="utf-8")
    shown.write(state="finished")
    browser.wait_text(SECTION, "report.html")
    for name in ("summary.json", "samples.npz"):
        (browser.downloads / name).unlink(missing_ok=True)  # of an earlier test
        browser.click(f"{SECTION} a", name)
        browser.wait((browser.downloads / name).exists)
        assert (browser.downloads / name).read_text(encoding="utf-8") == content[name]
    (charts,) = [one for one in browser.all(f"{SECTION} a") if "A page" in one.text]
    assert charts.get_attribute("href") == running.url + "loadgen"

    browser.click("[role=tab]", "Download Data")
    browser.wait_text("main", "Theirs too")
    links = {one.text: one.get_attribute("href") for one in browser.all("main a")}
    assert links["Download summary (summary.json)"] == running.url + "loadgen/files/summary.json"
    assert links["Download samples (samples.npz)"] == running.url + "loadgen/files/samples.npz"
    browser.click("main a", "Open report (report.html)")
    browser.wait_text("body", "all of it")
    answer = running.get("loadgen/files/report.html?download")
    assert answer.headers["Content-Disposition"] == "attachment; filename=report.html"


def test_a_report_has_its_own_style_and_scripts_alone(browser: Browser, ui: WebUI, shown: Shown) -> None:
    page = "<style>p{color:rgb(1,2,3)}</style><p>plain</p><script>document.body.textContent = 'hacked'</script>"
    (shown.folder / "files" / "report.html").write_text(page, encoding="utf-8")
    browser.open(ui.url + "loadgen/files/report.html")
    browser.wait_text("p", "plain")
    colour = browser.driver.execute_script("return getComputedStyle(document.querySelector('p')).color")
    assert colour == "rgb(0, 0, 0)"
    style, script = browser.complaints()
    assert "style-src 'sha256-" in style
    assert "script-src 'sha256-" in script


def test_beside_locust_under_a_base_path(browser: Browser, shown: Shown) -> None:
    with locust_web_ui(LOCUSTFILE, base_path="/load", LOADGEN_TEST_VIEW=str(shown.folder)) as ui:
        ui.post("swarm", "user_count=1&spawn_rate=1")
        shown.draw("phases.svg", 31)
        browser.open(ui.url + TAB)
        browser.wait_text(SECTION, "persistent")
        (charts,) = [one for one in browser.all(f"{SECTION} a") if "A page" in one.text]
        browser.open(str(charts.get_attribute("href")))
        browser.wait(lambda: widths(browser) == [31])
        browser.click("header a", "Back to Locust")
        browser.wait_text(SECTION, "persistent")
        assert browser.complaints() == []


def test_behind_a_login_nothing_of_ours_is_open(shown: Shown) -> None:
    with locust_web_ui(LOCUSTFILE, "--web-login", LOADGEN_TEST_VIEW=str(shown.folder)) as ui:
        for path in ("", "/live", "/charts", "/files/summary.json", "/static/tab.js"):
            assert ui.get(f"loadgen{path}").url.startswith(ui.url + "login?")
        assert b"is no target" not in ui.post("swarm", "user_count=1&spawn_rate=1&host=ftp://files")
