"""A diff's page in a real browser: its charts are drawn at each width, show values and follow what is picked."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from loadgen.measure.diff.run_diff import diff_runs
from loadgen.show.export.diff_html import diff_html
from tests.support.browser import Browser
from tests.support.drawn_charts import figure, hover, said
from tests.support.simulated_diffs import run

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("browser")]


def test_each_change_is_drawn_with_its_interval(browser: Browser, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    page = tmp_path / "diff.html"
    page.write_text(diff_html(diff_runs([run(random)], run(random, 1_000_000))), encoding="utf-8")
    for width in (360, 1400):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.open(page.as_uri())
        script = "const all = document.documentElement; return all.scrollWidth - all.clientWidth"
        assert browser.driver.execute_script(script) <= 0
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    words = said(browser, f"{figure('mean_changes')} svg text")
    assert re.search(r"close before: [\d.]+ ms", words)
    assert re.search(r"close now: [\d.]+ ms, \+1\.\d+ ms \[0\.\d+, 1\.\d+\]", words)
    ratios = f"{figure('ratio_changes')} svg"
    assert re.search(r"persistent, mean latency: \d\.\d+× \[\d\.\d+, \d\.\d+\]", said(browser, f"{ratios} text"))
    hover(browser, ratios, 0.5, 0.1)
    tip = browser.wait(lambda: said(browser, f"{ratios} g[aria-label=tip] text"))
    assert tip.endswith("certain")
    browser.click(".policies label", "close")
    assert "close" not in said(browser, "figure svg text")
    assert "persistent" in said(browser, f"{figure('phase_changes')} svg text")
    assert browser.complaints() == []


def test_ticks_of_an_interval_over_many_powers_of_ten_keep_apart(browser: Browser, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    found = diff_runs([run(random)], run(random))
    found["policies"]["close"]["latency_ns"]["mean"]["ratio_ci95"] = [1e-6, 1e8]
    page = tmp_path / "diff.html"
    page.write_text(diff_html(found), encoding="utf-8")
    size = {"width": 360, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.open(page.as_uri())
    script = """return [...document.querySelectorAll(arguments[0])].map((text) => text.getBoundingClientRect())
        .map((box) => [box.left, box.right]).sort((one, other) => one[0] - other[0])"""
    boxes = browser.driver.execute_script(script, f"{figure('ratio_changes')} g[aria-label^='x-axis tick label'] text")
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert len(boxes) >= 2
    assert all(left[1] < right[0] for left, right in itertools.pairwise(boxes))
