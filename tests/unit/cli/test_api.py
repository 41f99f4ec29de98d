"""loadgen from Python: its options are the table's, and a run that lies in its folder gives its figures."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loadgen
from loadgen.cli import api
from loadgen.cli.api import CompareOptions, Run
from loadgen.cli.report import FinishedRun
from loadgen.measure.data.sample_table import SampleTable
from loadgen.measure.data.store import RunStore
from loadgen.model.errors import ErrorKind
from loadgen.model.option import COMPARE
from loadgen.model.options import options_of
from loadgen.model.records import COLUMNS
from loadgen.show.export import RunData, write_summary
from tests.support.synthetic import US, Exchange, Link, RunWriter, full_run, plan_json

URL = "http://127.0.0.1:8080/"


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """The options that each call of `compare` came to; nothing is run."""
    found: list[dict[str, Any]] = []
    writer = full_run(tmp_path / "run")
    finished = FinishedRun(writer.store, writer.summary(), "done", draws=False, failure="")

    def run(options: dict[str, Any]) -> FinishedRun:
        found.append(options)
        return finished

    monkeypatch.setattr(api, "run_comparison", run)
    return found


def test_the_typed_options_are_the_table_s() -> None:
    """A new row of model/options.py that `compare` has is to be added to CompareOptions."""
    left_out = {"url", "json", "yes", "dry_run", "save_plan"}
    names = {(option.plural or option.key).replace("-", "_") for option in options_of(COMPARE)}
    differing = set(CompareOptions.__annotations__) ^ (names - left_out)
    assert not differing, f"edit CompareOptions in loadgen/cli/api.py: {differing}"


def test_options_are_those_of_the_command_line(given: list[dict[str, Any]]) -> None:
    run = loadgen.compare(
        URL, policies=["close", "recycle:3"], block="500ms", warmup=timedelta(milliseconds=20), headers={"X-A": "b"},
        data=b"\xff", source_ips=("127.0.0.2", "127.0.0.3"), out=Path("there"), users=7, cookies=False,
    )  # fmt: skip
    assert isinstance(run, loadgen.Run)
    (options,) = given
    expected = {
        "url": URL, "policies": "close,recycle:3", "block": 500_000_000, "warmup": 20_000_000, "header": ("X-A: b",),
        "data": b"\xff", "source_ip": ("127.0.0.2", "127.0.0.3"), "out": Path("there"), "users": 7, "cookies": False,
        "rounds": None, "timeout": 10_000_000_000, "quiet": True, "yes": True, "rate": None,
    }  # fmt: skip
    assert {name: options[name] for name in expected} == expected
    assert options.keys() == {option.name for option in options_of(COMPARE)}


def test_several_targets_are_a_list_or_have_names(given: list[dict[str, Any]]) -> None:
    other = "http://127.0.0.2/"
    for url in ([URL, other], {"old": URL, "new": other}, [URL], None):
        loadgen.compare(url, **({} if url else {"targets": {"a": URL, "b": other}}))
    assert [(options["url"], options["target"]) for options in given] == [
        (URL, (f"A={URL}", f"B={other}")), (URL, (f"old={URL}", f"new={other}")), (URL, ()),
        (URL, (f"a={URL}", f"b={other}")),
    ]  # fmt: skip
    with pytest.raises(loadgen.PlanError, match=r"no URL is given"):
        loadgen.compare([])
    with pytest.raises(loadgen.PlanError, match=r"url and targets both say where requests go"):
        loadgen.compare(URL, targets={"a": URL, "b": other})


def test_a_plan_file_s_options_give_way(given: list[dict[str, Any]], tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(f'url = "{URL}"\nusers = 3\nrounds = 9\ntls = true', encoding="utf-8")
    loadgen.compare(plan=plan, users=4)
    loadgen.compare("https://127.0.0.2/", plan=str(plan), rate=5.0)
    first, second = given
    assert (first["url"], first["users"], first["rounds"], first["tls"]) == (URL, 4, 9, True)
    assert (second["url"], second["rate"], second["users"], second["tls"]) == ("https://127.0.0.2/", 5.0, None, False)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"polices": "close"}, "the key 'polices' is unknown; did you mean 'policies'?"),
        ({"users": "3"}, 'users is "3"; write a whole number'),
        ({"block": 2}, "block is 2; write a duration with its unit in quotes"),
        ({"block": "2"}, "block: '2' is not a duration"),
        ({"recycle": [1, 2]}, "is for loadgen sweep"),
        ({"json": True}, "'json' is for the command line"),
        ({"dry_run": True}, "'dry_run' is for the command line"),
        ({"save_plan": "p.toml"}, "'save_plan' is for the command line"),
        ({"head": "x"}, "the key 'head' is unknown; did you mean 'headers'?"),
        ({"zzz": 1}, "choose from policies, users, rate,"),
        ({"source_ip": "127.0.0.1", "source_ips": "127.0.0.1"}, "says again"),
    ],
)
def test_a_wrong_option_is_a_plan_error(given: list[dict[str, Any]], options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(loadgen.PlanError) as caught:
        loadgen.compare(URL, **options)
    assert str(caught.value).startswith("loadgen.compare(): ")
    assert complaint in str(caught.value)
    assert not given


def test_a_wrong_plan_is_a_plan_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(loadgen.PlanError, match="did you mean 'persistent'"):
        loadgen.compare(URL, policies="persistant")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"users": 0}, "users is 0"),
        ({"users": 1, "rate": 5.0}, "users is for a closed loop; with rate the arrivals decide"),
        ({"max_connections": 5}, "max_connections is for arrivals at a fixed rate; give rate too"),
        (
            {"continue_timeout": "2s", "data": "x"},
            "continue_timeout is for a body that waits for 100 Continue; give expect_continue too",
        ),
        ({"plan": "nope.toml"}, "plan nope.toml: No such file"),
        ({"tls": True}, "tls is for the embedded target"),
        ({"out": "full"}, "choose another out"),
        ({"plan": "earlier"}, "give it again with headers 'Cookie: ...'"),
    ],
)
def test_messages_name_parameters_and_no_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    (tmp_path / "earlier").mkdir()
    facts = {"plan": plan_json("close", 1) | {"headers": [["Cookie", "***"]]}, "environment": {}}
    (tmp_path / "earlier" / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(loadgen.PlanError) as caught:
        loadgen.compare(URL, **options)
    assert complaint in str(caught.value)
    assert "--" not in str(caught.value)


def test_a_path_that_looks_like_a_flag_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(loadgen.PlanError, match=r"^plan a/--users: "):
        loadgen.compare(URL, plan="a/--users")


@pytest.mark.parametrize("end", ["done", "interrupted"])
def test_a_run_without_an_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, end: str) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("close", 1))
    writer.block("close", 0, [Link([Exchange(0, outcome=-ErrorKind.CONNECT_REFUSED)])])
    finished = FinishedRun(writer.store, writer.summary(), end, draws=False, failure="")

    def run(_options: dict[str, Any]) -> FinishedRun:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as after an interruption
        return finished

    monkeypatch.setattr(api, "run_comparison", run)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt if end == "interrupted" else loadgen.TargetError, match=str(tmp_path)):
        loadgen.compare(URL)
    assert signal.getsignal(signal.SIGINT) is before


def test_what_could_not_be_saved_is_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    writer = full_run(tmp_path / "run")
    finished = FinishedRun(writer.store, writer.summary(), "done", draws=False, failure="No space left")
    monkeypatch.setattr(api, "run_comparison", lambda _options: finished)
    with pytest.warns(RuntimeWarning, match="not everything could be saved in .*: No space left"):
        loadgen.compare(URL)


def saved_run(folder: Path) -> dict[str, Any]:
    writer = full_run(folder)
    summary = writer.summary()
    write_summary(writer.store, RunData(summary))
    return summary


def test_an_earlier_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = saved_run(tmp_path / "run")
    run = loadgen.load_run(tmp_path / "run")
    assert (run.summary, run.verdict, run.warnings) == (summary, summary["verdict"], summary["warnings"])
    assert run.directory == tmp_path / "run"
    assert str(tmp_path / "run") in repr(run)
    assert "phases" in run.charts
    assert run.figure("phases").axes
    for name in ("heat_map", "phase"):
        with pytest.raises(ValueError, match=f"this run has no chart '{name}'; choose from .*phases"):
            run.figure(name)
    assert capsys.readouterr() == ("", "")


def test_a_run_that_was_cut_off_is_summarised(tmp_path: Path) -> None:
    writer = full_run(tmp_path / "run")
    writer.recorder.close()
    writer.store.release()
    run = loadgen.load_run(str(tmp_path / "run"))
    assert run.summary["policies"]["close"]["requests"] == len(run.samples) // 2 > 0
    assert not RunStore.open(tmp_path / "run").has_rows


def test_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(loadgen.PlanError, match="holds no run"):
        loadgen.load_run(tmp_path)
    saved_run(tmp_path / "run")
    facts = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    facts["plan"]["axes"] = {"idle": ["5ms"]}
    (tmp_path / "run" / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(loadgen.PlanError, match="idle is called gap now"):
        loadgen.load_run(tmp_path / "run")


def table(folder: Path) -> SampleTable:
    writer = RunWriter(folder, plan_json("close,recycle:2", 1))
    writer.block("close", 0, [Link([Exchange(0, send=7 * US)], connect=30 * US)])
    failed = Exchange(5, outcome=-ErrorKind.RESPONSE_TIMEOUT)
    writer.block("recycle:2", 0, [Link([Exchange(0), failed], connect=40 * US)])
    write_summary(writer.store, RunData(writer.summary()))
    return Run(folder, writer.store.load_summary()).samples


def test_samples_are_columns_with_names(tmp_path: Path) -> None:
    samples = table(tmp_path / "run")
    assert len(samples) == 3
    assert samples["policy"].tolist() == ["close", "recycle:2", "recycle:2"]
    assert samples["error"].tolist() == ["", "", "response_timeout"]
    assert samples["connect_ns"].tolist() == [30 * US, 40 * US, -1]
    assert samples["send_ns"].tolist()[0] == 7 * US
    assert samples["latency_ns"].tolist()[0] == (30 + 7 + 100 + 5) * US
    for name in samples.names:
        assert len(samples[name]) == 3
        assert samples[name].dtype == np.int64 or name in ("policy", "error", "closed_by")
    with pytest.raises(KeyError, match="did you mean 'wait_ns'"):
        samples["wait"]


def test_samples_are_a_mapping_of_columns(tmp_path: Path) -> None:
    samples = table(tmp_path / "run")
    assert samples["request_index"].tolist() == [0, 0, 1]
    assert list(samples) == list(samples.keys()) == list(samples.names)
    assert ("policy" in samples, "nth_on_connection" in samples) == (True, False)
    columns = dict(samples)
    assert columns.keys() == set(samples.names)
    assert columns["policy"].tolist() == samples["policy"].tolist()
    assert repr(samples).startswith("<SampleTable: 3 rows of policy, round, ")


@pytest.mark.parametrize("use", [lambda samples: samples[0], lambda samples: samples[:5], np.asarray, np.array])
def test_samples_are_no_array(tmp_path: Path, use: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r'as in samples\["latency_ns"\]'):
        use(table(tmp_path / "run"))


def test_every_column_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "results.md").read_text(encoding="utf-8")
    names = [name for column in COLUMNS for name in (column, f"{column}_ns")]
    shown = {name for name in names if f"`{name}`" in page}
    assert [column for column in COLUMNS if not {column, f"{column}_ns"} & shown] == []


def test_without_pandas_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, *_: Any, **__: Any) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", refuse)
    with pytest.raises(ImportError, match=r"^to_pandas\(\) needs pandas; install it with: pip install pandas$"):
        table(tmp_path / "run").to_pandas()


def test_an_unknown_name_of_the_package() -> None:
    with pytest.raises(AttributeError, match="no attribute 'compair'"):
        _ = loadgen.compair
