"""The report's charts and tables in a real browser: drawn from the page's data, and changed by who looks at them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from loadgen.show.export import EXPORTERS, RunData, export_text
from tests.support.browser import Browser
from tests.support.drawn_charts import figure, hover, said
from tests.support.summaries import balance_summary
from tests.support.synthetic import full_run, sweep_plan, sweep_run

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("browser")]

DRAWN = {
    "by_position",
    "extra_time",
    "percentiles",
    "phases",
    "throughput",
    "over_time",
    "requests_per_connection",
    "balance",
}
LARGEST = 2_000_000  # bytes of a page


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    summary = full_run(folder / "run", "persistent,close,recycle:10", url="https://h/").summary()
    # Of few rounds an interval may reach down to 0.
    summary["policies"]["close"]["latency_ns"]["curve"][0]["ci95"] = [0, 10_000_000]
    summary["policies"]["persistent"]["balance"] = balance_summary([[9, 1], [7, 3]], rounds=5)
    path = folder / "report.html"
    path.write_text(export_text(EXPORTERS["html"], RunData(summary)), encoding="utf-8")
    return path


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Browser]:
    browser.open(report.as_uri())
    yield browser
    assert browser.complaints() == []


def test_each_chart_is_drawn_in_place_of_its_picture(page: Browser, report: Path) -> None:
    assert report.stat().st_size < LARGEST
    for name in DRAWN:
        assert page.all(f"{figure(name)} .drawn svg")
        assert not page.all(f"{figure(name)} img")
    words = said(page, f"{figure('extra_time')} svg text")
    assert re.search(r"persistent: [\d.]+ µs", words)
    assert re.search(r"tls \+[\d.]+ ", words)
    assert re.search(r"close: .* \[[\d.]+, [\d.]+\]", words)
    words = said(page, f"{figure('requests_per_connection')} svg text")
    assert re.search(r"close: 1, opened [\d,]+ \(ideal \d+\)", words)


def test_the_share_of_each_backend_is_drawn(page: Browser) -> None:
    chart = figure("balance")
    assert re.search(r"persistent, evenness 0\.\d\d", said(page, f"{chart} .facts"))
    assert said(page, f"{chart} .keys li").split("\n") == ["b0: 80%", "b1: 20%"]
    assert len(page.all(f"{chart} svg g[aria-label=rect] rect, {chart} svg g[aria-label=rect] path")) == 20
    hover(page, f"{chart} svg", 0.3, 0.3)
    assert "b0\u200bround 2: 90% of 10 requests" in page.wait(lambda: said(page, f"{chart} g[aria-label=tip] text"))


def test_the_pointer_shows_values(page: Browser) -> None:
    chart = f"{figure('percentiles')} svg"
    hover(page, chart, 0.3, 0.5)
    tip = page.wait(lambda: said(page, f"{chart} g[aria-label=tip] text"))
    assert re.search(r"(persistent|close|recycle:10).*p\d\d.*: [\d.]+ (µs|ms)", tip, re.DOTALL)
    hover(page, f"{figure('throughput')} svg", 0.05, 0.15)
    assert "req/s" in page.wait(lambda: said(page, f"{figure('throughput')} g[aria-label=tip] text"))


def test_policies_are_picked(page: Browser) -> None:
    assert "recycle:10" in said(page, f"{figure('phases')} svg text")
    page.click(".policies label", "recycle:10")
    assert "recycle:10" not in said(page, "figure svg text")
    assert "close" in said(page, f"{figure('phases')} svg text")
    for name in ("persistent", "close"):
        page.click(".policies label", name)
    assert "Nothing to show" in page.text(figure("throughput"))


def test_the_latency_has_two_views_and_two_scales(page: Browser) -> None:
    chart = figure("percentiles")
    ticks = f"{chart} svg g[aria-label='y-axis tick label'] text"
    assert not said(page, ticks).startswith("0")
    page.click(f"{chart} label", "linear")
    assert said(page, ticks).startswith("0")
    assert len(page.all(f"{chart} svg")) == 1
    page.click(f"{chart} label", "histogram")
    plots = page.all(f"{chart} svg")
    assert len(plots) == 3
    # All have the same scales.
    for axis in ("x", "y"):
        script = """return [...document.querySelectorAll(arguments[0])].map(
            svg => svg.querySelector(arguments[1]).textContent)"""
        found = page.driver.execute_script(script, f"{chart} svg", f"g[aria-label='{axis}-axis tick label']")
        assert len(set(found)) == 1
    assert page.all(f"{chart} svg g[aria-label=rect] rect")


def test_a_window_of_time_is_selected_with_the_pointer_and_left_again(page: Browser) -> None:
    chart = figure("over_time")
    counted = f"{chart} .in-window tbody td:nth-child(2)"
    assert said(page, counted).split() == ["5", "5", "5"]
    svg = page.driver.find_element(By.CSS_SELECTOR, f"{chart} svg")
    page.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", svg)
    width = svg.size["width"]
    (
        ActionChains(page.driver)
        .move_to_element_with_offset(svg, round(-0.3 * width), 0)
        .click_and_hold()
        .move_by_offset(round(0.25 * width), 0)
        .release()
        .perform()
    )
    window = page.wait(lambda: re.fullmatch(r"blocks (\d+) to (\d+) of 15", page.text(f"{chart} output")))
    first, last = map(int, window.groups())
    assert 1 < first < last < 15
    assert sum(map(int, said(page, counted).split())) == last - first + 1
    # Percentiles and bins are those of the window's blocks.
    latency = figure("percentiles")
    assert page.text(f"{latency} .of-window").startswith(f"Of blocks {first} to {last}, right within 6%")
    assert len(page.all(f"{latency} svg")) == 1
    page.click(f"{latency} label", "histogram")
    filled = "return [...document.querySelectorAll(arguments[0])].filter(one => one.height.baseVal.value > 0).length"
    expected = {
        (one["policy"], (one["bin"] + at) // 2)
        for one in json.loads(said(page, "#loadgen-data"))["slices"]
        if first <= one["blocks"][0] <= one["blocks"][1] <= last
        for at, count in enumerate(one["counts"])
        if count
    }
    assert page.driver.execute_script(filled, f"{latency} svg g[aria-label=rect] rect") == len(expected)
    page.click(f"{latency} label", "percentile")
    page.click(f"{latency} button", "Whole run")
    assert not page.all(f"{latency} .of-window")
    assert page.text(f"{chart} output") == "blocks 1 to 15 of 15"
    slide = "const one = document.querySelector(arguments[0]); one.value = 4; one.dispatchEvent(new Event('input'))"
    page.driver.execute_script(slide, f"{chart} input[type=range]")
    assert page.text(f"{latency} .of-window").startswith("Of blocks 4 to 15")
    page.click(f"{chart} button", "All")
    assert page.text(f"{chart} output") == "blocks 1 to 15 of 15"


@pytest.mark.usefixtures("no_drawing")  # of the pictures that the page has for want of scripts
def test_the_last_block_is_in_the_window_where_another_measured_nothing(browser: Browser, tmp_path: Path) -> None:
    summary = full_run(tmp_path / "run", "persistent,close", url="https://h/").summary()
    summary["blocks"][3]["seconds"] = 0
    path = tmp_path / "report.html"
    path.write_text(export_text(EXPORTERS["html"], RunData(summary)), encoding="utf-8")
    browser.open(path.as_uri())
    chart = figure("over_time")
    assert browser.text(f"{chart} output") == "blocks 1 to 10 of 10"
    assert sum(map(int, said(browser, f"{chart} .in-window tbody td:nth-child(2)").split())) == 9


def test_a_table_sorts_by_amount_both_ways(page: Browser) -> None:
    heading = "h2 + .scroll th:nth-child(3) button"
    column = (
        "return [...document.querySelector('h2 + .scroll table').tBodies[0].rows].map(row => row.cells[0].textContent)"
    )
    page.click(heading)
    upwards = page.driver.execute_script(column)
    assert upwards == ["persistent", "close", "recycle:10"]
    page.click(heading)
    assert page.driver.execute_script(column) == [
        "close",
        "recycle:10",
        "persistent",
    ]  # two are equal, and stay in order
    assert page.driver.execute_script("return document.querySelector('th[aria-sort]').ariaSort") == "descending"


def test_bars_of_the_first_screen_begin_at_one_place(page: Browser) -> None:
    script = """return [...document.querySelectorAll('.waterfall p svg')].map(one => one.getBoundingClientRect())
        .map(one => [one.left, one.width])"""
    assert len({tuple(place) for place in page.driver.execute_script(script)}) == 1


@pytest.mark.usefixtures("no_drawing")  # of the pictures that the page has for want of scripts
def test_lines_of_a_sweep_are_picked(browser: Browser, tmp_path: Path) -> None:
    summary = sweep_run(tmp_path / "run", sweep_plan(recycle=("1", "10", "inf"), users=(1, 10))).summary()
    (tmp_path / "sweep.html").write_text(export_text(EXPORTERS["html"], RunData(summary)), encoding="utf-8")
    browser.open((tmp_path / "sweep.html").as_uri())
    chart = figure("amortisation")
    drawn = f"{chart} svg g[aria-label=dot] circle"
    assert len(browser.all(drawn)) == 6
    hover(browser, f"{chart} svg", 0.5, 0.5)
    assert " user" in browser.wait(lambda: said(browser, f"{chart} g[aria-label=tip] text"))
    browser.click(f"{chart} label", "10 users")
    assert len(browser.all(drawn)) == 3
    browser.click(f"{chart} label", "1 user")
    assert not browser.all(drawn)
    squares = f"{figure('heat_map')} svg"
    means = [one["latency_ns"]["mean"] / 1_000 for one in summary["policies"].values()]
    assert f"{min(means):.0f} µs" in said(browser, f"{squares} g[aria-label=text] text")
    hover(browser, squares, 0.9, 0.3)
    assert "mean" in browser.wait(lambda: said(browser, f"{squares} g[aria-label=tip] text"))
    assert not browser.driver.find_elements("css selector", "figure img"), "no chart of a sweep is a picture"
    assert browser.complaints() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 800, 1400])
def test_it_is_legible_at_each_width_in_the_light_and_in_the_dark(
    browser: Browser, report: Path, width: int, scheme: str
) -> None:
    driver = browser.driver
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    emulated = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", emulated)
    try:
        browser.open(report.as_uri())
        script = """
            const all = document.documentElement;
            const fonts = selector =>
                [...document.querySelectorAll(selector)].map(one => parseFloat(getComputedStyle(one).fontSize));
            const drawn = [...document.querySelectorAll('.drawn svg')];
            return {wide: all.scrollWidth - all.clientWidth,
                    ink: getComputedStyle(document.body).color,
                    fonts: Math.min(...fonts('.drawn text, p, td, th')),
                    shrunk: Math.min(...drawn.map(
                        one => one.getBoundingClientRect().width / one.viewBox.baseVal.width)),
                    cut: drawn.flatMap(svg => [...svg.querySelectorAll('text')].filter(text => {
                        const [inner, outer] = [text.getBoundingClientRect(), svg.parentNode.getBoundingClientRect()];
                        return inner.right > outer.right + 1 || inner.left < outer.left - 1;
                    }).map(text => text.textContent))}"""
        found = driver.execute_script(script)
        assert found["wide"] <= 0
        assert found["fonts"] >= 12
        assert found["shrunk"] > 0.95
        assert found["cut"] == []
        assert found["ink"] == ("rgb(28, 28, 28)" if scheme == "light" else "rgb(232, 232, 232)")
        assert browser.complaints() == []
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_on_paper_it_is_light_and_without_controls(browser: Browser, report: Path) -> None:
    dark = {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        browser.open(report.as_uri())
        assert browser.driver.execute_script("return getComputedStyle(document.body).color") == "rgb(28, 28, 28)"
        assert not browser.all(".controls input")
        assert browser.all(".policies label")  # as a legend
        script = """dispatchEvent(new Event(arguments[0]));
            return [...document.querySelectorAll('.drawn svg')].map(svg => svg.viewBox.baseVal.width)"""
        assert set(browser.driver.execute_script(script, "beforeprint")) == {660}
        assert min(browser.driver.execute_script(script, "afterprint")) > 660
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def test_without_scripts_there_are_pictures(browser: Browser, report: Path) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(report.as_uri())
        assert len(browser.driver.find_elements(By.CSS_SELECTOR, "figure[data-plot] img")) == len(DRAWN)
        assert "req/s" in browser.driver.find_element(By.CSS_SELECTOR, "body").text
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
