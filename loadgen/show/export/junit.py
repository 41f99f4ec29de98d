"""`junit.xml`: gates, policies and self-checks as test cases, as CI systems show them.

What fails here fails the command too: a gate, or a policy without an answer. A self-check that failed, or could not be
told, is a skipped case with its message: it is a warning, and JUnit has no such thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, TextIO
from xml.etree import ElementTree

from loadgen.model.characters import visible
from loadgen.model.summary import Summary
from loadgen.show.export.exporter import Exporter, RunData, Written

_NO_XML = re.compile(r"[\ufffe\uffff]")  # of the characters that XML 1.0 excludes, what `visible` leaves


class _Case(NamedTuple):
    """One case: it passed where it has neither message."""

    name: str
    failure: str = ""
    skipped: str = ""


def _write(run: RunData, stream: TextIO) -> None:
    summary = run.summary
    root = ElementTree.Element("testsuites", name="loadgen")
    # What the summary says in words stands with the last suite, which every run has.
    notes = [summary["verdict"], *(f"{one['code']}: {one['message']}" for one in summary["warnings"])]
    for name, cases, lines in (
        ("gates", list(_gates(summary)), []),
        ("self-checks", list(_checks(summary)), []),
        ("policies", list(_policies(summary)), notes),
    ):
        if cases:
            root.append(_suite(summary, name, cases, lines))
    ElementTree.indent(root)
    stream.write("<?xml version='1.0' encoding='UTF-8'?>\n")
    stream.write(ElementTree.tostring(root, encoding="unicode") + "\n")


def _gates(summary: Summary) -> Iterator[_Case]:
    for gate in summary.get("gates", ()):
        yield _Case(gate["expression"], failure="" if gate["passed"] else gate["message"])


def _checks(summary: Summary) -> Iterator[_Case]:
    for check in summary.get("checks", ()):
        yield _Case(check["question"], skipped="" if check["passed"] else check["message"])


def _policies(summary: Summary) -> Iterator[_Case]:
    for name, policy in summary["policies"].items():
        yield _Case(f"{name} was answered", failure="" if policy["requests"] else "no request was answered")


def _suite(summary: Summary, name: str, cases: list[_Case], lines: list[str]) -> ElementTree.Element:
    counts = {"failures": sum(bool(one.failure) for one in cases), "skipped": sum(bool(one.skipped) for one in cases)}
    suite = ElementTree.Element(
        "testsuite",
        {
            "name": f"loadgen {name}",
            "tests": str(len(cases)),
            **{key: str(value) for key, value in counts.items()},
            "errors": "0",
            "timestamp": _text(summary["environment"]["started"]),
        },
    )
    for one in cases:
        element = ElementTree.SubElement(suite, "testcase", name=_text(one.name), classname=f"loadgen.{name}")
        for kind, message in (("failure", one.failure), ("skipped", one.skipped)):
            if message:
                ElementTree.SubElement(element, kind, message=_text(message))
    if lines:
        ElementTree.SubElement(suite, "system-out").text = "\n".join(map(_text, lines))
    return suite


def _text(text: str) -> str:
    return _NO_XML.sub("?", visible(text))


JUNIT = Exporter(
    name="junit",
    file_name="junit.xml",
    title="gates as test cases",
    help="Gates, policies and self-checks as test cases.",
    written=Written.ON_REQUEST,
    write=_write,
)
