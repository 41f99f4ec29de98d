"""A calibration as text: tables of aligned columns for the shell. Reads no file."""

from __future__ import annotations

from collections.abc import Iterator

from loadgen.model.calibration import CalibrationRecord, Spread
from loadgen.model.units import format_duration
from loadgen.show.formatting import ABSENT
from loadgen.show.tables.table import Row

_SPREAD = ("count", "min", "q1", "median", "q3", "p99")
_NAMES = {
    "tls_full": "TLS, full handshake",
    "tls_resumed": "TLS, resumed",
    "timer": "timer, how late",
    "ping": "ask another process, round trip",
    "send_wait": "send + wait",
    "tls": "TLS",
}


def calibration_lines(record: CalibrationRecord) -> Iterator[str]:
    """All of it, line by line."""
    machine, state, clock = record["machine"], record["state"], record["clock"]
    mhz = state["frequency_mhz"]
    yield (
        f"{machine['cpu']}, {machine['cpus_allowed']} of {machine['cpu_count'] or '?'} processors"
        f"{f' at {mhz:,.0f} MHz' if mhz else ''}, governor {state['governor'] or 'not known'}, "
        f"{'virtual machine: ' + state['hypervisor'] if state['hypervisor'] else 'no virtual machine'}"
    )
    yield f"{machine['system']}, {machine['python']}, loadgen {machine['loadgen']} (core: {machine['core']})"
    yield f"clock: step {clock['step_ns']} ns, a reading {clock['read_ns']} ns, resolution {clock['resolution_ns']} ns"
    yield from _section("Waking", record["wake_up_ns"])
    yield from _section("Phases against a target that answers at once", record["phases_ns"])
    yield from _section("Stamps later than the kernel's, at the end of", record["stamp_delay_ns"])
    packets = record["packets"]
    if packets is None:
        yield f"\nPhases against packets: skipped, as {record['packets_skipped']}"
    else:
        found = f"{packets['matched']:,} of {packets['matched'] + packets['unmatched']:,} requests"
        yield from _section(f"Phases longer than their packets by ({found})", packets["errors_ns"])
    yield "\nPolicies, one user; and the highest rate that the generator keeps on time, with half of its core"
    yield from _aligned(_policy_rows(record))
    error = record["error_ns"]
    yield (
        f"\nA phase is typically too long by: connect {format_duration(error['connect'])}, TLS "
        f"{format_duration(error['tls'])}, send + wait {format_duration(error['send_wait'])} (by {error['source']})"
    )


def _section(title: str, spreads: dict[str, Spread]) -> Iterator[str]:
    yield f"\n{title}"
    rows = [
        (
            _NAMES.get(name, name),
            f"{one['count']:,}",
            *map(format_duration, (one["min"], one["q1"], one["p50"], one["q3"], one["p99"])),
        )
        for name, one in spreads.items()
    ]
    yield from _aligned([("", *_SPREAD), *rows])


def _policy_rows(record: CalibrationRecord) -> list[Row]:
    rows: list[Row] = [("", "requests", "median", "CPU", "highest rate")]
    for name, one in record["policies"].items():
        cpu_ns, p50_ns, rate = one["cpu_ns_per_request"], one["latency_p50_ns"], one["max_rate_rps"]
        tried = "none of those tried" if one["rates_tried_rps"] else ABSENT
        rows.append(
            (
                name,
                f"{one['requests']:,}",
                ABSENT if p50_ns is None else format_duration(p50_ns),
                ABSENT if cpu_ns is None else format_duration(cpu_ns),
                tried if rate is None else f"{rate:,.0f}/s",
            )
        )
    return rows


def _aligned(rows: list[Row]) -> Iterator[str]:
    """The first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = (text.rjust(width) for text, width in zip(others, widths[1:], strict=True))
        yield f"  {first.ljust(widths[0])}  {'  '.join(cells)}".rstrip()
