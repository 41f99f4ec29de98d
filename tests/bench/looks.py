"""What is read and shown of a run while it goes on: the pause between two blocks, and the live screen's CPU time."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from loadgen.cli.live_blocks import LiveBlocks
from loadgen.cli.screen.live_screen import LiveScreen
from loadgen.cli.screen.run_progress import RunProgress
from loadgen.cli.screen.terminal import Terminal
from loadgen.measure.data.latency_totals import LatencyTotals
from loadgen.measure.data.recorder import BLOCKS_FILE, CONNECTIONS_FILE, EXCHANGES_FILE, part_path
from loadgen.measure.data.store import RunStore
from loadgen.model.plan import Plan
from tests.bench.case import Bench
from tests.bench.rows import write_run

PAUSES, SCREEN = "pauses", "screen"
_DRAWINGS_PER_BLOCK = 10  # of a block of 2 s


def looks(bench: Bench) -> None:
    """Both tables, or the one that was asked for."""
    if bench.wants(PAUSES):
        _pauses(bench)
    if bench.wants(SCREEN):
        _screen(bench)


def _pauses(bench: Bench) -> None:
    """The pause between two rounds of a run that goes on until it is precise: reading what the round has added."""
    print("| requests in a round | pause, median | its CPU time |\n|---:|---:|---:|")
    for samples in (10_000, 100_000, 1_000_000):
        run = bench.folder / f"looks-{samples}"
        write_run(run, samples, rounds=1)
        pauses_ms, cpu_ms = zip(*(_spent_ms(LatencyTotals(run).read) for _ in range(bench.turns)), strict=True)
        print(f"| {samples:,} | {median(pauses_ms):.1f} ms | {median(cpu_ms):.1f} ms |", flush=True)
        shutil.rmtree(run)


def _screen(bench: Bench) -> None:
    """A run with a live screen: what each block's end costs, at its beginning and at its end, and each drawing."""
    print("| requests | rounds | block's end, first 20 rounds | last 20 rounds | a drawing | CPU time of 2 s a block |")
    print("|---:|---:|---:|---:|---:|---:|")
    for samples, rounds in ((3_000_000, 10), (3_000_000, 50), (3_000_000, 400)):
        source, run = bench.folder / "source", bench.folder / "run"
        write_run(source, samples, rounds)
        run.mkdir()
        ends_ms, drawings_ms = _shown_ms(source, run)
        shutil.rmtree(source)
        shutil.rmtree(run)
        share = (median(ends_ms) + _DRAWINGS_PER_BLOCK * median(drawings_ms)) / 2_000
        print(
            f"| {samples:,} | {rounds} | {median(ends_ms[:40]):.1f} ms | {median(ends_ms[-40:]):.1f} ms | "
            f"{median(drawings_ms):.2f} ms | {share:.2%} |",
            flush=True,
        )


def _shown_ms(source: Path, run: Path) -> tuple[list[float], list[float]]:
    """The CPU time of the end of each block, and of a drawing within it. source: the run as it will be in the end."""
    progress = RunProgress(Plan.from_json(RunStore(source).load_run()["plan"]))
    screen = LiveScreen(progress, Terminal(io.StringIO(), has_colours=True))
    blocks = LiveBlocks([run], [progress.figures.add], has_histograms=True)

    def end() -> None:
        blocks.look()
        screen.draw()

    ends_ms, drawings_ms = [], []
    for index, facts in enumerate((source / BLOCKS_FILE).read_text().splitlines()):
        _end_block(source, run, index, facts)
        policy = "persistent" if index % 2 == 0 else "close"
        progress.add({"block": {"index": index, "round": index // 2, "policy": policy}}, 0)
        screen.draw()
        drawings_ms.append(_spent_ms(screen.draw)[1])
        ends_ms.append(_spent_ms(end)[1])
    return ends_ms, drawings_ms


def _end_block(source: Path, run: Path, index: int, facts: str) -> None:
    """What a worker leaves at the end of a block: its rows, each block's in a part of their own, and its facts."""
    for name in (EXCHANGES_FILE, CONNECTIONS_FILE):
        part_path(source, name, index).rename(part_path(run, name, index))
    with (run / BLOCKS_FILE).open("a", encoding="utf-8") as file:
        file.write(facts + "\n")


def _spent_ms(step: Callable[[], object]) -> tuple[float, float]:
    """The time and the CPU time that it takes."""
    begun, cpu_begun = time.perf_counter(), time.process_time()
    step()
    return 1e3 * (time.perf_counter() - begun), 1e3 * (time.process_time() - cpu_begun)
