"""Plan files: what they may say, what they complain of, and that a saved plan is the plan again."""

from __future__ import annotations

import json
import tempfile
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from loadgen.cli.commands import compare, sweep
from loadgen.cli.plan_builder import build_plan
from loadgen.cli.plan_writer import save_plan
from loadgen.model.arrivals import ARRIVALS
from loadgen.model.cell import Axes
from loadgen.model.exceptions import PlanError
from loadgen.model.headers import parse_header
from loadgen.model.plan import Load, Plan
from loadgen.model.plan_fields import axis_types, json_types
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.model.units import MAX_DURATION_NS, NS_PER_MS
from tests.support.plans import URL, options_of, planned
from tests.support.runner import run_cli

FULL = """
url = "http://127.0.0.1:8080/"
policies = ["persistent", "recycle:10"]
users = 7
block = "3s"
warmup = "1s"
headers = ["X-One: 1", "X-Two: 2"]
data = "hello"
max-body = 1000
retry_stale = true
method = "PUT"
cookies = false
source-ips = "127.0.0.1"
seed = 5
"""


def write(folder: Path, text: str) -> str:
    path = folder / "plan.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_holds_what_the_flags_hold(tmp_path: Path) -> None:
    flags = [URL, "--policies", "persistent,recycle:10", "--users", "7", "--block", "3s", "--warmup", "1s", "-X", "PUT"]
    flags += ["-H", "X-One: 1", "-H", "X-Two: 2", "--data", "hello", "--max-body", "1000", "--retry-stale"]
    flags += ["--no-cookies", "--source-ip", "127.0.0.1", "--seed", "5"]
    assert planned(compare, "--plan", write(tmp_path, FULL)) == planned(compare, *flags)


def test_the_command_line_wins(tmp_path: Path) -> None:
    plan = write(tmp_path, FULL)
    found = planned(
        compare, "--users", "9", "--plan", plan, "http://127.0.0.2/", "-H", "x-two: mine", "-H", "X-New: n", "--cookies"
    )
    assert (found.load.users, found.target.host, found.cookies) == (9, "127.0.0.2", True)
    assert found.headers == (("X-One", "1"), ("x-two", "mine"), ("X-New", "n"))
    assert found.load.block_ns == 3_000_000_000


def test_opposites_on_the_command_line_displace_the_files(tmp_path: Path) -> None:
    assert planned(compare, URL, "--plan", write(tmp_path, "tls = true")).target.scheme == "http"
    (tmp_path / "ca.pem").touch()
    given = planned(compare, "--plan", write(tmp_path, f'url = "{URL}"\ncacert = "ca.pem"'), "--insecure")
    assert (given.cacert, given.insecure) == (None, True)


def test_files_are_sought_beside_the_plan(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    (tmp_path / "body").write_bytes(b"\xff")
    plan = planned(compare, URL, "--plan", write(tmp_path, 'cacert = "ca.pem"\ndata = "@body"'))
    assert (plan.cacert, plan.body, plan.method) == (str((tmp_path / "ca.pem").resolve()), b"\xff", "POST")


@pytest.mark.parametrize("recycle", ['"1,2,inf"', '[1, 2, "inf"]', '["1", "2", "inf"]'])
def test_grids(tmp_path: Path, recycle: str) -> None:
    plan = planned(sweep, URL, "--plan", write(tmp_path, f"recycle = {recycle}\nusers = [1, 10]"))
    assert plan.axes == Axes(users=(1, 10), recycle=("1", "2", "inf"))
    plan = planned(sweep, URL, "--plan", write(tmp_path, "rate = [0.5, 100]\nusers = 3"))
    assert (plan.axes, plan.load.users) == (Axes(rate=(0.5, 100.0)), 3)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('polices = "close"', "did you mean 'policies'"),
        ("max_conections = 5", "did you mean 'max-connections'"),
        ("zzzzz = 1", "choose from"),
        ("[load]\nusers = 1", "'load' is unknown"),
        ("recycle = [1, 2]", "is for loadgen sweep"),
        ("plan = 'other.toml'", "is unknown"),
        ("block = 2", 'block is 2; write a duration with its unit in quotes, like "2s"'),
        ('block = "2"', "block: '2' is not a duration"),
        ('users = "many"', 'users is "many"; write a whole number'),
        ("users = [1, 10]", "'users' as a list is for loadgen sweep"),
        ("users = true", "write a whole number"),
        ("users = 1.5", "write a whole number"),
        ('rate = "fast"', "write a number"),
        ('insecure = "yes"', "write true or false"),
        ("url = 8080", "write a text in quotes"),
        ("url = 1979-05-27", "write a text in quotes"),
        ("headers = {a = 1}", "or a list of such"),
        (
            "targets = {a = 1}",
            'a table of names and URLs, or a text like "new=http://127.0.0.1:8080/", or a list of such',
        ),
        ("policies = [1]", "write a text in quotes, or a list of such"),
        ('arrivals = "weekly"', "arrivals: 'weekly' is not one of"),
        ("max-connections = 5\nmax_connections = 5", "says again"),
        ('header = "A: b"\nheaders = "A: b"', "says again"),
        ('data = "@nowhere"', "No such file"),
        ('data-base64 = "?"', "not base64"),
        ("users = ", "is not TOML"),
    ],
)
def test_complaints_name_file_and_key(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(PlanError) as caught:
        planned(compare, URL, "--plan", write(tmp_path, text))
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("gap = [10]", "write a duration"),
        ("recycle = [true]", 'write a whole number or "inf"'),
        ("size = []", "names no value"),
        ("users = [1, 2.5]", "write a whole number, or a list of such"),
    ],
)
def test_complaints_about_grids(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(PlanError, match=r"plan\.toml") as caught:
        planned(sweep, URL, "--plan", write(tmp_path, text))
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("no.toml", None, "No such file"),
        ("no.json", None, "No such file"),
        ("a.json", "{", "is not JSON, seen from line 1, column 2"),
        ("a.json", "[" * 100_000, "is not JSON"),
        ("a.json", b"\xff", "is not JSON"),
        ("a.json", "[]", "holds no run: it is not a JSON object"),
        ("a.json", "{}", "holds no run's plan: plan is missing"),
        ("a.json", '{"plan": []}', "holds no run's plan: plan is \\[\\]; it must be an object"),
        ("a.json", '{"plan": {"url": "http://a/"}}', "plan.policies is missing"),
        ("a.toml", b"\xff", "is not TOML: it is not in UTF-8"),
        (".", None, "holds no run"),
    ],
)
def test_what_is_no_plan(tmp_path: Path, name: str, content: str | bytes | None, complaint: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(PlanError, match=complaint):
        planned(compare, "--plan", str(tmp_path / name))


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"usres": 5}, "plan.usres is unknown; did you mean 'users'?"),
        ({"zzzzz": 5}, "plan.zzzzz is unknown; choose from url, targets, urls, policies"),
        ({"axes": {"gpa": []}}, "plan.axes.gpa is unknown; did you mean 'gap'?"),
        ({"url": "nowhere"}, "has no scheme"),
        ({"url": 5}, "plan.url is 5; it must be a text"),
        ({"users": "many"}, 'plan.users is "many"; it must be a whole number'),
        ({"users": True}, "plan.users is true; it must be a whole number"),
        ({"users": 0}, "--users is 0"),
        ({"think_ns": -1}, "plan.think_ns is -1; it must be a whole number"),
        ({"block_ns": 10**30}, "it must be a whole number"),
        ({"rate_rps": float("nan")}, "--rate is nan"),
        ({"rate_rps": None}, "plan.rate_rps is missing or null; it must be a number"),
        ({"policies": "close"}, 'plan.policies is "close"; it must be a list of texts'),
        ({"headers": [["X"]]}, 'plan.headers is [["X"]]; it must be a list of [name, value]'),
        ({"headers": [["X", "a\nb"]]}, "control character"),
        ({"body_base64": "?"}, 'plan.body_base64 is "?"; it must be base64'),
        ({"body_base64": "é" * 99}, "é…; it must be base64"),
        ({"insecure": "no"}, 'plan.insecure is "no"; it must be true or false'),
        ({"source_ips": [1]}, "plan.source_ips is [1]; it must be a list of texts"),
        ({"axes": []}, "plan.axes is []; it must be an object"),
        ({"axes": {"users": 5}}, "plan.axes.users is 5; it must be a list of whole numbers"),
        ({"axes": {"recycle": [5]}}, "plan.axes.recycle is [5]; it must be a list of texts"),
    ],
)
def test_a_recorded_plan_that_was_edited(tmp_path: Path, changed: dict[str, Any], complaint: str) -> None:
    facts = {"plan": planned(compare, URL).to_json(secrets=False) | changed}
    path = tmp_path / "run.json"
    path.write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(PlanError) as caught:
        planned(compare, "--plan", str(path))
    assert str(caught.value).startswith(f"--plan {path}: ")
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_axis_of_an_older_name_is_taken_where_it_was_not_used(tmp_path: Path) -> None:
    plan = planned(compare, URL)
    recorded = plan.to_json(secrets=False)
    axes = recorded["axes"]
    axes["idle"] = axes.pop("gap")
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"plan": recorded}), encoding="utf-8")
    assert planned(compare, "--plan", str(path)) == plan
    axes["idle"] = ["1s"]
    path.write_text(json.dumps({"plan": recorded}), encoding="utf-8")
    with pytest.raises(PlanError, match=r"axes\.idle is called gap now"):
        planned(compare, "--plan", str(path))


def test_every_key_of_a_plan_is_known() -> None:
    written = planned(sweep, URL, "--recycle", "1,2").to_json(secrets=True)
    assert written.keys() == json_types().keys()
    assert written["axes"].keys() == axis_types().keys()


@pytest.mark.parametrize("text", ["rate = 100\narrivals = 'poisson'\nmax-connections = 5\nusers = 3", "users = 3"])
def test_users_or_a_rate_on_the_command_line_win(tmp_path: Path, text: str) -> None:
    file = write(tmp_path, text)
    closed = planned(compare, URL, "--plan", file, "--users", "7").load
    assert (closed.users, closed.rate_rps, closed.arrivals, closed.max_connections) == (7, 0.0, "constant", 1_000)
    opened = planned(compare, URL, "--plan", file, "--rate", "9").load
    assert (opened.users, opened.rate_rps) == (50, 9.0)


def test_a_rate_on_the_command_line_displaces_an_axis_of_users(tmp_path: Path) -> None:
    plan = planned(sweep, URL, "--plan", write(tmp_path, "users = [1, 10]"), "--rate", "5,6")
    assert (plan.axes, plan.load.users) == (Axes(rate=(5.0, 6.0)), 10)
    with pytest.raises(PlanError, match="can't be varied together"):
        planned(sweep, URL, "--plan", write(tmp_path, "users = [1, 10]\nrate = 5"))


def run_of(folder: Path, plan: Plan, environment: dict[str, Any] | None = None) -> str:
    facts = {"name": "it", "plan": plan.to_json(secrets=False), "environment": environment or {}}
    (folder / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    return str(folder)


def test_a_run_runs_again_as_it_stands(tmp_path: Path) -> None:
    plan = planned(
        compare, URL, "--data", "@" + __file__, "-H", "X: ***x", "--policies", "recycle:3+gap:2ms", "--seed", "3"
    )
    assert planned(compare, "--plan", run_of(tmp_path, plan)) == plan
    assert planned(compare, "--plan", run_of(tmp_path, plan) + "/run.json") == plan
    assert planned(compare, "--plan", run_of(tmp_path, replace(plan, server_pid=9))) == plan
    grid = planned(sweep, URL, "--recycle", "1,inf", "--users", "1,2")
    assert planned(sweep, "--plan", run_of(tmp_path, grid)) == grid
    with pytest.raises(PlanError, match="for loadgen sweep"):
        planned(compare, "--plan", run_of(tmp_path, grid))


def test_a_run_against_the_embedded_target_gets_a_new_one(tmp_path: Path) -> None:
    ran = replace(planned(compare, "--tls", "--policies", "close-resume"), cacert="target-ca.pem", server_pid=9)
    folder = run_of(tmp_path, ran, {"embedded_target": None})
    options = options_of(compare, "--plan", folder)
    assert (options["url"], options["tls"], options["cacert"]) == (None, True, None)
    assert build_plan(options) == replace(ran, cacert=None, server_pid=None)
    assert planned(compare, "--plan", folder, "https://127.0.0.1/").target.host == "127.0.0.1"


def test_credentials_are_given_again(tmp_path: Path) -> None:
    plan = planned(compare, URL, "-H", "Authorization: Bearer sesame", "-H", "X-One: 1", "--seed", "3")
    folder = run_of(tmp_path, plan)
    with pytest.raises(PlanError, match="give it again with -H 'Authorization"):
        planned(compare, "--plan", folder)
    again = planned(compare, "--plan", folder, "-H", "authorization: Bearer sesame")
    assert set(again.headers) == {("X-One", "1"), ("authorization", "Bearer sesame")}


def test_saving_leaves_credentials_out_and_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    plan = planned(compare, URL, "-H", "Authorization: sesame", "-H", "X-One: 1", "-H", "Cookie: sesame")
    assert save_plan(path, plan, embedded=False) == ["Authorization", "Cookie"]
    text = path.read_text(encoding="utf-8")
    assert "sesame" not in text
    assert "Authorization" in text.splitlines()[0]
    assert tomllib.loads(text)["headers"] == ["X-One: 1"]
    with pytest.raises(PlanError, match="never overwritten"):
        save_plan(path, plan, embedded=False)
    with pytest.raises(PlanError, match="No such file"):
        save_plan(tmp_path / "nowhere" / "plan.toml", plan, embedded=False)


_NAMES = st.sampled_from(["persistent", "close", "pool:3:fifo", "abandon", "http10", "lifetime:20ms", "recycle:3"])
_GAPS = st.integers(1, 10_000).map(lambda number: f"{number}ms")
_AXES = st.builds(
    Axes,
    users=st.just(()),
    # 7 and 007 are one value, and a grid refuses to hold one twice.
    recycle=st.lists(
        st.integers(1, 500).map(str) | st.sampled_from(["inf", "007"]),
        max_size=3,
        unique_by=lambda one: one.lstrip("0"),
    ).map(tuple),
    gap=st.just(()),
    size=st.lists(st.integers(0, 9_999), max_size=2, unique=True).map(tuple),
)
_VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f")).map(str.strip)

_HEADERS = st.dictionaries(st.sampled_from("ABC"), _VALUE).map(
    lambda found: tuple(parse_header(f"X-{name}: {value}") for name, value in found.items())
)


@st.composite
def _plans(draw: st.DrawFn) -> Plan:
    axes = draw(_AXES)
    block_ns = draw(st.integers(10 * NS_PER_MS, 10**13))
    rate_rps = draw(st.just(0.0) | st.floats(0.001, 1e6))
    if not rate_rps:
        gap = tuple(draw(st.lists(_GAPS, max_size=2, unique=True))) if "1" not in axes.recycle else ()
        axes = replace(axes, gap=gap, users=draw(st.sampled_from([(), (3, 20)])))
    names = [] if axes.recycle or axes.gap else draw(st.lists(_NAMES, min_size=1, max_size=3, unique=True))
    precision: dict[str, Any] = {}
    round_ns = len(names) * block_ns
    if not axes and len(names) > 1 and 5 * round_ns <= MAX_DURATION_NS and draw(st.booleans()):
        precision = {
            "until_precision": draw(st.integers(1, 10_000)) / 10_000,
            "max_time_ns": draw(st.integers(5 * round_ns, MAX_DURATION_NS)),
        }
    load = Load(
        users=axes.users[0] if axes.users else draw(st.integers(1, 999)),
        rounds=draw(st.integers(5 if precision else 1, 9)),
        block_ns=block_ns,
        warmup_ns=draw(st.integers(0, block_ns - 1)),
        think_ns=0 if rate_rps else draw(st.integers(0, 10**12)),
        timeout_ns=draw(st.integers(NS_PER_MS, 10**12)),
        rate_rps=rate_rps,
        **(
            {"arrivals": draw(st.sampled_from(ARRIVALS)), "max_connections": draw(st.integers(1, 999))}
            if rate_rps
            else {}
        ),
    )
    url = draw(st.sampled_from(["http://[::1]:81/", "https://example.org/a?b=%20"]))
    plan = Plan(
        target=parse_target(url + ("{size}" if axes.size else "")),
        policies=parse_policies(",".join(names)) if names else (),
        load=load,
        method=draw(st.sampled_from(["GET", "PUT"])),
        headers=draw(_HEADERS),
        body=draw(st.binary() | st.text().map(lambda text: text.encode("utf-8"))),
        insecure=draw(st.booleans()),
        max_body_bytes=draw(st.integers(0, 1 << 40)),
        seed=draw(st.integers(0, 1 << 40)),
        retry_stale=draw(st.booleans()),
        cookies=draw(st.booleans()),
        source_ips=tuple(draw(st.lists(st.ip_addresses().map(str), max_size=2))),
        server_pid=draw(st.none() | st.integers(1, 1 << 22)),
        axes=axes,
        **precision,
    )
    assume(not axes or len(plan.cells) > 1)
    return plan


@settings(max_examples=150, deadline=None)
@given(_plans())
def test_a_saved_plan_is_the_plan_again(plan: Plan) -> None:
    command: click.Command = sweep if plan.axes else compare
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.toml"
        assert save_plan(path, plan, embedded=False) == []
        assert planned(command, "--plan", str(path)) == plan


def test_dry_run_writes_the_plan_and_runs_nothing(tmp_path: Path) -> None:
    done = run_cli("compare", "--dry-run", "--save-plan", "p.toml", "--rounds", "2", "--seed", "1", cwd=tmp_path)
    assert (done.code, done.stderr) == (0, "")
    pilot, *blocks, estimate = done.stdout.splitlines()
    assert pilot.startswith("pilot: ")
    assert sorted(line.split()[-1] for line in blocks) == ["close", "close", "persistent", "persistent"]
    assert estimate == "2 policies × 2 rounds = 4 blocks of 2s: about 8 s and a few seconds for the report"
    assert [path.name for path in tmp_path.iterdir()] == ["p.toml"]
    again = run_cli("compare", "--plan", "p.toml", "--dry-run", cwd=tmp_path)
    assert again.stdout == done.stdout  # the plan has no load, so that the pilot runs again
    refused = run_cli("compare", "--plan", "p.toml", "--save-plan", "p.toml", cwd=tmp_path)
    assert refused.code == 2
    assert "never overwritten" in refused.stderr
    assert [path.name for path in tmp_path.rglob("*") if path.name != "results"] == ["p.toml"]
