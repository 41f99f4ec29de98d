"""The charts that a page's script has drawn, as a browser shows them."""

from __future__ import annotations

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from tests.support.browser import Browser


def figure(name: str) -> str:
    """The selector of a chart's figure."""
    return f"figure[data-plot={name}]"


def said(page: Browser, selector: str) -> str:
    """The text of all elements, drawn ones too."""
    script = "return [...document.querySelectorAll(arguments[0])].map(one => one.textContent).join('\\n')"
    text: str = page.driver.execute_script(script, selector)
    return text


def hover(page: Browser, selector: str, x: float, y: float) -> None:
    """Put the pointer at a place in an element, as shares of its size."""
    element = page.driver.find_element(By.CSS_SELECTOR, selector)
    page.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    size = element.size
    offset = (round((x - 0.5) * size["width"]), round((y - 0.5) * size["height"]))
    ActionChains(page.driver).move_to_element_with_offset(element, *offset).perform()
