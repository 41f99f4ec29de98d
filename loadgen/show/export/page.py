"""What every page of ours has: its style, its Content-Security-Policy, tables, pictures. Knows no run and no audit.

Whatever a target or a user could have written is escaped. The page's own policy lets a browser run no script and fetch
nothing, whatever a text in it may say.
"""

from __future__ import annotations

import base64
from hashlib import sha256
from html import escape as escape_html

from loadgen.model.characters import visible
from loadgen.show.tables.table import Table

# On a narrow screen tables and charts scroll in their frames; a shadow at an edge says that there is more beyond it.
STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1c1c1c;background:#fff;max-width:78rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem;overflow-wrap:anywhere}h2{font-size:1.15rem;margin-top:2.2rem}
.verdict{font-size:1.2rem;font-weight:600;border-left:4px solid #0072B2;padding:.4rem 1rem;background:#f3f7fa}
.warning{border-left:4px solid #D55E00;padding:.3rem 1rem;margin:.4rem 0;background:#fdf4ee;overflow-wrap:anywhere}
.scroll{overflow-x:auto;background:linear-gradient(90deg,#fff 1.5rem,#fff0) 0/3rem 100% no-repeat local,
linear-gradient(270deg,#fff 1.5rem,#fff0) 100%/3rem 100% no-repeat local,
linear-gradient(90deg,#0004,#0000) 0/.7rem 100% no-repeat,linear-gradient(270deg,#0004,#0000) 100%/.7rem 100% no-repeat}
table{border-collapse:collapse;font-size:.82rem;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .35rem;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}
th{white-space:normal;vertical-align:bottom;min-width:3.5rem}th:first-child,td:first-child{white-space:normal}
th:first-child,td:first-child{text-align:left}
img{display:block;width:100%;min-width:42rem;height:auto;mix-blend-mode:multiply}figure{margin:1.4rem 0}
th.text{text-align:left}td.text{text-align:left;min-width:4.5rem;white-space:normal;overflow-wrap:anywhere}.facts{color:#555}
th.group{text-align:left;padding-top:1.2rem;font-size:.95rem}td.long{min-width:13rem}
td.is-ok{color:#00704f}td.is-note{color:#00568a}td.is-warning{color:#9a4300;font-weight:600}
td.is-violation{color:#fff;background:#b3261e;font-weight:600}td.is-unknown{color:#666}
"""
_HASH = base64.b64encode(sha256(STYLE.encode()).digest()).decode("ascii")
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; base-uri 'none'; form-action 'none'"
"""The Content-Security-Policy of the page (W3C CSP 3): its own style, and pictures that are inside."""


def escape(text: str) -> str:
    """A text in the page, of which every character shows."""
    return escape_html(visible(text))


def opening(title: str) -> str:
    """The page down to its text. title: that of the browser's tab."""
    return "\n".join(
        (
            "<!doctype html><html lang=en><meta charset=utf-8>",
            f'<meta http-equiv=Content-Security-Policy content="{POLICY}">',  # before whatever it is to hold for
            f"<title>{escape(title)}</title>",
            f"<meta name=viewport content='width=device-width'><style>{STYLE}</style>",
        )
    )


def table_html(table: Table, of_class: str = "") -> str:
    """A table that scrolls in its frame. of_class: ` class=text` where its cells are sentences."""
    head = "".join(f"<th{of_class}>{escape(heading)}" for heading in table.headings)
    body = "".join("<tr>" + "".join(f"<td{of_class}>{escape(cell)}" for cell in row) for row in table.rows)
    return f"<div class=scroll tabindex=0><table><tr>{head}{body}</table></div>"


def picture(name: str, svg: bytes) -> str:
    """A drawing, with its name as the text in place of it."""
    # As an image, not inline: ids of several drawings would clash in one page.
    data = base64.b64encode(svg).decode("ascii")
    image = f"<img alt='{escape(name)}' src='data:image/svg+xml;base64,{data}'>"
    return f"<figure class=scroll tabindex=0>{image}</figure>"
