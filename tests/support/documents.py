"""README and docs as the tests read them: their shell commands, their Python snippets, their links."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "results/README.md")] + sorted(ROOT.glob("docs/*.md"))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def commands() -> list[str]:
    """Every line of a block marked `sh`, without its comment, each once."""
    lines = [
        line.partition(" #")[0].strip()
        for page in PAGES
        for block in re.findall(r"```sh\n(.*?)```", text_of(page), re.S)
        for line in block.splitlines()
    ]
    return list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def snippets() -> dict[str, str]:
    """Every block marked `python`, by its page and number."""
    found = {}
    for page in PAGES:
        for number, block in enumerate(re.findall(r"```python\n(.*?)```", text_of(page), re.S), 1):
            found[f"{page.relative_to(ROOT)}:{number}"] = block
    return found


def links(page: Path) -> list[str]:
    """The links and pictures of a page that lead to no other site."""
    found: list[str] = re.findall(r"\]\(([^)\s]+)\)", text_of(page))
    return [link for link in found if "://" not in link]


def anchors(page: Path) -> set[str]:
    """What a link may name behind `#`: the page's headings, as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ (.*)$", text_of(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
