"""The scripts and styles of our pages in Locust are the report's, where both show the same."""

from __future__ import annotations

from loadgen.show.export.page import STATIC
from loadgen.swarm.web_assets import LIBRARIES, assets, colours


def test_pages_draw_with_the_report_s_own_code() -> None:
    found = assets()
    plots = found["plots.js"].decode()
    assert plots.startswith("".join(f'import "./{name}";\n' for name in LIBRARIES))
    assert (STATIC / "report" / "plots.js").read_text(encoding="utf-8") in plots
    assert plots.endswith("export { PLOTS };\n")
    for name in LIBRARIES:
        assert found[name] == (STATIC / "vendor" / name).read_bytes()


def test_colours_are_the_report_s_by_the_page_s_theme() -> None:
    style = ":root{color-scheme:light dark;--ink:#111}@media screen and (prefers-color-scheme:dark){:root{--ink:#eee}}"
    light, dark = colours(style).splitlines()
    assert light.endswith(".loadgen-page {color-scheme:light dark;--ink:#111;color-scheme:light}")
    assert dark.endswith(".loadgen-page[data-theme=dark] {--ink:#eee;color-scheme:dark}")
    assert b"--s0:#0072b2" in assets()["colours.css"]
