"""What Locust's command line and its start form say: refused in one line, or a plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from loadgen.model.exceptions import PlanError
from loadgen.swarm.live_view import FINISHING, LiveView
from loadgen.swarm.options import COMMAND_LINE_ONLY, plan_of
from loadgen.swarm.start_form import StartForm, checked_plan
from loadgen.swarm.target_host import TargetHost
from loadgen.swarm.user_classes import policies_of
from tests.support.fake_swarm import fake_environment, locust_options, user_class

ALTERNATING = user_class("Alternating")
FOREIGN = user_class("Foreign", kind=None)


def form_of(*classes: type, host: str = "http://127.0.0.1:9", **options: Any) -> tuple[StartForm, LiveView]:
    environment = fake_environment(*(classes or (ALTERNATING,)), host=host, **options)
    view = LiveView()
    return StartForm(environment, TargetHost(environment), view, lambda: False), view


BAD = [
    ({"host": "nonsense"}, "has no scheme; write it like http://nonsense"),
    ({"host": "ftp://127.0.0.1"}, "use http or https"),
    ({"policies": "persistent,clsoe"}, "the policy 'clsoe' is unknown"),
    ({"block": "soon"}, "--block: 'soon' is not a duration"),
    ({"host": "https://localhost", "cacert": "/nowhere.pem"}, "--cacert /nowhere.pem: No such file or directory"),
    ({"host": "https://localhost", "cacert": __file__}, "no PEM certificate can be read from it"),
    ({"policies": "close-resume"}, "resumes TLS sessions"),
    ({"block": "50ms", "warmup": "60ms"}, "--warmup is 60.0 ms, a part of each block of 50.0 ms"),
]


@pytest.mark.parametrize(("values", "message"), BAD)
def test_a_form_that_can_not_run_is_refused_in_one_line(values: dict[str, str], message: str) -> None:
    refusal = form_of()[0].refusal(values)
    assert refusal is not None
    assert message in refusal
    assert "\n" not in refusal


@pytest.mark.parametrize(
    ("values", "message"),
    [
        *BAD,
        ({"host": ""}, "no host is given; write it like http://127.0.0.1:8080"),
        ({"header": "Connection: close"}, "the connection policy sets it"),
        ({"fail_if": "errors > 1%\nerrrors > 1%"}, "did you mean 'errors'"),
        ({"fail_if": "errors"}, "--fail-if: "),
        ({"max_errors": "much"}, "--max-errors: 'much' is not a percentage"),
        ({"max_samples": 0}, "--max-samples is 0; at least 1 is needed"),
    ],
)
def test_a_command_line_that_can_not_run_is_refused_in_one_line(values: dict[str, Any], message: str) -> None:
    host = values.get("host", "http://127.0.0.1:9")
    options = locust_options(**{name: value for name, value in values.items() if name != "host"})
    with pytest.raises(PlanError) as caught:
        checked_plan(options, host, policies_of([ALTERNATING], options.policies), 4)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_right_form_may_start() -> None:
    assert form_of()[0].refusal({"policies": "close,recycle:5", "block": "1s", "host": "http://localhost:1"}) is None


def test_without_a_host_the_embedded_target_would_be_started() -> None:
    form = form_of(host="")[0]
    assert form.refusal({"host": ""}) is None
    refusal = form.refusal({"host": "", "connect_to": "127.0.0.1:9"})
    assert refusal == "--connect-to is for a host; the embedded target listens on a port of its own"


@pytest.mark.parametrize("name", COMMAND_LINE_ONLY)
def test_options_of_the_command_line_can_not_be_set_by_a_form(name: str) -> None:
    assert form_of()[0].refusal({name: "x"}) == (f"--{name.replace('_', '-')} is set on the command line, not here")
    assert set(COMMAND_LINE_ONLY) == {"results"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"data": "@/etc/hostname"}, "--data: a file can be named on the command line, not here"),
        (
            {"template": "true", "template_csv": "/etc/passwd"},
            "--template-csv: a file can be named on the command line",
        ),
        ({"urls": "/etc/passwd"}, "--urls: a file can be named on the command line, not here"),
        ({"urls": '{"url": "/"}\n{"url": "/", "body": "@/etc/passwd"}'}, "--urls: a file can be named on the command"),
        (
            {"urls": '{"url": "/{a}", "csv": "/etc/passwd"}'},
            "--urls: a file can be named on the command line, not here",
        ),
        ({"urls": '{"url": "/"}\n{"uri": "/"}'}, "--urls, line 2: the key 'uri' is unknown"),
        ({"export": "csv\njson=/tmp/x"}, "--export json=/tmp/x: another place than the run's folder can be named"),
        ({"export": "juint"}, "did you mean 'junit'"),
        ({"max_samples": ""}, "--max-samples: '' is not a valid integer"),
        ({"seed": "x"}, "--seed: 'x' is not a valid integer"),
        ({"header": "no colon"}, "no colon"),
    ],
)
def test_a_form_names_no_file_and_no_nonsense(values: dict[str, str], message: str) -> None:
    assert message in str(form_of()[0].refusal(values))


def test_what_the_command_line_names_may_come_back(tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"hello")
    given = {"data": f"@{body}", "export": "json=x.json\ncsv"}
    assert form_of(**given)[0].refusal(given) is None
    table, requests = tmp_path / "table.csv", tmp_path / "urls"
    table.write_text("a\n1\n", encoding="utf-8")
    requests.write_text('{"url": "/", "body": "@body"}\n', encoding="utf-8")
    given = {"urls": str(requests)}
    assert form_of(**given)[0].refusal(given) is None
    line = json.dumps({"url": "/", "body": f"@{body}"})
    assert form_of(urls=line)[0].refusal({"urls": f'{line}\n{{"url": "/more"}}'}) is None
    given = {"path": "/{a}", "template": True, "template_csv": str(table)}
    assert form_of(**given)[0].refusal({**given, "template": "true"}) is None


def test_during_an_audit_no_run_starts() -> None:
    environment = fake_environment(ALTERNATING)
    form = StartForm(environment, TargetHost(environment), LiveView(), lambda: True)
    assert form.refusal({}) == "an audit of the target is on; start when it has ended, or stop it"


def test_while_results_are_written_no_run_starts() -> None:
    form, view = form_of()
    view.state = FINISHING
    assert form.refusal({}) == ("the results of the last run are still being written; start again when they are there")


def test_the_classes_that_the_form_chooses_are_looked_at() -> None:
    bad = user_class("Bad", "clsoe")
    form, _ = form_of(ALTERNATING, bad, FOREIGN)
    assert form.refusal(MultiDict([("user_classes", "Alternating")])) is None
    assert "clsoe" in str(form.refusal(MultiDict([("user_classes", "Bad")])))
    assert "clsoe" in str(form.refusal(MultiDict()))
    # loadgen does not check runs of other people's user classes.
    assert form.refusal(MultiDict([("user_classes", "Foreign"), ("policies", "clsoe")])) is None


def test_only_the_run_time_of_the_last_form_counts() -> None:
    form, _ = form_of()
    assert form.run_seconds(locust_options(run_time=3)) == 3
    assert form.run_seconds(locust_options()) == 0
    form.refusal({"run_time": "10s"})
    assert form.run_seconds(locust_options(run_time=10)) == 10
    form.refusal({"run_time": ""})
    assert form.run_seconds(locust_options(run_time=10)) == 0


def test_a_command_line_becomes_a_plan(tmp_path: Path) -> None:
    options = locust_options(path="orders", method="post", data="x", header="X-A: 1\nX-B: 2, 3", seed=3, think="5ms")
    plan = checked_plan(options, " http://localhost:8080/base ", {"One": ("close", "recycle:5")}, 0)
    assert str(plan.target) == "http://localhost:8080/orders"
    assert (plan.method, plan.body, plan.headers) == ("POST", b"x", (("X-A", "1"), ("X-B", "2, 3")))
    assert [cell.name for cell in plan.cells] == ["close", "recycle:5"]
    assert (plan.seed, plan.load.users, plan.load.think_ns) == (3, 1, 5_000_000)
    assert checked_plan(locust_options(), "http://a/base", {"One": ("close",)}, 4).target.path == "/base"


def test_a_body_makes_the_method_post_and_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"hello")
    for values, expected in (
        ({}, ("GET", b"")),
        ({"data": f"@{tmp_path / 'body'}"}, ("POST", b"hello")),
        ({"data": "x", "method": "put"}, ("PUT", b"x")),
    ):
        plan = plan_of(locust_options(**values), "http://127.0.0.1:9", {"User": ("close",)}, users=1)
        assert (plan.method, plan.body) == expected


def test_an_option_that_needs_another_is_refused_without_it() -> None:
    message = "--continue-timeout is for a body that waits for 100 Continue; give --expect-continue too"
    assert form_of()[0].refusal({"continue_timeout": "2s"}) == message


def test_an_unset_warmup_fits_into_a_short_block() -> None:
    for values, expected_ns in (({}, 500_000_000), ({"block": "400ms"}, 200_000_000), ({"warmup": "10ms"}, 10_000_000)):
        plan = plan_of(locust_options(**values), "http://127.0.0.1:9", {"User": ("close",)}, users=1)
        assert plan.load.warmup_ns == expected_ns
