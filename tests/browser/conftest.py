"""One browser for all tests of this folder, which therefore run one after another in one process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.browser import Browser, open_browser


@pytest.fixture(scope="session")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("browser")) as window:
        yield window


@pytest.fixture
def browser(window: Browser) -> Browser:
    """The one window, without the last test's page, which may miss its server."""
    window.open("about:blank")
    window.complaints()
    return window
