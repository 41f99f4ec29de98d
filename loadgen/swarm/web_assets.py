"""The scripts and styles of our pages: those in static/, and those that are made of the report's own.

The tab draws with the report's code and in the report's colours, from one source.
"""

from __future__ import annotations

import re
from pathlib import Path

from loadgen.show.export.page import STATIC as REPORT_STATIC
from loadgen.show.export.page import STYLE

MIMETYPES = {
    ".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml", ".png": "image/png",
}  # fmt: skip
LIBRARIES = ("d3.min.js", "plot.umd.min.js")
LIBRARY_STYLE = (REPORT_STATIC / "vendor" / "plot.style.css").read_text(encoding="utf-8")
"""What the drawing library adds to a page for each chart."""

_STATIC = Path(__file__).parent / "static"
_DRAWING = ("elements", "format", "window", "plots", "balance", "rounds")
_TAB, _PAGE = ".loadgen:not(.loadgen *, .loadgen-page *)", ".loadgen-page"
"""Where colours are set: the tab in Locust's page, and the whole of a page of ours."""


def assets() -> dict[str, bytes]:
    """Content by name."""
    found = {path.name: path.read_bytes() for path in _STATIC.iterdir() if path.suffix in MIMETYPES}
    found |= {name: (REPORT_STATIC / "vendor" / name).read_bytes() for name in LIBRARIES}
    return found | {"plots.js": _plots().encode(), "colours.css": colours(STYLE).encode()}


def _plots() -> str:
    """The report's drawing functions as a module. Names of the library are those that it has set."""
    texts = [(REPORT_STATIC / "report" / f"{name}.js").read_text(encoding="utf-8") for name in _DRAWING]
    return "\n".join((*(f'import "./{name}";' for name in LIBRARIES), *texts, "export { PLOTS };\n"))


def colours(style: str) -> str:
    """The colours of the report's style, as light or dark as the element's `data-theme` says."""
    light, dark = re.findall(r":root\{([^}]*)\}", style)[:2]
    return (
        f"{_TAB}, {_PAGE} {{{light};color-scheme:light}}\n"
        f"{_TAB}[data-theme=dark], {_PAGE}[data-theme=dark] {{{dark};color-scheme:dark}}\n"
    )
