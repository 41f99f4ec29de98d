"""What draws the charts of our pages: the library, our own scripts, and the data in the page. Knows no run and no diff.

The library is Observable Plot with d3, which it needs. It draws SVG, so that a chart follows the page's colours (dark,
print), stays sharp on paper and can be read by a screen reader; it has scales, tips and intervals; both are under the
ISC licence and take 490 kB. uPlot (51 kB) draws on a canvas, in colours of its own. Vega-Lite (with Vega 770 kB) and
ECharts (1.1 MB) are larger; Vega compiles expressions to functions, which a content security policy forbids.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from loadgen.show.export.page import STATIC, policy

ChartData = dict[str, Any]
"""What charts are drawn from, by kind; `policies` has the names. Empty where there is nothing to draw."""

_OWN = ("elements", "format", "window", "plots", "balance", "page", "lines", "grid", "changes", "tables")
_LIBRARIES = ("d3.min.js", "plot.umd.min.js")


def scripts_html(data: ChartData) -> str:
    """The page's scripts, and the data that they draw; without data the tables sort, and that is all."""
    if not data:
        return _script(_own_script())
    text = f"<script type=application/json id=loadgen-data>{to_script_text(data)}</script>"
    return "\n".join((text, *map(_script, (*_libraries(), _own_script()))))


@cache
def scripted_policy() -> str:
    """The Content-Security-Policy of every such page: its scripts, and the style that the library adds to a chart."""
    return policy((*_libraries(), _own_script()), [_text("vendor/plot.style.css")])


def to_script_text(data: ChartData) -> str:
    """As JSON that ends no script element, whatever a name may be (HTML, "Restrictions for contents of script")."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _script(text: str) -> str:
    return f"<script>{text}</script>"


def _libraries() -> tuple[str, ...]:
    return tuple(_text(f"vendor/{name}") for name in _LIBRARIES)


@cache
def _own_script() -> str:
    """Our own files as one script, so that none of their names is global."""
    texts = "\n".join(_text(f"report/{name}.js") for name in _OWN)
    return f'(() => {{\n"use strict";\n{texts}}})();'


@cache
def _text(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
