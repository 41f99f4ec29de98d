"""The table of options: rows are complete, and a new option is one row wherever options are read or written."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any, NotRequired, get_origin, get_type_hints

import click
import pytest

from loadgen.cli.options import resolve_options, with_options
from loadgen.cli.plan_builder import build_plan
from loadgen.cli.plan_reader import OptionReader
from loadgen.cli.plan_writer import plan_keys, save_plan
from loadgen.cli.run_validation import recorded_plan
from loadgen.model import options, plan_fields
from loadgen.model.exceptions import PlanError
from loadgen.model.option import COMPARE, SWEEP, LocustArgument, Option
from loadgen.model.options import OPTIONS, option_named, options_of
from loadgen.model.plan import Plan
from loadgen.model.plan_fields import axis_types, json_types
from loadgen.model.plan_record import AxesRecord, PlanRecord
from loadgen.model.value_types import Duration
from loadgen.swarm import options as locust_options
from tests.support.runner import run_cli

URL = "http://127.0.0.1:8080/"

# What each recorded plan has had from the first version on; a key that is added later is none of these.
FIRST_KEYS = {
    "url", "policies", "users", "rounds", "block_ns", "warmup_ns", "think_ns", "timeout_ns", "rate_rps", "arrivals",
    "max_connections", "method", "headers", "body_base64", "cacert", "insecure", "max_body_bytes", "seed",
    "retry_stale", "cookies", "source_ips", "server_pid",
}  # fmt: skip

# In the place of --timeout: an option that nobody has heard of.
NEW = Option(
    name="patience_limit", type=Duration(), plan_field="load.timeout_ns", recorded="patience_ns", default="7s",
    differs={SWEEP: {"default": "3s"}}, renamed="endurance", help="How long a request may take.",
    locust=LocustArgument(),
)  # fmt: skip


@pytest.fixture
def _new_option(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tuple(NEW if option.name == "timeout" else option for option in OPTIONS)
    monkeypatch.setattr(options, "OPTIONS", rows)


def command(name: str) -> click.Command:
    @click.command(name)
    @with_options(name)
    def run(**_: Any) -> None: ...

    return run


def planned(name: str, *arguments: str) -> Plan:
    context = command(name).make_context(name, [URL, *arguments])
    return build_plan(resolve_options(context, context.params))


@pytest.mark.usefixtures("_new_option")
def test_a_new_row_is_an_option_of_both_commands() -> None:
    assert planned(COMPARE).load.timeout_ns == 7_000_000_000
    assert planned(SWEEP, "--users", "1,2").load.timeout_ns == 3_000_000_000
    assert planned(COMPARE, "--patience-limit", "500ms").load.timeout_ns == 500_000_000
    assert "How long a request may take." in command(COMPARE).get_help(click.Context(command(COMPARE)))
    with pytest.raises(click.UsageError, match="--endurance is called --patience-limit now; write --patience-limit 1s"):
        planned(COMPARE, "--endurance", "1s")


@pytest.mark.usefixtures("_new_option")
def test_a_new_row_is_a_key_of_plan_files(tmp_path: Path) -> None:
    assert OptionReader("p", Path(), COMPARE).values({"patience_limit": "2s"}) == {"patience_limit": 2_000_000_000}
    for wrong, complaint in (({"patience-limit": 2}, "write a duration"), ({"patience-limits": "2s"}, "did you mean")):
        with pytest.raises(PlanError, match=complaint):
            OptionReader("p", Path(), COMPARE).values(wrong)
    file = tmp_path / "plan.toml"
    plan = planned(COMPARE, "--patience-limit", "1500ms")
    save_plan(file, plan, embedded=False)
    assert 'patience-limit = "1500ms"' in file.read_text(encoding="utf-8")
    assert planned(COMPARE, "--plan", str(file)) == plan


@pytest.mark.usefixtures("_new_option")
def test_a_new_row_is_recorded_and_checked() -> None:
    plan = planned(COMPARE, "--patience-limit", "9s")
    values = json.loads(json.dumps(plan.to_json(secrets=True)))
    assert values["patience_ns"] == 9_000_000_000
    assert Plan.from_json(values) == plan
    with pytest.raises(PlanError, match=r'plan\.patience_ns is "9s"; it must be a whole number'):
        recorded_plan({"plan": values | {"patience_ns": "9s"}}, "run")


@pytest.mark.usefixtures("_new_option")
def test_a_new_row_is_an_argument_of_locust() -> None:
    parser = ArgumentParser(exit_on_error=False)
    # Locust's own parser takes two keywords more.
    own, in_form, variables = parser.add_argument, {}, {}

    def add(flag: str, env_var: str = "", include_in_web_ui: bool = True, **values: Any) -> None:
        in_form[flag], variables[flag] = include_in_web_ui, env_var
        own(flag, **values)

    parser.add_argument = add  # type: ignore[assignment, method-assign] # as said above
    locust_options.add_options(parser)  # type: ignore[arg-type] # it is as much of one as is needed
    found = parser.parse_args(["--patience-limit", "4s"])
    assert (in_form["--patience-limit"], in_form["--results"]) == (True, False)
    assert variables["--patience-limit"] == "LOCUST_PATIENCE_LIMIT"
    plan = locust_options.plan_of(found, URL, {"User": ("close", "persistent")}, users=3)
    assert (plan.load.timeout_ns, plan.load.users, plan.method) == (4_000_000_000, 3, "GET")
    with pytest.raises(Exception, match="--endurance is called --patience-limit now; write --patience-limit 4s"):
        parser.parse_args(["--endurance", "4s"])


def test_every_option_of_a_command_is_explained() -> None:
    for name in (COMPARE, SWEEP, "report"):
        for option in options_of(name):
            assert option.positional or option.help.endswith("."), option.name


def test_names_keys_and_fields_are_said_once() -> None:
    for found in (
        [option.name for option in OPTIONS],
        [option.plan_field for option in OPTIONS if option.plan_field],
        [option.recorded_key for option in OPTIONS if option.plan_field],
    ):
        assert len(found) == len(set(found))


def test_every_field_of_a_plan_is_an_option() -> None:
    plan = planned(COMPARE)
    parts = {name: getattr(plan, name) for name in plan_fields._PARTS}
    fields = {f"{part}.{name}" for part, value in parts.items() for name in type(value).__dataclass_fields__}
    fields |= Plan.__dataclass_fields__.keys() - parts.keys() - {"axes"}
    assert {option.plan_field for option in OPTIONS if option.plan_field} == fields


def test_a_recorded_plan_has_a_type_for_each_option() -> None:
    for record, types in ((PlanRecord, json_types()), (AxesRecord, axis_types())):
        differing = set(record.__annotations__) ^ set(types)
        where = "loadgen/model/plan_record.py and `recorded` in loadgen/model/options.py"
        assert not differing, f"{record.__name__} and the table of options differ; edit {where}: {differing}"


def test_a_key_that_older_runs_lack_is_not_required() -> None:
    """A new option is NotRequired in PlanRecord: runs that were recorded before have no such key."""
    hints = get_type_hints(PlanRecord, include_extras=True)
    required = {key for key, hint in hints.items() if get_origin(hint) is not NotRequired}
    assert required <= FIRST_KEYS | {"axes"}, "write NotRequired[...] in loadgen/model/plan_record.py"


def test_a_sweep_differs_where_its_row_says_so() -> None:
    users = option_named("users")
    assert (users.type.is_list, users.of(SWEEP).type.is_list) == (False, True)
    assert users.of(SWEEP).type.read("1, 10") == (1, 10)
    assert users.of(COMPARE) is users
    assert option_named("block").of(SWEEP).plan_default() == 1_000_000_000


def test_former_names_are_refused(tmp_path: Path) -> None:
    done = run_cli("sweep", "--idle", "5ms,1s", cwd=tmp_path)
    assert (done.code, done.stderr) == (2, "loadgen: --idle is called --gap now; write --gap 5ms,1s\n")
    (tmp_path / "plan.toml").write_text('idle = ["5ms", "1s"]', encoding="utf-8")
    for name in (COMPARE, SWEEP):
        done = run_cli(name, "--plan", "plan.toml", cwd=tmp_path)
        assert (done.code, done.stderr) == (2, "loadgen: plan.toml: the key 'idle' is called 'gap' now\n")
    values = planned(SWEEP, "--gap", "5ms,1s").to_json(secrets=False)
    values["axes"] = {"idle": ["5ms"]}
    with pytest.raises(PlanError, match=r"run: plan\.axes\.idle is called gap now") as caught:
        recorded_plan({"plan": values}, "run")
    assert "\n" not in str(caught.value)


def test_what_belongs_to_the_embedded_target_is_not_written() -> None:
    plan = replace(planned(COMPARE), server_pid=5)
    assert {"url", "server-pid"} <= plan_keys(plan, embedded=False).keys()
    keys = plan_keys(plan, embedded=True)
    assert keys.keys().isdisjoint({"url", "server-pid", "cacert"})
    assert keys["tls"] is False
