"""README and docs are true where no process is needed to tell: links, tables made from code, figures of the example."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from loadgen.cli.commands import cli
from loadgen.cli.habits import ANSWERS
from loadgen.model.options import OPTIONS
from loadgen.model.policy import PARTS
from loadgen.show.charts import CHARTS
from loadgen.show.export.markdown import render as markdown
from tests.support.documents import PAGES, ROOT, anchors, commands, links, text_of
from tests.support.generated_docs import PAGES as GENERATED

README = ROOT / "README.md"


@pytest.mark.parametrize(("path", "make"), GENERATED.items(), ids=[path.name for path in GENERATED])
def test_generated_pages_are_up_to_date(path: Path, make: Callable[[], str]) -> None:
    assert path.read_text(encoding="utf-8") == make(), "run `make docs`"


def test_links_lead_somewhere() -> None:
    broken = []
    for page in PAGES:
        for link in links(page):
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert broken == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached = {(ROOT / link.partition("#")[0]).resolve() for link in links(README)}
    assert {page for page in PAGES if page.parent.name == "docs"} <= reached


def test_the_readme_is_short() -> None:
    assert len(text_of(README).splitlines()) <= 200


def test_the_table_is_the_example_s() -> None:
    summary = json.loads((ROOT / "results" / "example" / "summary.json").read_text(encoding="utf-8"))
    verdict_and_policies = markdown(summary).partition("\n| question |")[0]
    assert verdict_and_policies in text_of(README)


def test_every_part_of_a_policy_is_explained() -> None:
    page = text_of(ROOT / "docs" / "policies.md")
    heads = []
    for name, part in PARTS.items():
        parameter = f":{part.parameter.split('|')[0].split('[')[0]}" if part.parameter else ""
        heads.append(f"| `{name}{parameter}` |")
    missing = [head for head in heads if head not in page]
    assert missing == [], f"add a row that begins so to a table of docs/policies.md: {missing}"


def test_every_command_has_a_row() -> None:
    page = text_of(ROOT / "docs" / "commands.md")
    shown = [name for name, command in cli.commands.items() if not command.hidden]
    assert [name for name in shown if f"`loadgen {name}" not in page] == []


def test_every_option_that_is_named_exists() -> None:
    """Of loadgen, of its target, of Locust or of tools that the pages speak of."""
    known = {f"--{option.key}" for option in OPTIONS}
    for command in cli.commands.values():
        known |= {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    locusts = {
        "--headless",
        "--autostart",
        "--config",
        "--class-picker",
        "--master",
        "--worker",
        "--web-host",
        "--web-port",
        "--host",
        "--master-bind-host",
    }
    known |= locusts | {"--help", "--version", "--plan", "--resume", "--log-cli-level"}
    known |= ANSWERS.keys()  # of other tools
    named = {
        (page.name, option)
        for page in PAGES
        if page.name not in ("CONTRIBUTING.md", "settings.md")  # those name options of other programs
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text_of(page))
    }
    assert sorted((page, option) for page, option in named if option not in known) == []


def test_every_chart_is_drawn_in_the_example_or_belongs_to_a_sweep() -> None:
    drawn = {path.stem for path in (ROOT / "results" / "example").glob("*.svg")}
    assert drawn <= set(CHARTS)


def test_the_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.M))
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z]+)", text_of(page))}
    named |= {line.split()[1] for line in commands() if line.startswith("make ")}
    assert named <= targets


def test_files_that_the_pages_name_exist() -> None:
    """Paths of the code: a page that names a module which has moved misleads."""
    folders = [ROOT, ROOT / "loadgen", *(path for path in (ROOT / "loadgen").rglob("*") if path.is_dir())]
    missing = [
        f"{page.relative_to(ROOT)}: {name}"
        for page in PAGES
        for name in re.findall(r"`([\w/]+\.py)`", text_of(page))
        if not re.search("NAME|GROUP", name)  # a file that the reader is to add
        and not any((folder / name).is_file() for folder in folders)
    ]
    assert missing == []
