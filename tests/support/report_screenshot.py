"""Takes the README's picture of a report's first screen: python -m tests.support.report_screenshot"""

from __future__ import annotations

import base64
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.browser import open_browser

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "results" / "example" / "report.html"
PICTURE = ROOT / "docs" / "report.png"
_WIDTH, _HEIGHT = 900, 1_000


def main() -> None:
    """The example's report, from its beginning to the end of its first chart."""
    with TemporaryDirectory() as name, open_browser(Path(name)) as browser:
        size = {"width": _WIDTH, "height": _HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.open(REPORT.as_uri())
        end = browser.driver.execute_script(
            "return document.querySelector('figure').getBoundingClientRect().bottom + window.scrollY"
        )
        area = {"x": 0, "y": 0, "width": _WIDTH, "height": end, "scale": 1}
        options = {"clip": area, "captureBeyondViewport": True}
        taken = browser.driver.execute_cdp_cmd("Page.captureScreenshot", options)
        PICTURE.write_bytes(base64.b64decode(taken["data"]))


if __name__ == "__main__":
    main()
