"""`loadgen calibrate`: what this machine and the generator cost where the target costs nothing. Saves and shows it."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from loadgen.cli import EXIT_DONE, EXIT_OUTPUT, Outcome
from loadgen.cli.calibration_runs import CalibrationTarget, highest_honest_rate, policy_floor, rates_to_try
from loadgen.cli.packet_capture import why_not
from loadgen.cli.stdio import print_error
from loadgen.drive.system.idle_states import processors_awake
from loadgen.drive.system.machine_latency import clock_cost, wake_ups
from loadgen.measure.data.calibration_cache import calibration_path, save_calibration
from loadgen.measure.data.environment import environment
from loadgen.measure.data.machine_facts import identity_of, machine_state
from loadgen.measure.data.packet_errors import TLS
from loadgen.measure.stats.floor import stamp_errors
from loadgen.measure.stats.spreads import packet_comparison, phase_spreads, spreads, stamp_delays
from loadgen.model.calibration import CALIBRATION_SCHEMA, CalibrationRecord, PacketComparison, PolicyFloor
from loadgen.model.cell import Axes
from loadgen.model.plan import Load
from loadgen.model.units import NS_PER_MS
from loadgen.show.tables.calibration import calibration_lines

_REQUEST = b"GET / HTTP/1.1\r\nHost: calibrate\r\n\r\n"
_QUICK = 3
"""By how much --quick shortens each part."""
_BLOCK_NS = 450 * NS_PER_MS
_RATE_BLOCK_NS = 240 * NS_PER_MS
_CAPTURE_BLOCK_NS = 300 * NS_PER_MS
_WARMUP_SHARE = 5
_ROUNDS = 2
# A rate that is too high fills these at once, and fills no more: it costs a moment, and is seen all the same.
_MAX_CONNECTIONS = 32
_WAKE_UPS = 300
_HTTP, _HTTPS = "persistent,close", "persistent,close,close-resume"
_RATED = ("persistent", "close")


def calibrate(*, quick: bool, json: bool, quiet: bool) -> Outcome:  # the option's own name
    """Measure, save, show. Raises PlanError, TargetError, and Interruption after a signal."""
    say = _progress(quiet=quiet or json)
    with ExitStack() as stack:
        stack.enter_context(processors_awake())  # as in a run
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loadgen-calibrate-")))
        record = _Calibration(folder, stack, _QUICK if quick else 1, say).measure()
    saved = _save(record)
    if json:
        sys.stdout.write(_text(record))
    elif not quiet:
        for line in calibration_lines(record):
            print(line)  # noqa: T201 # this room prints
        if saved is not None:
            print(f"\n{saved}")  # noqa: T201 # so it does
    return Outcome(EXIT_OUTPUT) if saved is None else Outcome(EXIT_DONE, saved.parent)


class _Calibration:
    """One calibration, part by part. divisor: by how much each part is shortened."""

    def __init__(self, folder: Path, stack: ExitStack, divisor: int, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._stack = stack
        self._divisor = divisor
        self._say = say

    def measure(self) -> CalibrationRecord:
        begun_s = time.monotonic()
        facts = environment()
        clock = clock_cost()
        in_clear = self._target(tls=False)
        self._say("waking for timers and for another process")
        address = (in_clear.target.host, in_clear.target.port)
        late_ns, round_trips_ns = wake_ups(_WAKE_UPS // self._divisor, address, _REQUEST)
        self._say("phases over http")
        http = in_clear.run(_HTTP, self._load(_BLOCK_NS))
        over_tls = self._target(tls=True)
        self._say("phases over https")
        https = over_tls.run(_HTTPS, self._load(_BLOCK_NS))
        policies: dict[str, PolicyFloor] = {}
        for target, run in ((in_clear, http), (over_tls, https)):
            for name, one in run.summary["policies"].items():
                policies[f"{target.scheme} {name}"] = policy_floor(one)
        packets, skipped = self._packets(in_clear, over_tls)
        for target in (in_clear, over_tls) if self._divisor == 1 else (in_clear,):
            for name in _RATED:
                self._rate(target, name, policies[f"{target.scheme} {name}"])
        delays = stamp_delays(http.samples)
        return {
            "schema": CALIBRATION_SCHEMA,
            "measured": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - begun_s, 1),
            "machine": identity_of(facts),
            "state": machine_state(),
            "clock": clock,
            "wake_up_ns": spreads({"timer": late_ns, "ping": round_trips_ns}),
            "phases_ns": phase_spreads(http.samples, https.samples),
            "policies": policies,
            "stamp_delay_ns": delays,
            "packets": packets,
            "packets_skipped": skipped,
            "error_ns": stamp_errors(packets, delays),
        }

    def _target(self, *, tls: bool) -> CalibrationTarget:
        target = CalibrationTarget(self._folder, tls=tls)
        self._stack.callback(target.close)
        return target

    def _load(self, block_ns: int) -> Load:
        block_ns //= self._divisor
        return Load(users=1, rounds=_ROUNDS, block_ns=block_ns, warmup_ns=block_ns // _WARMUP_SHARE)

    def _packets(self, in_clear: CalibrationTarget, over_tls: CalibrationTarget) -> tuple[PacketComparison | None, str]:
        """Our phases against the packets, and why they are not compared, if so."""
        if reason := why_not():
            return None, reason
        self._say("phases against a capture of the packets")
        try:
            found = packet_comparison(in_clear.capture(_HTTP, self._load(_CAPTURE_BLOCK_NS)))
            secure = packet_comparison(over_tls.capture("close", self._load(_CAPTURE_BLOCK_NS)))
        except (RuntimeError, ValueError) as error:
            return None, str(error)
        if TLS in secure["errors_ns"]:
            found["errors_ns"][TLS] = secure["errors_ns"][TLS]
        return found, ""

    def _rate(self, target: CalibrationTarget, policy: str, floor: PolicyFloor) -> None:
        """Find the highest honest rate, and note it."""
        self._say(f"highest honest rate: {policy} over {target.scheme}")
        if not floor["cpu_ns_per_request"]:
            return
        rates = rates_to_try(floor["cpu_ns_per_request"])
        floor["rates_tried_rps"] = list(rates)
        load = replace(self._load(_RATE_BLOCK_NS), rounds=1, max_connections=_MAX_CONNECTIONS)
        swept = target.run(policy, load, Axes(rate=rates))
        floor["max_rate_rps"] = highest_honest_rate(swept.summary)


def _save(record: CalibrationRecord) -> Path | None:
    try:
        return save_calibration(record)
    except OSError as error:
        print_error(f"the calibration can't be saved as {calibration_path(record['machine'])}: {error.strerror}")
        return None


def _text(record: CalibrationRecord) -> str:
    return json.dumps(record, indent=2) + "\n"


def _progress(*, quiet: bool) -> Callable[[str], None]:
    """A line for each part, on standard error where that is a terminal."""

    def say(what: str) -> None:
        if not quiet and sys.stderr.isatty():
            print_error(f"calibrate: {what} …")

    return say
