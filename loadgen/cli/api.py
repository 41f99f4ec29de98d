"""loadgen from Python: what `loadgen.compare` and `loadgen.load_run` do. It is the command without its shell.

Prints nothing unless it is asked to. Options have the names, values and defaults that they have in a plan file.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from loadgen.cli.console import show_path, show_summary
from loadgen.cli.diff import load_diff
from loadgen.cli.diff_console import show_diff
from loadgen.cli.exports import write_exports
from loadgen.cli.gate_lines import report_gates
from loadgen.cli.plan_reader import OptionReader, PlanFile, merge, read_plan
from loadgen.cli.policy_result import PolicyResult
from loadgen.cli.report import finish
from loadgen.cli.run_setup import compare as run_comparison
from loadgen.cli.run_validation import load_record
from loadgen.cli.signals import Interruption, kept
from loadgen.measure.data.sample_table import SampleTable
from loadgen.measure.data.store import SUMMARY_FILE, RunStore
from loadgen.model.diff_record import DiffRecord
from loadgen.model.exceptions import PlanError, TargetError
from loadgen.model.gate_summary import GateSummary
from loadgen.model.named_target import lettered
from loadgen.model.option import COMPARE
from loadgen.model.options import options_of
from loadgen.model.plan import Plan
from loadgen.model.run_record import RunWarning
from loadgen.model.summary import Summary

if TYPE_CHECKING:
    from loadgen.show.charts import Figure

_WHERE = "loadgen.compare()"
_NO_SHELL = {"json": False, "yes": True, "dry_run": False, "save_plan": None}
"""Options that are for the command line, and what they are here."""
_FLAG = re.compile(r"(?<![\w/-])--?([A-Za-z][a-z-]*)")
_PARAMETERS = {
    name: (option.plural or option.name).replace("-", "_")
    for option in options_of(COMPARE)
    for name in (option.key, option.short.removeprefix("-"))
    if name
}
"""The names of flags, and those of the parameters of `loadgen.compare`."""
DurationLike = str | timedelta
Urls = str | Sequence[str] | Mapping[str, str]
"""A target; or several that take turns, which are A, B ... or have names of their own."""


class CompareOptions(TypedDict, total=False):
    """The options of `loadgen.compare`: those of `loadgen compare`, as a plan file names them, with underscores.

    A duration is a text as on the command line (`"500ms"`, `"2s"`, `"1m"`) or a timedelta.
    """

    policies: str | Sequence[str]
    """`"persistent,close"`, or a list of such."""
    users: int
    rate: float
    processes: int
    rounds: int
    block: DurationLike
    duration: DurationLike
    requests: int
    """How many are measured of each policy, exactly."""
    until_precision: str
    """`"2%"`"""
    max_time: DurationLike
    warmup: DurationLike
    arrivals: str
    max_connections: int
    think: DurationLike
    method: str
    headers: Mapping[str, str] | Sequence[str]
    """By name, or as lines `"Name: value"`."""
    user: str
    """Basic credentials: `"user:password"`."""
    data: str | bytes
    template: bool
    template_csv: str | Path
    """A file whose columns go to the templates."""
    chunked: bool
    chunk_size: int
    """Bytes."""
    expect_continue: bool
    continue_timeout: DurationLike
    timeout: DurationLike
    max_body: int
    retry_stale: bool
    trailers: bool
    cookies: bool
    cacert: str | Path
    insecure: bool
    certs: str | Path | Sequence[str | Path]
    """Client certificates, which users take in turns."""
    keys: str | Path | Sequence[str | Path]
    key_passphrase: str
    """`"env:NAME"` or `"file:PATH"`"""
    tls_version: str
    ciphers: str
    groups: str
    alpn: str | Sequence[str]
    sni: str
    tickets: bool
    proxy: str
    proxy_cacert: str | Path
    proxy_insecure: bool
    proxy_certs: str | Path | Sequence[str | Path]
    """Client certificates for an https proxy, which users take in turns."""
    proxy_keys: str | Path | Sequence[str | Path]
    proxy_key_passphrase: str
    """`"env:NAME"` or `"file:PATH"`"""
    no_proxy: str | Sequence[str]
    """Hosts that are reached without the proxy."""
    proxy_protocol: int
    """1 or 2"""
    tls: bool
    targets: Mapping[str, str] | Sequence[str]
    """Several targets that take turns, by name, or as texts `"name=URL"`."""
    urls: str
    """A file with requests, or its lines."""
    source_ips: str | Sequence[str]
    connect_to: str | Sequence[str]
    """Rules: `"HOST:PORT"`, `"HOST1:PORT1:HOST2:PORT2"` or `"unix:PATH"`."""
    resolve: str | Sequence[str]
    """`"HOST:PORT:ADDR"`, or a list of such."""
    ipv4: bool
    ipv6: bool
    addresses: str
    """`"first"`, `"all"` or `"random"`."""
    happy_eyeballs: DurationLike
    """Try several addresses of a name, each this much after the one before, until one answers."""
    dns_ttl: DurationLike
    """Or `"record"`."""
    dns_server: str
    backend_header: str
    server_pid: int
    max_samples: int
    fail_if: str | Sequence[str]
    """Gates, like `"close.latency_ms.p99 > 50"`: none is raised, see `Run.failed_gates`."""
    max_errors: str
    """A percentage: `"1%"`."""
    equivalent: str
    """A percentage: `"2%"`."""
    plan: str | Path
    """A plan file or an earlier run; the other options win."""
    out: str | Path
    name: str
    seed: int
    quiet: bool
    """True unless given: print nothing."""
    no_charts: bool
    baseline: str | Path | Sequence[str | Path]
    """Earlier runs, whose folders hold them; what changed is in `Run.diff`."""
    force: bool
    """With `baseline`: unlike runs too."""
    export: str | Sequence[str]
    """`"csv"`, `"csv=samples.csv"`, or a list of such."""
    metrics_port: int
    """Serve the run's counts so far to Prometheus, on this port of 127.0.0.1."""
    probe: bool
    """Audit the target before the load."""


class Run:
    """A run that lies in its folder."""

    def __init__(self, directory: Path, summary: Summary) -> None:
        self.directory = directory
        self.summary = summary
        """The content of `summary.json`; docs/results.md says what each key means."""

    @property
    def verdict(self) -> str:
        """The result in a sentence."""
        return self.summary["verdict"]

    @property
    def warnings(self) -> list[RunWarning]:
        """What to mind before the result is believed: `code` and `message` of each warning."""
        return self.summary["warnings"]

    @cached_property
    def policies(self) -> dict[str, PolicyResult]:
        """The figures of each policy, by its name: `run.policies["close"].p99_ms`."""
        return {name: PolicyResult(name, one) for name, one in self.summary["policies"].items()}

    @property
    def gates(self) -> list[GateSummary]:
        """What became of each gate (`fail_if`, `max_errors`): its `expression`, whether it `passed`, and the value."""
        return self.summary.get("gates", [])

    @property
    def failed_gates(self) -> list[GateSummary]:
        """The gates that failed, so that `assert not run.failed_gates` shows them."""
        return [gate for gate in self.gates if not gate["passed"]]

    @property
    def diff(self) -> DiffRecord | None:
        """What changed since the runs of `baseline`; None without them."""
        return load_diff(RunStore(self.directory))

    @cached_property
    def samples(self) -> SampleTable:
        """The counted requests, one row each. They are read when they are first used."""
        plan = Plan.from_json(self.summary["plan"])
        samples = RunStore(self.directory).load_samples(tuple(cell.name for cell in plan.cells))
        return SampleTable(samples, plan.target_names, [one.name for one in plan.requests])

    @property
    def charts(self) -> list[str]:
        """The names of the charts that say something about this run."""
        from loadgen.show.charts import charts_of

        return charts_of(self.summary)

    def figure(self, name: str) -> Figure:
        """One of the charts. Raises ValueError where there is none of that name for this run."""
        from loadgen.show.charts import figure

        if name not in self.charts:
            raise ValueError(f"this run has no chart {name!r}; choose from {', '.join(self.charts)}")
        return figure(name, self.summary)

    def __repr__(self) -> str:
        return f"<Run {str(self.directory)!r}: {self.verdict}>"


def compare(url: Urls | None, options: Mapping[str, Any]) -> Run:
    """Run a comparison; see `loadgen.compare`."""
    with _errors_name_parameters(), kept():  # a run that was interrupted leaves the signals ignored
        resolved = _resolve_options(url, options)
        try:
            finished = run_comparison(resolved)
        except Interruption as error:
            raise KeyboardInterrupt(str(error)) from None
        assert finished is not None
        unwritten = write_exports(finished.data, finished.store, resolved)
        try:
            finished.draw(quiet=resolved["quiet"])
        except Interruption as error:
            raise KeyboardInterrupt(str(error)) from None
    failure = finished.failure or unwritten
    if failure:
        message = f"not everything could be saved in {finished.store.directory}: {failure}"
        warnings.warn(message, RuntimeWarning, stacklevel=3)
    if finished.end == "interrupted":
        raise KeyboardInterrupt(f"interrupted; partial results are saved in {finished.store.directory}")
    with _errors_name_parameters():
        finished.check_answered()
    if not resolved["quiet"]:
        show_summary(finished.summary)
        if finished.diff is not None:
            show_diff(finished.diff)
        show_path(finished.store.path(SUMMARY_FILE))
        report_gates(finished.summary.get("gates", ()))
    return Run(finished.store.directory, finished.summary)


def load_run(path: str | Path) -> Run:
    """An earlier run; see `loadgen.load_run`."""
    directory = Path(path)
    store = RunStore.open(directory)
    facts = load_record(store)
    if store.has_rows or not store.path(SUMMARY_FILE).exists():  # it was cut off
        finished = finish(RunStore.open(directory, to_change=True), facts, "done", draws=False)
        return Run(directory, finished.summary)
    return Run(directory, store.load_summary())


@contextmanager
def _errors_name_parameters() -> Iterator[None]:
    """Errors name the parameters of `loadgen.compare` where those of the command line name flags."""
    try:
        yield
    except (PlanError, TargetError) as error:
        message = _FLAG.sub(lambda flag: _PARAMETERS.get(flag[1], flag[0]), str(error))
        raise type(error)(message) from None


def _resolve_options(url: Urls | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all options, as the command line would have them. Raises PlanError."""
    if url is not None and not isinstance(url, str):
        if not url:
            raise PlanError(f"{_WHERE}: no URL is given; leave `url` out for the embedded target")
        if isinstance(url, Mapping) or len(url) > 1:
            named = url if isinstance(url, Mapping) else lettered(url)
            url, options = None, {**options, "targets": named}
        else:
            url = url[0]
    keys = {key: value for key, value in {"url": url, **options}.items() if value is not None}
    for key in keys:
        if key.replace("-", "_") in _NO_SHELL:
            raise PlanError(f"{_WHERE}: {key!r} is for the command line")
    plan = keys.pop("plan", None)
    body = keys.pop("data") if isinstance(keys.get("data"), bytes) else None
    reader = OptionReader(_WHERE, Path(), COMPARE, tuple(CompareOptions.__annotations__))
    given = reader.values({key: _plain(value) for key, value in keys.items()})
    if body is not None:
        given["data"] = body
    file = PlanFile() if plan is None else read_plan(Path(plan), COMPARE)
    defaults = {option.name: option.default_value() for option in options_of(COMPARE)} | {"quiet": True}
    return merge(defaults | given, given, file) | _NO_SHELL


def _plain(value: Any) -> Any:
    """A value of Python's as a plan file would have it."""
    if isinstance(value, timedelta):
        return f"{value // timedelta(microseconds=1)}us"
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
