"""What every page of ours has: its style, its Content-Security-Policy, tables, pictures. Knows no run and no audit.

Whatever a target or a user could have written is escaped. The page's own policy lets a browser run no script but those
that are handed in here and fetch nothing, whatever a text in it may say.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from hashlib import sha256
from html import escape as escape_html
from pathlib import Path

from loadgen.model.characters import visible
from loadgen.show.tables.table import Table

_LONG = 40  # characters of a cell
STATIC = Path(__file__).parent / "static"
# On a narrow screen tables and charts scroll in their frames; a shadow at an edge says that there is more beyond it.
STYLE = (STATIC / "page.css").read_text(encoding="utf-8")


def policy(scripts: Sequence[str] = (), styles: Sequence[str] = ()) -> str:
    """The Content-Security-Policy of a page (W3C CSP 3): its own style, pictures that are inside, and these scripts.

    scripts, styles: the texts that the page may run, and those that a script may add to the page.
    """
    allowed = f"script-src {' '.join(map(hash_source, scripts))}; " if scripts else ""
    return (
        f"default-src 'none'; {allowed}style-src {' '.join(map(hash_source, (STYLE, *styles)))}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def hash_source(text: str) -> str:
    """How a policy names a text that a page may have inside, be it a style or a script."""
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode('ascii')}'"


POLICY = policy()
"""That of a page without a script."""


def escape(text: str) -> str:
    """A text in the page, of which every character shows."""
    return escape_html(visible(text))


def with_code(text: str) -> str:
    """A text of ours in the page, in which `backticks` mark what is to be typed."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def opening(title: str, of_policy: str = POLICY) -> str:
    """The page down to its text. title: that of the browser's tab."""
    return "\n".join(
        (
            "<!doctype html><html lang=en><meta charset=utf-8>",
            f'<meta http-equiv=Content-Security-Policy content="{of_policy}">',  # before whatever it is to hold for
            f"<title>{escape(title)}</title>",
            f"<meta name=viewport content='width=device-width'><style>{STYLE}</style>",
        )
    )


def table_html(table: Table, of_class: str = "") -> str:
    """A table that scrolls in its frame. of_class: ` class=text` where its cells are sentences."""
    head = "".join(f"<th{of_class}>{escape(heading)}" for heading in table.headings)
    body = "".join("<tr>" + "".join(_cell(cell, of_class) for cell in row) for row in table.rows)
    return f"<div class=scroll tabindex=0><table><thead><tr>{head}<tbody>{body}</table></div>"


def _cell(text: str, of_class: str) -> str:
    """A sentence gets a width at which it can be read, whatever the screen's."""
    is_long = of_class and len(text) > _LONG
    return f"<td{' class=' + repr('text long') if is_long else of_class}>{escape(text)}"


def section_html(title: str, table: Table, note: str = "", of_class: str = "") -> str:
    """A heading with its table and a note below; empty where the table has no rows."""
    if not table.rows:
        return ""
    below = f"<p>{escape(note)}</p>" if note else ""
    return f"<h2>{escape(title)}</h2>{table_html(table, of_class)}{below}"


def figure_html(plot: str, title: str, until_drawn: str = "") -> str:
    """A figure that the page's script fills with its chart `plot`. until_drawn: HTML that stands there before."""
    caption = f"<figcaption><h3>{escape(title)}</h3></figcaption>"
    return f"<figure class=scroll tabindex=0 data-plot={plot}>{caption}{until_drawn}</figure>"


def picture(name: str, svg: bytes) -> str:
    """A drawing, with its name as the text in place of it."""
    return f"<figure class=scroll tabindex=0>{image(name, svg)}</figure>"


def image(name: str, svg: bytes) -> str:
    """The drawing alone."""
    # As an image, not inline: ids of several drawings would clash in one page.
    data = base64.b64encode(svg).decode("ascii")
    return f"<img alt='{escape(name)}' src='data:image/svg+xml;base64,{data}'>"
