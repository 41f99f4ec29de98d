"""Takes the README's picture of the tab "Connection reuse" during a run: python -m tests.support.screenshot"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.browser import SECTION, Browser, WebUI, locust_web_ui, open_browser
from tests.support.locusts import LOCUSTFILES

PICTURE = LOCUSTFILES.parent / "results" / "example" / "connection_reuse_tab.png"
ROUNDS = 8
_MARGIN_PX = 16


def main() -> None:
    """Run it until there is enough to see, and save what is to be seen."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        options = ("--tls", "--run-name", "example", "--block", "1s", "--warmup", "250ms")
        with open_browser(folder) as browser, locust_web_ui(LOCUSTFILES / "compare.py", *options, folder=folder) as ui:
            browser.open(ui.url)
            browser.driver.execute_script("localStorage.theme = 'light'")
            browser.open(ui.url)
            browser.start(userCount="1", spawnRate="1", policies="persistent,close,recycle:10", think="5ms")
            browser.show_tab()
            browser.wait(lambda: _round(ui) > ROUNDS)
            PICTURE.write_bytes(_picture(browser))


def _round(ui: WebUI) -> int:
    number: int = json.loads(ui.get("loadgen/live").body)["round"]
    return number


def _picture(browser: Browser) -> bytes:
    """The page down to the end of our part of it."""
    width, height = browser.driver.execute_script(
        "const end = document.querySelector(arguments[0]).getBoundingClientRect().bottom + window.scrollY;"
        "return [document.documentElement.clientWidth, end]",
        SECTION,
    )
    area = {"x": 0, "y": 0, "width": width, "height": height + _MARGIN_PX, "scale": 1}
    taken = browser.driver.execute_cdp_cmd("Page.captureScreenshot", {"clip": area, "captureBeyondViewport": True})
    return base64.b64decode(taken["data"])


if __name__ == "__main__":
    main()
