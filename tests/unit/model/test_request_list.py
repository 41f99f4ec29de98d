from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.planned_request import PlannedRequest
from loadgen.model.policy import parse_policies
from loadgen.model.request_list import as_lines, read_requests
from loadgen.model.target import parse_target

LINES = """# the shop
{"url": "/list?page=1", "weight": 3, "name": "list"}

{"url": "http://H:80/cart", "method": "post", "headers": {"X-A": "b"}, "body": "@item.json"}
{"url": "/", "method": "PURGE", "body": "text"}
"""


def plan(requests: tuple[PlannedRequest, ...], **changes: Any) -> Plan:
    fields = {"target": parse_target("http://h/"), "policies": parse_policies("persistent,close"), **changes}
    return Plan(**fields, requests=requests)


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "item.json").write_bytes(b"\x00item")
    (tmp_path / "urls").write_text(LINES)
    assert read_requests(f"{tmp_path}/urls") == (
        PlannedRequest("list", "/list?page=1", weight=3),
        PlannedRequest("POST /cart", "/cart", 1, "POST", "http://h", (("X-A", "b"),), b"\x00item"),
        PlannedRequest("PURGE /", "/", method="PURGE", body=b"text"),
    )


def test_a_list_comes_back_from_its_lines_and_from_a_recorded_run() -> None:
    requests = read_requests('{"url": "/a", "method": "PUT", "headers": {"X-A": "b"}, "body": "x", "weight": 2}')
    assert read_requests(as_lines(requests)) == requests
    original = plan(requests)
    assert Plan.from_json(json.loads(json.dumps(original.to_json(secrets=True)))) == original


def test_credentials_are_not_recorded() -> None:
    requests = read_requests('{"url": "/a?token=T0P", "headers": {"Authorization": "T0P"}, "body": "password=T0P"}')
    assert "T0P" not in json.dumps(plan(requests).to_json(secrets=False)["urls"][0] | {"body_base64": ""})
    with pytest.raises(PlanError, match="line 1: its header Authorization was not recorded; give --urls again"):
        read_requests(as_lines(requests))


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ('{"url": "/", "headers": {"Authorization": "T0P"}}', "its header Authorization"),
        ('{"url": "/a?token=T0P"}', "its token"),
        ('{"url": "/", "body": "a=b&password=T0P"}', "its password"),
        ('{"url": "/", "body": "{\\"pin\\": 1, \\"secret\\": {\\"a\\": 1}}"}', "its secret"),
        ('{"url": "/", "body": "*** is no secret", "headers": {"X-A": "a ***"}}', ""),
    ],
)
def test_what_a_plan_lacks_must_be_given_again(line: str, missing: str) -> None:
    (request,) = read_requests(line)
    (restored,) = Plan.from_json(plan((request,)).to_json(secrets=False)).requests
    assert (request.missing, restored.missing) == ("", missing)
    lines = as_lines((request,))
    if not missing:
        assert read_requests(lines) == (request,)
        return
    with pytest.raises(PlanError, match=f"line 1: {missing} was not recorded; give --urls again"):
        read_requests(lines)


def test_a_request_without_templates_says_the_same_with_and_without_others(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"{n} {{n}} {other}\xff")
    (tmp_path / "urls").write_text(
        '{"url": "/{{n}}?a={{a:b}}", "headers": {"X-A": "{{n}} {"}, "body": "{{n}}"}\n'
        '{"url": "/{{n}}?a={{a:b}}&b={user}", "headers": {"X-A": "{{n}} {"}, "body": "{{n}}"}\n'
        '{"url": "/file", "body": "@file"}\n'
    )
    plain, template, of_file = requests = read_requests(f"{tmp_path}/urls")
    assert (plain.path, plain.headers, plain.body) == ("/%7Bn%7D?a=%7Ba:b%7D", (("X-A", "{n} {"),), b"{n}")
    assert (template.path, template.is_template) == ("/%7Bn%7D?a=%7Ba:b%7D&b={user}", True)
    assert (of_file.is_template, of_file.body) == (False, b"{n} {{n}} {other}\xff")
    assert read_requests(as_lines(requests)) == requests


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("GET /", "it is not JSON"),
        ("[]", "it is no JSON object"),
        ("{}", "it has no url"),
        ('{"url": 1}', "url is not a text"),
        ('{"url": "ftp://h/"}', "scheme 'ftp' is unknown"),
        ('{"url": "/", "methode": "GET"}', "the key 'methode' is unknown"),
        ('{"url": "/", "method": "GET IT"}', "is not a token"),
        ('{"url": "/", "weight": 0}', "the weight is 0"),
        ('{"url": "/", "weight": true}', "the weight is true"),
        ('{"url": "/", "weight": "many"}', 'the weight is "many"'),
        ('{"url": "/", "headers": ["X"]}', "headers is no object of texts"),
        ('{"url": "/", "headers": {"Connection": "close"}}', "the connection policy sets it"),
        ('{"url": "/", "name": ""}', "the name '' can't be used"),
        ('{"url": "/", "body": "@nowhere"}', "line 2: body /"),
        ('{"url": "/", "body": "@"}', "body @ names no file; write it like @picture.png"),
        ('{"url": "/first"}', "the name '/first' stands in line 1 too"),
        ('{"url": "/{nn}"}', "the template {nn} is unknown; use {n}, {user}, {uuid}"),
        ('{"url": "/{random:9-1}"}', "has no range of numbers"),
        ('{"url": "http://{n}/"}', "does not stand in the URL's path or query"),
        ('{"url": "/{id}", "csv": "nowhere"}', "No such file"),
        ('{"url": "/{id}", "csv": "short"}', "line 3: it has 1 of 2 values"),
        ('{"url": "/{n}", "csv": "good"}', "no column of csv good is used; it has id, x"),
        ('{"url": "/", "headers": {"X-A": "{x}"}, "csv": "good"}', "holds a control character"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "urls"
    (tmp_path / "short").write_text("id,x\n1,2\n3\n")
    (tmp_path / "good").write_text('id,x\n1,"a\nb"\n')
    path.write_text(f'{{"url": "/first"}}\n{line}\n')
    with pytest.raises(PlanError) as error:
        read_requests(f"{path}")
    assert str(error.value).startswith(f"--urls {path}, line 2: ")
    assert complaint in str(error.value)


def test_what_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("# nothing\n")
    (tmp_path / "binary").write_bytes(b"\xff")
    (tmp_path / "long").write_text("".join(f'{{"url": "/{number}"}}\n' for number in range(1_001)))
    for name, complaint in (
        ("missing", "No such file"), ("empty", "lists no request"), ("binary", "not in UTF-8"), ("long", "1,001"),
    ):  # fmt: skip
        with pytest.raises(PlanError, match=complaint):
            read_requests(f"{tmp_path / name}")


def test_a_request_has_the_plans_fields_where_it_has_none() -> None:
    (request,) = read_requests('{"url": "/", "headers": {"x-a": "own"}}')
    alone = plan((request,), method="PUT", headers=(("X-A", "a"), ("X-B", "b")), body=b"body").of_request(request)
    assert (alone.method, alone.body) == ("PUT", b"body")
    assert alone.headers == (("X-B", "b"), ("x-a", "own"))


def test_templates_are_kept_for_when_they_are_sent(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("id,q\n1,a b\n2,c\n", encoding="utf-8-sig")
    (tmp_path / "file").write_bytes(b"{n} {other}\xff")
    (tmp_path / "urls").write_text(
        '{"url": "/{id}?a={{id}}&b=c", "csv": "v.csv"}\n'
        '{"url": "/b", "body": "{\\"a\\": {n}}"}\n{"url": "/c", "body": "@file"}\n{"url": "/d", "body": "{{n}}"}\n'
    )
    with_csv, of_text, of_file, plain = read_requests(f"{tmp_path}/urls")
    assert (with_csv.path, with_csv.values.rows) == ("/{id}?a=%7Bid%7D&b=c", (("1", "a b"), ("2", "c")))
    assert (of_text.is_template, of_text.body) == (True, b'{"a": {n}}')
    assert (of_file.is_template, of_file.body) == (False, b"{n} {other}\xff")
    assert (plain.is_template, plain.body) == (False, b"{n}")
    original = plan((with_csv, of_text))
    assert Plan.from_json(json.loads(json.dumps(original.to_json(secrets=True)))) == original
    recorded = original.to_json(secrets=False)["urls"]
    assert [one["rows"] for one in recorded] == [[], []]
    with pytest.raises(PlanError, match="was not recorded; give --urls again"):
        read_requests(as_lines((with_csv,)))
