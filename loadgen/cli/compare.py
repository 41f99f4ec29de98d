"""`loadgen compare`: from options to a finished run in results/<run>/."""

from __future__ import annotations

import http.client
import ipaddress
import json
import ssl
import sys
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from loadgen.cli import EXIT_DONE, EXIT_INTERRUPTED
from loadgen.cli.children import embedded_target, run_worker
from loadgen.cli.console import Progress
from loadgen.cli.options import build_plan, raise_descriptor_limit
from loadgen.cli.report import finish
from loadgen.measure.environment import environment
from loadgen.measure.recorder import EXCHANGES_FILE
from loadgen.measure.store import RunStore
from loadgen.model.errors import PlanError, TargetError
from loadgen.model.plan import Plan
from loadgen.model.target import Target, parse_target
from loadgen.target.behaviour import STATS_PATH

_PLACEHOLDER = "http{}://127.0.0.1:1/"
_CUT_SHORT = {
    "interrupted": "the run was interrupted; this is what had been measured",
    "disk_full": "the disk was full, so the run ended; this is what had been measured",
    "died": "the worker process died; this is what it had measured",
}


def run(options: dict[str, Any]) -> int:
    """Run the comparison; returns the exit code. Raises PlanError or TargetError."""
    if options["tls"] and options["url"]:
        raise PlanError("--tls is for the embedded target; with a URL its scheme decides")
    if options["cacert"] and not options["url"]:
        raise PlanError("--cacert is for a URL; the embedded target has an authority of its own, trusted by itself")
    # Everything that can be wrong is found before anything is started or written.
    embedded = options["url"] is None
    plan = build_plan(parse_target(options["url"] or _PLACEHOLDER.format("s" if options["tls"] else "")), options)
    raise_descriptor_limit(plan.load.users)
    if not embedded and not options["yes"]:
        _confirm(plan.target)
    name = options["name"] or f"{datetime.now():%Y%m%d-%H%M%S}"
    if "/" in name or name.startswith(".") or not name.isprintable():
        raise PlanError(f"--name {name!r} can't be a folder's name")
    store = RunStore.create(options["out"] or Path("results") / name)
    with ExitStack() as stack:
        if embedded:
            url, ca_file = stack.enter_context(embedded_target(options["tls"], store.directory))
            plan = build_plan(parse_target(url), options | {"cacert": None if options["insecure"] else ca_file})
        facts: dict[str, Any] = {
            "name": name,
            "plan": plan.to_json(secrets=False),
            "environment": environment(),
            "notes": [],
        }
        if embedded and plan.cacert:
            facts["plan"]["cacert"] = Path(plan.cacert).name  # it goes with the target; its folder means nothing later
        store.save_run(facts)
        end = _work(plan, store, facts, Progress(plan, options["quiet"]))
        if embedded:
            facts["environment"]["embedded_target"] = _account(plan.target, plan.cacert)
    if end["end"] in _CUT_SHORT:
        facts["notes"].append({"code": end["end"], "message": _CUT_SHORT[end["end"]]})
    try:
        finish(store, facts, options["as_json"], options["quiet"])
    except TargetError:
        if end["end"] not in _CUT_SHORT:
            raise
    if end["end"] not in _CUT_SHORT:
        return EXIT_DONE
    if end["end"] != "interrupted":
        print(f"loadgen: {_CUT_SHORT[end['end']]}", file=sys.stderr)  # noqa: T201
    return EXIT_INTERRUPTED


def _work(plan: Plan, store: RunStore, facts: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Let a worker run the plan. Raises what it says of plan or target."""

    def on_event(event: dict[str, Any]) -> None:
        if "observed" in event:
            facts["environment"]["target"] = event["observed"]
            with suppress(OSError):  # the disk may be full already; it is saved again at the end
                store.save_run(facts)
        progress.show(event)

    with progress:
        end = run_worker(plan.to_json(secrets=True), store.directory, on_event)
    if end["end"] in ("plan", "target"):
        store.discard()
        raise (PlanError if end["end"] == "plan" else TargetError)(end["message"])
    if not (store.path(EXCHANGES_FILE)).exists():
        store.discard()
        if end["end"] == "interrupted":
            raise KeyboardInterrupt
        raise TargetError("the worker process ended before it measured anything")
    return end


def _confirm(target: Target) -> None:
    """Ask before loading somebody else's machine, where there is somebody to ask."""
    try:
        local = ipaddress.ip_address(target.host).is_loopback
    except ValueError:
        local = target.host == "localhost"
    if not local and sys.stdin.isatty():
        click.confirm(f"{target.host} is not this machine. Send load to it?", abort=True, err=True)


def _account(target: Target, cacert: str | None) -> dict[str, Any] | None:
    """What the embedded target counted on its side; None where it can't say."""
    try:
        if target.is_tls:
            context = ssl.create_default_context(cafile=cacert)
            link: http.client.HTTPConnection = http.client.HTTPSConnection(target.host, target.port, context=context)
        else:
            link = http.client.HTTPConnection(target.host, target.port)
        link.request("GET", STATS_PATH)
        account: dict[str, Any] = json.loads(link.getresponse().read())
        link.close()
    except (OSError, ValueError, http.client.HTTPException):
        return None
    return account
