"""The rows of a long run in parts: taken in while they are written, cut off anywhere, nothing is lost or doubled."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadgen.measure.data.block_histograms import LATENCY, SERIES
from loadgen.measure.data.limiting import ALL
from loadgen.measure.data.recorder import EXCHANGES_FILE, ROLLUP_FILE, Recorder, part_path
from loadgen.measure.data.rollup import Rollup
from loadgen.measure.data.rows import Samples, read_rows
from loadgen.measure.data.worker_data import read_worker_data, remove_rows
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT
from tests.support.synthetic import US, Exchange, Link, RunWriter, cutter, plan_json, summary_of

POLICIES = ("persistent", "close")
ROUNDS, REQUESTS = 2, 6_000
PART_ROWS = 1  # as short as parts can be: one segment
MAX_SAMPLES = 4_000


def write(directory: Path, part_rows: int = PART_ROWS, upto: int = 2 * ROUNDS) -> RunWriter:
    """Blocks of two users; every fiftieth request failed."""
    writer = RunWriter(directory, plan_json(rounds=ROUNDS))
    writer.recorder.close()
    writer.recorder = Recorder(directory, part_rows)
    random = np.random.default_rng(5)
    blocks = [(policy, number) for number in range(ROUNDS) for policy in POLICIES]
    for policy, number in blocks[:upto]:
        waits = random.gamma(4, 20_000 if policy == "persistent" else 30_000, REQUESTS).astype(int).tolist()
        exchanges = [
            Exchange(at * 30 * US, wait=wait, outcome=200 if at % 50 else -ErrorKind.TRUNCATED)
            for at, wait in enumerate(waits)
        ]
        step = REQUESTS // 2 if policy == "persistent" else 1
        links = [Link(exchanges[at : at + step], slot=at % 2, connect=40 * US) for at in range(0, REQUESTS, step)]
        writer.block(policy, number, links)
    return writer


def parts(directory: Path) -> int:
    return len(list(directory.glob(f"{EXCHANGES_FILE}*")))


def facts(samples: Samples) -> list[Any]:
    """What is known of the blocks but how many samples are kept."""
    found: list[Any] = [{**block} for block in samples.with_counts().blocks]
    for block in found:
        block["counted"] = {
            key: value for key, value in block["counted"].items() if key in ("requests", "errors", "statuses", "phases")
        }
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """The samples of the same rows, read at once."""
    directory = tmp_path_factory.mktemp("whole")
    writer = write(directory, part_rows=0)
    writer.recorder.close()
    assert parts(directory) == 1
    return read_rows(directory, POLICIES)


def test_rows_in_parts_are_read_like_rows_in_one(tmp_path: Path, whole: Samples) -> None:
    writer = write(tmp_path / "run")
    assert writer.recorder.exchanges == 4 * REQUESTS
    writer.recorder.close()
    assert parts(tmp_path / "run") == 3
    samples = read_rows(tmp_path / "run", POLICIES)
    assert samples.blocks == whole.blocks
    assert all(np.array_equal(samples.columns[name], column) for name, column in whole.columns.items())


def test_a_long_run_keeps_a_share_and_counts_all(tmp_path: Path, whole: Samples) -> None:
    directory = tmp_path / "run"
    write(directory).recorder.close()
    samples = read_worker_data(directory, POLICIES, MAX_SAMPLES)
    assert facts(samples) == facts(whole)
    assert MAX_SAMPLES // 2 < len(samples) <= MAX_SAMPLES
    failed = samples.columns["error"] != ABSENT
    assert failed.sum() == 4 * REQUESTS // 50  # they are few, so all of them stay
    shares = [block["counted"]["kept"] / block["counted"]["requests"] for block in samples.blocks]
    assert shares == pytest.approx([shares[0]] * 4, rel=0.1)


def test_below_the_limit_nothing_is_rolled_up(tmp_path: Path, whole: Samples) -> None:
    directory = tmp_path / "run"
    write(directory).recorder.close()
    samples = read_worker_data(directory, POLICIES, 5 * REQUESTS)
    assert samples.blocks == whole.blocks
    assert not len(samples.histograms.columns["count"])


def test_parts_go_once_they_are_taken_in(tmp_path: Path, whole: Samples) -> None:
    directory = tmp_path / "run"
    writer = write(directory, upto=2)
    rollup = Rollup(directory, POLICIES, MAX_SAMPLES)
    assert rollup.waiting_parts == 1
    rollup.take_in()
    assert rollup.waiting_parts == 0
    assert part_path(directory, EXCHANGES_FILE, 0).stat().st_size == 0
    assert (directory / ROLLUP_FILE).exists()
    rollup.take_in()  # there is nothing to do
    writer.recorder.close()
    assert sum(block["started"] for block in read_worker_data(directory, POLICIES, ALL).blocks) == 2 * REQUESTS


@pytest.mark.parametrize("at", range(8))
def test_a_roll_up_that_was_cut_off_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, whole: Samples
) -> None:
    directory = tmp_path / "run"
    writer = write(directory)
    with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        cut = cutter(at)
        for name in ("replace", "unlink"):
            patch.setattr(Path, name, cut(getattr(Path, name)))
        patch.setattr(os, "truncate", cut(os.truncate))
        Rollup(directory, POLICIES, MAX_SAMPLES).take_in()
    writer.recorder.close()
    assert facts(read_worker_data(directory, POLICIES, MAX_SAMPLES)) == facts(whole)


def test_a_full_disk_keeps_the_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Samples) -> None:
    directory = tmp_path / "run"
    writer = write(directory)
    rollup = Rollup(directory, POLICIES, MAX_SAMPLES)
    with monkeypatch.context() as patch:
        patch.setattr("numpy.savez", lambda *_args, **_more: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(OSError, match="No space"):
            rollup.take_in()
    assert parts(directory) == 3
    writer.recorder.close()
    assert facts(read_worker_data(directory, POLICIES, MAX_SAMPLES)) == facts(whole)


def test_a_new_recorder_removes_what_an_earlier_one_left(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    writer = write(directory)
    writer.recorder.close()
    Rollup(directory, POLICIES, MAX_SAMPLES).take_in()
    part_path(directory, EXCHANGES_FILE, 0).unlink()  # as far as a removal came that was cut off
    Recorder(directory, PART_ROWS).close()
    assert not (directory / ROLLUP_FILE).exists()
    assert parts(directory) == 1
    remove_rows(directory)
    assert not list(directory.glob("*.rows*"))


def test_phases_of_blocks_that_are_over_are_counted_together(tmp_path: Path) -> None:
    write(tmp_path / "run").recorder.close()
    columns = read_worker_data(tmp_path / "run", POLICIES, MAX_SAMPLES).histograms.columns
    phases = columns["series"] != SERIES.index(LATENCY)
    assert set(columns["block"][~phases].tolist()) == {0, 1, 2, 3}
    assert set(columns["block"][phases].tolist()) == {0, 1, 3}  # the last one could still have grown


def test_the_store_settles_a_long_run(tmp_path: Path, whole: Samples) -> None:
    writer = write(tmp_path / "run")
    writer.recorder.close()
    made = summary_of(writer.store, writer.store.settle(POLICIES, MAX_SAMPLES))
    assert [one["started"] for one in made["policies"].values()] == [2 * REQUESTS] * 2
    for name, exact in summary_of(writer.store, whole)["policies"].items():
        found = made["policies"][name]
        for key in ("mean", "max"):
            assert found["latency_ns"][key] == exact["latency_ns"][key]
        for phase, figures in exact["phases_ns"].items():
            assert found["phases_ns"][phase]["mean"] == figures["mean"]
            assert found["phases_ns"][phase]["p99"] == (figures["p99"] and pytest.approx(figures["p99"], rel=0.01))
    assert not writer.store.has_rows
    again = summary_of(writer.store, writer.store.load_samples(POLICIES, MAX_SAMPLES))
    assert again == made
