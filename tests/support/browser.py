"""A headless Chromium for the tests of the web UI, and Locust's web UI as a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TypeVar
from urllib.error import HTTPError

import pytest
from selenium import webdriver
from selenium.common.exceptions import ElementClickInterceptedException, StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.locusts import command as locust_command
from tests.support.processes import await_port, free_port

# Where our tab's parts are.
TAB = "?tab=connection-reuse"
SECTION = "#loadgen-tab"
FACTS = ".loadgen-facts"
VERDICT = ".loadgen-verdict"
WARNING = ".loadgen-warning"
FAILURE = ".loadgen-failure"
POLICIES = "Policies"
PHASES = "Phases: mean where the phase happened"

T = TypeVar("T")
_PATIENCE_S = 60
_PASSING = (StaleElementReferenceException, ElementClickInterceptedException)  # while Locust redraws its page
_SWITCHES = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--force-color-profile=srgb",
    # Whatever the browser would like to know of the world, it gets nothing but this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


class Browser:
    """One window. `text`, `wait`, `click` find by CSS selector or by what an element says."""

    def __init__(self, driver: webdriver.Chrome, downloads: Path) -> None:
        self.driver = driver
        self.downloads = downloads

    def open(self, url: str) -> None:
        self.driver.get(url)

    def resize(self, width: int, height: int) -> None:
        self.driver.set_window_size(width, height)

    def all(self, selector: str) -> list[WebElement]:
        """The elements that are to be seen."""
        return [one for one in self.driver.find_elements(By.CSS_SELECTOR, selector) if one.is_displayed()]

    def text(self, selector: str) -> str:
        """What the visible elements say, one a line."""
        return "\n".join(one.text for one in self.all(selector))

    def table(self, label: str) -> list[list[str]]:
        """The cells of one of our tables, row by row, without its headings."""
        script = """return [...document.querySelectorAll(`table[aria-label="${arguments[0]}"] tbody tr`)].map(
            row => [...row.children].map(cell => cell.textContent))"""
        cells: list[list[str]] = self.driver.execute_script(script, label)
        return cells

    def wait(self, condition: Callable[[], T]) -> T:
        """Wait until the condition gives something that is true; returns it."""
        waiting = WebDriverWait(self.driver, _PATIENCE_S, 0.05, _PASSING)
        return waiting.until(lambda _driver: condition())

    def wait_text(self, selector: str, part: str) -> None:
        self.wait(lambda: part in self.text(selector))

    def click(self, selector: str, text: str = "") -> None:
        """Click the first visible element of the selector that says exactly `text`."""

        def clicked() -> bool:
            found = [one for one in self.all(selector) if not text or one.text.strip().lower() == text.lower()]
            for one in found[:1]:
                one.click()
            return bool(found)

        self.wait(clicked)

    def type(self, name: str, value: str) -> None:
        """Write into a field of a form, in place of what stands there."""
        field = self.wait(lambda: self.all(f"input[name='{name}'], [aria-label='{name}']"))[-1]
        # All of it selected and written over; and the field left, so that what Locust says below it moves no button
        # while that is clicked.
        field.send_keys(Keys.CONTROL + "a" + Keys.NULL, (value or Keys.DELETE) + Keys.TAB)

    def start(self, **fields: str) -> None:
        """Fill in Locust's start form, our own options in it too, and start."""
        self.wait(lambda: self.all("input[name='userCount']"))
        self.show_fields()
        for name, value in fields.items():
            self.type(name, value)
        self.click("button[type=submit]", "Start")

    def show_fields(self) -> None:
        """Unfold all of the start form's groups."""
        if not self.all(".loadgen-group"):
            self.click("[aria-expanded='false']", "Custom parameters")
            self.wait(self._shows_all_groups)  # Locust unfolds its own slowly
        while folded := self.all(".loadgen-group[aria-expanded='false']"):
            folded[0].click()

    def _shows_all_groups(self) -> bool:
        shown = self.all(".loadgen-group")
        there = shown[0].find_elements(By.XPATH, "../*[contains(@class, 'loadgen-group')]") if shown else []
        return bool(shown) and len(shown) == len(there)

    def show_start_form(self) -> None:
        """Of Locust's page, which shows an earlier run once there was one."""
        self.wait(lambda: self.all("input[name='userCount']") or self.all("[role=tab]"))
        if self.all("[role=tab]"):
            self.click("button", "New")
            self.wait(lambda: self.all("input[name='userCount']"))

    def show_tab(self) -> None:
        """Go to our tab, once a run goes on."""
        self.click("[role=tab]", "Connection reuse")
        self.wait(lambda: self.all(SECTION))

    def run(self, script: str, *arguments: Any) -> Any:
        """What an asynchronous function with this body returns in the page."""
        wrapped = f"""const done = arguments[arguments.length - 1];
            (async (args) => {{ {script} }})([...arguments].slice(0, -1)).then(done, error => done(String(error)))"""
        return self.driver.execute_async_script(wrapped, *arguments)

    def complaints(self) -> list[str]:
        """What the browser has written on its console since it was asked last: errors, and what a policy forbade."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


@contextmanager
def open_browser(folder: Path) -> Iterator[Browser]:
    """A browser with an empty profile below `folder`; skips the test where browser or driver is not installed."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("chromium or chromedriver is not installed (Debian: chromium, chromium-driver)")
    downloads = folder / "downloads"
    downloads.mkdir()
    options = Options()
    options.binary_location = program
    for switch in (*_SWITCHES, f"--user-data-dir={folder / 'profile'}", "--window-size=1400,900"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    window = webdriver.Chrome(options, Service(driver))
    try:
        window.set_script_timeout(_PATIENCE_S)
        yield Browser(window, downloads)
    finally:
        window.quit()


@dataclass(frozen=True)
class Answer:
    """A whole answer; `url` is where redirects have led."""

    status: int
    url: str
    headers: dict[str, str]
    body: bytes


class WebUI:
    """A running web UI of Locust's. url: its start page, with a slash at its end."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str) -> Answer:
        """The answer, whatever its status; redirects are followed."""
        try:
            response = urllib.request.urlopen(self.url + path, timeout=_PATIENCE_S)
        except HTTPError as error:
            response = error
        with response:
            return Answer(response.status, response.url, dict(response.headers), response.read())

    def post(self, path: str, form: str = "") -> bytes:
        with urllib.request.urlopen(self.url + path, form.encode("ascii"), timeout=_PATIENCE_S) as response:
            answer: bytes = response.read()
        return answer


@contextmanager
def locust_web_ui(
    locustfile: Path,
    *options: str,
    base_path: str = "",
    folder: Path | None = None,
    draws: bool = False,
    **environment: str,
) -> Iterator[WebUI]:
    """Locust's web UI with this locustfile on a free loopback port, working in `folder`, until the end of the block.

    draws: the report at a run's end has its charts.
    """
    port = free_port()
    command = [*locust_command(locustfile, draws=draws), "--web-host", "127.0.0.1"]
    more = ["--web-base-path", base_path] if base_path else []
    with TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [*command, "--web-port", str(port), *more, *options],
            env={**os.environ, **environment},
            stderr=log,
            cwd=folder,
        )
        try:
            try:
                await_port(port)
            except TimeoutError:
                log.seek(0)
                pytest.fail(f"Locust's web UI did not start:\n{log.read()}")
            yield WebUI(f"http://127.0.0.1:{port}{base_path}/")
        finally:
            process.terminate()
            process.wait(timeout=_PATIENCE_S)
