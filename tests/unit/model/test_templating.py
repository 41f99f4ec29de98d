"""The plan's one request as a template: what stands where, what is refused, what is recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loadgen.model.csv_value_type import CsvFile
from loadgen.model.csv_values import CsvValues, read_csv
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.request_list import read_requests
from loadgen.model.target import parse_target
from loadgen.model.template_check import checked_names
from loadgen.model.template_options import TEMPLATE_OPTIONS
from loadgen.model.templating import Templating, template_path

VALUES = CsvValues(("id", "text"), (("1", "a"), ("2", "a\nb")), "v.csv")
CSV = CsvFile()


def plan(url: str = "http://h/{n}", **values: Any) -> Plan:
    return Plan(**{
        "target": parse_target(url), "policies": parse_policies("persistent,close"), "templating": Templating(True),
        **values,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://h/{n}?u={user}", "/{n}?u={user}"),
        ("http://h/{random:1-100}/{{n}}", "/{random:1-100}/%7Bn%7D"),
        ("http://h/{/}/{n}}", "/%7B/%7D/{n}%7D"),
        ("http://h/a%20b{n}", "/a%20b{n}"),
    ],
)
def test_braces_of_templates_come_back_from_a_url(url: str, path: str) -> None:
    assert template_path(parse_target(url).path) == path


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"url": "http://h/"}, "URL, --header and --data hold no template"),
        ({"url": "http://h/{id}"}, "the template {id} is unknown; use {n}, {user}, {uuid}, {random:1-100}"),
        ({"url": "http://h/{random:9-1}"}, "has no range of numbers"),
        ({"url": "http://h/", "body": b'{"a": {nn}}', "method": "PUT"}, "the template {nn} is unknown"),
        ({"templating": Templating(True, VALUES)}, "no column of csv v.csv is used; it has id, text"),
        ({"headers": (("X-A", "{text}"),), "templating": Templating(True, VALUES)}, "holds a control character"),
        ({"templating": Templating(False, VALUES)}, "--template-csv is for templates; give --template too"),
        ({"requests": read_requests('{"url": "/"}')}, "leave out --urls"),
        ({"retry_stale": True}, "leave out --retry-stale"),
        ({"policies": parse_policies("websocket"), "body": b"{n}"}, "the policy websocket sends messages"),
    ],
)
def test_what_can_not_be_filled_is_refused(values: dict[str, Any], complaint: str) -> None:
    with pytest.raises(PlanError) as error:
        plan(**values)
    assert complaint in str(error.value)


def test_without_the_option_braces_are_text() -> None:
    assert plan("http://h/{id}", templating=Templating(), body=b'{"id": {nn}}', method="PUT").target.path == "/%7Bid%7D"


def test_a_recorded_run_has_the_file_and_not_its_rows(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("id\n1\n")
    values = CSV.make(f"{tmp_path}/v.csv")
    original = plan("http://h/{id}", templating=Templating(True, values))
    assert Plan.from_json(json.loads(json.dumps(original.to_json(secrets=True)))) == original
    recorded = original.to_json(secrets=False)
    assert recorded["csv"] == {"file": f"{tmp_path}/v.csv", "columns": ["id"], "rows": []}
    assert CSV.json.fits(recorded["csv"])
    restored = Plan.from_json(recorded).templating.values
    assert restored is not None
    assert read_csv(Path(str(CSV.write(restored)))).rows == (("1",),)
    assert (CSV.record(None, secrets=True), CSV.restore(None), CSV.write(None)) == (None, None, None)
    assert CSV.make("") is None
    assert CSV.from_folder("v.csv", tmp_path) == f"{tmp_path}/v.csv"


def test_a_csv_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "short").write_text("id,x\n1,2\n3\n")
    for name, complaint in (("short", "line 3: it has 1 of 2 values"), ("nowhere", "No such file")):
        with pytest.raises(PlanError, match=complaint) as error:
            CSV.make(f"{tmp_path}/{name}")
        assert str(error.value).startswith(f"--template-csv {tmp_path}/{name}")


def test_names_are_those_of_path_fields_and_body() -> None:
    names = checked_names("/{n}", (("X-A", "{id}"),), b'{"a": {user}, "b": {}}\xff', CsvValues(("id",), (("1",),)))
    assert names == ["n", "id", "user"]


def test_locust_has_the_options_too() -> None:
    assert [option.key for option in TEMPLATE_OPTIONS if option.locust is not None] == ["template", "template-csv"]
