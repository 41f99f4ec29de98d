"""Several requests (--urls): what nginx logs is what each name counts."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from tests.support.logging_nginx import nginx
from tests.support.processes import compare, free_port
from tests.support.runner import run_cli

REQUESTS = (
    {"url": "/list?page=1", "weight": 3, "name": "GET /list?page=1"},
    {"url": "/cart", "method": "POST", "body": "id=1", "headers": {"X-Kind": "own"}},
    {"url": "/cart", "method": "PURGE", "weight": 2},
)
HEAD = {"url": "/head", "method": "HEAD"}


@pytest.mark.parametrize(
    ("policies", "requests", "more"),
    [
        ("persistent,recycle:3,close,pool:2", (*REQUESTS, HEAD), ("--users", "4", "--cookies")),
        ("persistent,close", (*REQUESTS, HEAD), ("--users", "4", "--processes", "2", "--max-samples", "200")),
        ("h2-prior+streams:3,h2-prior+pool:2+streams:3", REQUESTS, ("--users", "4")),
        ("pool:2", (*REQUESTS, HEAD), ("--rate", "200")),
    ],
)
def test_counts_by_name_are_those_of_the_log(
    tmp_path: Path, policies: str, requests: tuple[dict[str, object], ...], more: tuple[str, ...]
) -> None:
    port = free_port()
    (tmp_path / "urls.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in requests))
    mode = " http2" if "h2" in policies else ""
    cookie = 'add_header Set-Cookie "a=1; Path=/cart";' if "--cookies" in more else ""
    site = f"server {{ listen 127.0.0.1:{port}{mode}; {cookie} location / {{ return 200 hello; }} }}"
    with nginx(tmp_path, site, "$request_method $request_uri|$http_x_kind|$content_length|$cookie_a", port):
        summary = compare(
            f"http://127.0.0.1:{port}/", tmp_path / "run", "--urls", f"{tmp_path}/urls.jsonl", "--policies", policies,
            *more, "--export", "csv",
        )  # fmt: skip
    lines = [line.split("|") for line in (tmp_path / "access.log").read_text().splitlines()]
    found: Counter[str] = Counter()
    for one in summary["policies"].values():
        assert one["errors"] == {}
        assert sum(request["requests"] for request in one["by_name"]) == one["requests"]
        found.update({request["name"]: request["answered_with_warmup"] for request in one["by_name"]})
    assert found == Counter(line[0] for line in lines)
    with (tmp_path / "run" / "samples.csv").open(newline="", encoding="utf-8") as file:
        assert {row["request"] for row in csv.DictReader(file)} == found.keys()
    assert {(line[1], line[2]) for line in lines if line[0] == "POST /cart"} == {("own", "4")}
    cookies = {(line[0].split()[1], line[3]) for line in lines[len(lines) // 4 :]}
    assert ("/cart", "1") in cookies if cookie else {value for _, value in cookies} == {"-"}
    assert ("/head", "1") not in cookies
    shares = {one["name"]: one["weight"] for one in summary["plan"]["urls"]}
    total = sum(shares.values())
    for name, weight in shares.items():
        share = weight / total
        chance = 4 * (share * (1 - share) / len(lines)) ** 0.5  # a busy machine sends few
        assert found[name] / len(lines) == pytest.approx(share, abs=max(0.25 * share, chance))


def test_what_templates_become_is_in_the_log(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "v.csv").write_text("id,q\n1,a b\n2,c&d\n")
    lines = (
        {"url": "/item/{id}?q={q}", "csv": "v.csv", "headers": {"X-Kind": "{uuid} {user}"}, "name": "item"},
        {"url": "/n/{n}", "method": "PUT", "body": "{n} {random:10-99}", "name": "number"},
    )
    (tmp_path / "urls").write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    site = f"server {{ listen 127.0.0.1:{port}; location / {{ return 200 hello; }} }}"
    with nginx(tmp_path, site, "$request_method $request_uri|$http_x_kind|$content_length", port):
        url = f"http://127.0.0.1:{port}/"
        found = compare(url, tmp_path / "run", "--urls", f"{tmp_path}/urls", "--users", "2")["policies"]
    log = [line.split("|") for line in (tmp_path / "access.log").read_text().splitlines()]
    items = [line for line in log if line[0].startswith("GET ")]
    assert {line[0] for line in items} == {"GET /item/1?q=a%20b", "GET /item/2?q=c%26d"}
    assert len({line[1].split()[0] for line in items}) == len(items)
    assert {line[1].split()[1] for line in items} == {"0", "1"}
    numbers = [line for line in log if line[0].startswith("PUT /n/")]
    assert len({line[0] for line in numbers}) == len(numbers)  # no number is sent twice, whatever the block
    assert all(int(line[2]) == len(line[0].removeprefix("PUT /n/")) + 3 for line in numbers)
    counted = [request for one in found.values() for request in one["by_name"]]
    for name, sent in (("item", items), ("number", numbers)):
        assert sum(one["answered_with_warmup"] for one in counted if one["name"] == name) == len(sent)


def test_a_bad_list_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "urls").write_text('{"url": "/"}\n{"url": "/a", "weight": -1}\n')
    done = run_cli("compare", "http://127.0.0.1:9/", "--urls", "urls", cwd=tmp_path)
    assert done.code == 2
    assert done.stderr.strip().splitlines() == [
        "loadgen: --urls urls, line 2: the weight is -1; write a whole number from 1 to 1,000,000"
    ]


def test_the_first_url_says_where_paths_go(tmp_path: Path) -> None:
    (tmp_path / "urls").write_text('{"url": "/a"}\n{"url": "http+unix://%2Fno%2Fsocket/b"}\n')
    done = run_cli("compare", "--urls", "urls", cwd=tmp_path)
    assert done.code == 2
    assert "the socket file '/no/socket': No such file or directory" in done.stderr
