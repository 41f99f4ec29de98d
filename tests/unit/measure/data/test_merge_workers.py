"""Samples of several workers become one run: every block once, also when merging is cut off."""

from __future__ import annotations

import contextlib
import errno
import json
import random
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadgen.measure.data.limiting import ALL
from loadgen.measure.data.merge_workers import merge_blocks, merge_workers
from loadgen.measure.data.npz import SAMPLES_FILE
from loadgen.measure.data.recorder import RUN_FILE, Recorder, worker_folder
from loadgen.measure.data.rows import Samples
from loadgen.measure.data.store import RunStore
from loadgen.measure.data.worker_data import compact, measured_worker_folders, read_worker_data
from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import PlanError
from tests.support.synthetic import (
    BLOCK_NS,
    CLOCK_NS,
    ENVIRONMENT,
    MS,
    US,
    WARMUP_NS,
    WINDOW_NS,
    Exchange,
    Link,
    RunWriter,
    cutter,
    plan_json,
    summary_of,
)

POLICIES = ("persistent", "close")
ROUNDS = 3


class Worker(RunWriter):
    """Writes a part instead of a run."""

    def __init__(self, directory: Path, plan: dict[str, Any]) -> None:
        directory.mkdir(parents=True)
        self.plan = plan
        self.recorder = Recorder(directory)
        self._blocks = self._connections = 0


def create(directory: Path, plan: dict[str, Any]) -> RunStore:
    store = RunStore.create(directory)
    store.save_run({"name": "run", "plan": plan, "environment": ENVIRONMENT, "notes": []})
    return store


Links = dict[tuple[int, str], list[Link]]
"""The connections of each block."""


def measured(seed: int) -> Links:
    """What four users met: answers, failures, recycled connections, requests in and beyond the warm-up."""
    rng = random.Random(seed)
    outcomes = (200, 200, 200, 404, -ErrorKind.STALE_CONNECTION, -ErrorKind.UNFINISHED)

    def link(user: int, begin: int) -> Link:
        exchanges = [
            Exchange(
                at_ns=-WARMUP_NS // 2 + (begin + request_index) * 20 * MS + rng.randrange(MS),
                wait=rng.randrange(50, 500) * US,
                outcome=rng.choice(outcomes), user=user, queue=rng.choice((-1, 7 * US)),
            )
            for request_index in range(rng.randrange(1, 5))
        ]  # fmt: skip
        return Link(exchanges, slot=user, connect=rng.randrange(20, 60) * US, ending=rng.choice((0, 1, 4, 5)))

    return {
        (number, policy): [link(user, turn * 5) for user in range(4) for turn in range(3)]
        for number in range(ROUNDS)
        for policy in POLICIES
    }


def write(writer: RunWriter, blocks: Links, users: Iterable[int], renumbered: bool = False, **facts: Any) -> None:
    """Let a writer write what these users did; `renumbered` if they count from 0 in their worker."""
    mine = sorted(users)
    for (number, policy), links in blocks.items():
        own = []
        for link in links:
            assert link.slot is not None
            if link.slot in mine:
                slot = mine.index(link.slot) if renumbered else link.slot
                exchanges = [Exchange(**{**vars(one), "user": slot}) for one in link.exchanges]
                own.append(Link(**{**vars(link), "slot": slot, "exchanges": exchanges}))
        writer.block(policy, number, own, **facts)
    writer.recorder.close()


def plan_of_four(**more: Any) -> dict[str, Any]:
    return {**plan_json(rounds=ROUNDS, **more), "users": 4}


def split_run(directory: Path, blocks: Links, shares: list[list[int]], packed: Iterable[int] = ()) -> RunStore:
    """A run whose users were spread over workers; the parts in `packed` come as compact files."""
    store = create(directory, plan_of_four())
    for number, users in enumerate(shares):
        part = worker_folder(directory, number)
        write(Worker(part, plan_of_four()), blocks, users, renumbered=True)
        if number in packed:
            compact(part, POLICIES)
    return store


def one_run(directory: Path, blocks: Links) -> RunStore:
    """The same by one worker."""
    writer = RunWriter(directory, plan_of_four())
    write(writer, blocks, range(4))
    return writer.store


def load(store: RunStore) -> Samples:
    return store.load_samples(POLICIES)


def facts_of(summary: dict[str, Any]) -> dict[str, Any]:
    """All that a split leaves as it is."""
    for one in summary["policies"].values():
        for name in ("cpu_ns_per_request", "cpu_share", "rss_bytes"):
            del one["generator"][name]
    return summary


@pytest.mark.parametrize("seed", range(12))
def test_any_split_of_a_run_gives_the_summary_of_the_whole(tmp_path: Path, seed: int) -> None:
    blocks, rng = measured(seed), random.Random(seed)
    shares: list[list[int]] = [[] for _ in range(rng.randrange(1, 5))]
    for user in range(4):
        rng.choice(shares).append(user)
    packed = [number for number in range(len(shares)) if rng.random() < 0.5]
    whole, split = one_run(tmp_path / "one", blocks), split_run(tmp_path / "split", blocks, shares, packed)
    found = facts_of(summary_of(split, load(split)))
    assert found == facts_of(summary_of(whole, load(whole))) | {"run": "run"}
    for one in found["policies"].values():
        assert one["started"] == one["requests"] + sum(one["errors"].values()) + one["unfinished"] > 0
    assert {path.name for path in split.directory.iterdir()} == {RUN_FILE, SAMPLES_FILE}


def test_what_workers_spend_is_added_and_the_busiest_is_told(tmp_path: Path) -> None:
    store = create(tmp_path / "run", plan_of_four())
    for number, cpu_ns in enumerate((WINDOW_NS // 10, WINDOW_NS // 2)):
        write(Worker(worker_folder(store.directory, number), plan_of_four()), measured(1), [number], cpu_ns=cpu_ns)
    samples = load(store)
    one = summary_of(store, samples)["policies"]["close"]
    assert one["generator"]["cpu_share"] == pytest.approx(0.5)
    assert one["generator"]["cpu_ns_per_request"] == round(ROUNDS * 0.6 * WINDOW_NS / one["started"])
    assert one["seconds"] == pytest.approx(ROUNDS * WINDOW_NS / 1e9)
    assert {block["workers"] for block in samples.blocks} == {2}


def test_no_two_parts_share_a_number(tmp_path: Path) -> None:
    store = split_run(tmp_path / "run", measured(2), [[0, 1], [2], [3]])
    samples = load(store)
    for name in ("connection", "user"):
        owners: dict[int, set[int]] = {}
        for number, worker in zip(samples.columns[name].tolist(), samples.columns["worker"].tolist(), strict=True):
            owners.setdefault(number, set()).add(worker)
        assert all(len(workers) == 1 for workers in owners.values())
    assert set(samples.columns["user"].tolist()) == {0, 1, 2, 3}
    assert set(samples.columns["worker"].tolist()) == {0, 1, 2}
    highest = int(samples.columns["connection"].max())
    assert max(block["next_connection"] for block in samples.blocks) > highest


def test_two_lanes_of_one_process_are_two_parts(tmp_path: Path) -> None:
    """They may have the same block, or blocks of their own."""
    store = create(tmp_path / "run", plan_of_four())
    blocks = measured(3)
    write(Worker(worker_folder(store.directory, 0), plan_of_four()), blocks, [0, 1, 2, 3])
    second = Worker(worker_folder(store.directory, 1), plan_of_four())
    second.block("persistent", 0, [Link(slot=0)])
    second.recorder.close()
    found = [(block["index"], block["workers"]) for block in load(store).blocks]
    assert found == [(0, 2), *((index, 1) for index in range(1, 6))]


# What is not a sum


def test_facts_that_only_some_know_come_from_the_first_that_does() -> None:
    parts: list[dict[str, Any]] = [
        {"index": 3, "window_ns": 5, "next_connection": 2, "keep_alive": {"timeout_s": 9}, "whole": True, "tcp": None},
        {"index": 3, "window_ns": 7, "next_connection": 9, "keep_alive": {"timeout_s": 4, "max": 8}, "whole": True,
         "kernel": {"retransmits": 1}, "tcp": {"sampled": 3}},
        {"index": 3, "window_ns": 6, "next_connection": 1, "keep_alive": {}, "whole": True,
         "kernel": {"retransmits": 5}, "tcp": {"sampled": 4}, "due": 7, "after_close": {"tried": 2, "answered": 1}},
    ]  # fmt: skip
    assert merge_blocks(parts) == {
        "index": 3, "window_ns": 7, "next_connection": 9, "keep_alive": {"timeout_s": 4, "max": 8}, "whole": True,
        "kernel": {"retransmits": 1}, "tcp": {"sampled": 3}, "due": 7, "after_close": {"tried": 2, "answered": 1},
        "workers": 3, "busiest_cpu_ns": 0,
    }  # fmt: skip
    assert merge_blocks([parts[0], parts[1] | {"whole": False}])["whole"] is False


def test_another_machines_clock_is_brought_to_the_first_ones(tmp_path: Path) -> None:
    blocks = measured(4)
    here, there = one_run(tmp_path / "here", blocks), one_run(tmp_path / "there", blocks)
    parts = [load(here), load(there)]
    offset_ns = 10**15
    for part, boot_id in zip(parts, ("a", "b"), strict=True):
        for block in part.blocks:
            block["boot_id"] = boot_id
    other = parts[1]
    moved = {**other.columns, "scheduled": other.columns["scheduled"] + np.int64(offset_ns)}
    times = ("window_begun_ns", "window_ended_ns")
    blocks_there = [block | {key: block[key] + offset_ns for key in times} for block in other.blocks]
    far = Samples(other.policies, moved, blocks_there)
    merged = merge_workers([(0, parts[0]), (1, far)])
    for part, worker in ((parts[0], 0), (other, 1)):
        mine = merged.columns["worker"] == worker
        assert np.array_equal(merged.columns["scheduled"][mine], part.columns["scheduled"])
    assert [block["window_begun_ns"] for block in merged.blocks] == [
        block["window_begun_ns"] for block in parts[0].blocks
    ]
    same = [block | {"boot_id": "a"} for block in far.blocks]
    apart = merge_workers([(0, parts[0]), (1, Samples(far.policies, far.columns, same))])
    assert int(np.ptp(apart.columns["scheduled"])) > offset_ns  # one clock: nothing is moved


def test_what_messages_said_of_a_clock_moves_its_times_and_shows_when_each_began(tmp_path: Path) -> None:
    """The windows need not begin together: each worker's load began at another time, by the master's clock."""
    store = create(tmp_path / "run", plan_of_four())
    offsets_ns, late_ns = (10**12, 0, -(10**15)), (0, 3 * MS, 8 * MS)
    for number, (offset_ns, begun_ns) in enumerate(zip(offsets_ns, late_ns, strict=True)):
        worker = Worker(worker_folder(store.directory, number), plan_of_four())
        clock = {"clock_offset_ns": offset_ns, "clock_error_ns": number * US, "boot_id": str(number)}
        worker.block("persistent", 0, [Link()], load_begun_ns=CLOCK_NS + begun_ns - offset_ns, **clock)
        worker.recorder.close()
    parts = [
        (number, read_worker_data(path, POLICIES)) for number, path in measured_worker_folders(store.directory).items()
    ]
    whole = merge_workers(parts)
    pieces = merge_workers(parts[1:], merge_workers(parts[:1]))
    for merged in (whole, pieces):
        (block,) = merged.blocks
        assert block["load_begun_ns"] == CLOCK_NS
        assert (block["load_spread_ns"], block["clock_error_ns"], block["clock_offset_ns"]) == (8 * MS, 2 * US, 0)
        # The windows were written as if all began together by their own clocks.
        begun = merged.columns["scheduled"][np.argsort(merged.columns["worker"])]
        assert np.diff(begun).tolist() == np.diff(offsets_ns).tolist()


def test_processes_of_one_machine_have_one_clock_and_of_another_one_something_must_be_known() -> None:
    block: Any = {
        "index": 0, "round": 0, "policy": "close", "window_ns": 1, "started": 0, "exchanges": 0, "next_connection": 0,
        "connections": {}, "endings": {}, "warmup_outlasted": 0, "warmup_errors": 0, "load_begun_ns": 5,
    }  # fmt: skip

    def error_ns(*facts: dict[str, Any]) -> int | None:
        merged = merge_blocks([block | one for one in facts])
        assert merged["load_spread_ns"] == 0
        return merged["clock_error_ns"]

    known = {"boot_id": "b", "clock_error_ns": 7}
    assert error_ns({}, {}) == 0  # of the command
    assert error_ns({"boot_id": "a"}, {"boot_id": "a"}) == 0  # user classes of one process
    assert error_ns({"boot_id": "a", "clock_error_ns": 0}, known) == 7
    assert error_ns({"boot_id": "a"}, known) is None
    assert error_ns({"boot_id": None}, {"boot_id": None}) is None


def test_a_block_only_the_other_machine_has_is_moved_like_its_others(tmp_path: Path) -> None:
    store = create(tmp_path / "run", plan_of_four())
    for number, rounds in enumerate((1, 2)):
        worker = Worker(worker_folder(store.directory, number), plan_of_four())
        for at in range(rounds):
            worker.block("persistent", at, [Link()], boot_id=str(number))
        worker.recorder.close()
    parts = [
        (number, read_worker_data(path, POLICIES)) for number, path in measured_worker_folders(store.directory).items()
    ]
    for block in parts[0][1].blocks:
        block["window_begun_ns"] += 7
    merged = merge_workers(parts)
    assert [block["window_begun_ns"] - CLOCK_NS - WARMUP_NS for block in merged.blocks] == [7, BLOCK_NS + 7]


# Workers that died


def dead(directory: Path, blocks: Links, users: list[int], until: int) -> RunWriter:
    """A worker that was killed in the block with index `until`: its files are as they were at that moment."""
    writer = Worker(directory, plan_of_four())
    for index, ((number, policy), links) in enumerate(blocks.items()):
        if index <= until:
            writer.block(policy, number, [link for link in links if link.slot in users], ended=index < until)
    return writer


@pytest.mark.parametrize("packed", [False, True], ids=["rows", "packed"])
def test_the_block_that_a_worker_died_in_is_the_others_alone(tmp_path: Path, packed: bool) -> None:
    blocks = measured(5)
    store = create(tmp_path / "run", plan_of_four())
    write(Worker(worker_folder(store.directory, 0), plan_of_four()), blocks, [0, 1])
    killed = dead(worker_folder(store.directory, 1), blocks, [2, 3], until=3)
    if packed:
        compact(worker_folder(store.directory, 1), POLICIES)
    samples = load(store)
    assert [block["workers"] for block in samples.blocks] == [2, 2, 2, 1, 1, 1]
    assert all(block["whole"] for block in samples.blocks)
    by_two = one_run(tmp_path / "two", {key: [link for link in links if link.slot in (0, 1)]
                                        for key, links in blocks.items()})  # fmt: skip
    by_four = one_run(tmp_path / "four", blocks)
    expected = [block["started"] for block in load(by_four).blocks[:3] + load(by_two).blocks[3:]]
    assert [block["started"] for block in samples.blocks] == expected
    assert len(samples) == sum(expected)
    killed.recorder.close()


def test_what_was_cut_off_everywhere_stays(tmp_path: Path) -> None:
    store = create(tmp_path / "run", plan_of_four())
    writers = [dead(worker_folder(store.directory, number), measured(6), [number], until=2) for number in range(2)]
    blocks = load(store).blocks
    assert [block["index"] for block in blocks] == [0, 1, 2]
    assert blocks[2]["started"] > 0
    assert not blocks[2].get("whole")
    for writer in writers:
        writer.recorder.close()


# Settling


def everything(samples: Samples) -> Any:
    """Samples and blocks, in an order of their own."""
    names = [name for name in samples.columns if name not in ("connection", "user")]
    rows = sorted(zip(*(samples.columns[name].tolist() for name in names), strict=True))
    blocks = [{key: block[key] for key in ("index", "started", "connections", "workers")} for block in samples.blocks]
    return rows, blocks


@pytest.mark.parametrize("at", range(16))
def test_merging_parts_that_was_cut_off_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    blocks = measured(7)
    shares = [[0, 1], [2], [3]]
    whole = everything(load(split_run(tmp_path / "other", blocks, shares, packed=[1])))
    store = split_run(tmp_path / "run", blocks, shares, packed=[1])
    with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        cut = cutter(at)
        for name in ("replace", "unlink", "rmdir"):
            patch.setattr(Path, name, cut(getattr(Path, name)))
        store.settle(POLICIES)
    assert everything(load(store)) == whole
    assert everything(load(store)) == whole
    left = {path.name for path in store.directory.rglob("*") if path.is_file()}
    assert left == {RUN_FILE, SAMPLES_FILE}


def test_a_part_that_comes_later_is_added(tmp_path: Path) -> None:
    blocks, shares = measured(8), [[0, 1], [2], [3]]
    at_once = load(split_run(tmp_path / "other", blocks, shares))
    store = split_run(tmp_path / "run", blocks, shares, packed=[2])
    late = worker_folder(store.directory, 2)
    shutil.move(late, tmp_path / "late")
    assert len(load(store)) < len(at_once)
    shutil.move(tmp_path / "late", late)
    found = load(store)
    assert everything(found) == everything(at_once)
    assert len(set(found.columns["user"].tolist())) == 4


def test_parts_are_rows_to_be_settled(tmp_path: Path) -> None:
    store = create(tmp_path / "run", plan_of_four())
    assert not store.has_rows
    write(Worker(worker_folder(store.directory, 4), plan_of_four()), measured(1), [0])
    assert store.has_rows
    load(store)
    assert not store.has_rows


def test_a_full_disk_leaves_the_parts_for_another_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_more: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store = split_run(tmp_path / "run", measured(9), [[0, 1], [2, 3]])
    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full)
        found = load(store)
        with pytest.raises(OSError, match="No space"):
            compact(worker_folder(store.directory, 0), POLICIES)
    assert store.has_rows
    assert {path.name for path in store.directory.iterdir()} == {RUN_FILE, "worker-0", "worker-1"}
    assert everything(load(store)) == everything(found)


def test_a_run_that_goes_on_may_have_parts_of_the_same_names(tmp_path: Path) -> None:
    store = create(tmp_path / "run", plan_of_four())
    for begin in (0, 1):
        done, following = store.resume(POLICIES)
        assert done == list(range(begin))
        for number in range(2):
            worker = Worker(worker_folder(store.directory, number), plan_of_four())
            worker._blocks, worker._connections = begin, following
            worker.block(POLICIES[begin], 0, [Link(slot=0), Link(slot=1)])
            worker.recorder.close()
        assert [block["started"] for block in load(store).blocks] == [4] * (begin + 1)


@pytest.mark.parametrize("name", ["worker-", "worker-x", "worker-01", "worker-1.old", "Worker-1", "worker-¹"])
def test_other_folders_are_no_parts(tmp_path: Path, name: str) -> None:
    store = split_run(tmp_path / "run", measured(1), [[0, 1]])
    shutil.copytree(worker_folder(store.directory, 0), store.directory / name)
    assert list(measured_worker_folders(store.directory)) == [0]
    load(store)
    assert (store.directory / name).is_dir()


def test_what_is_not_ours_stays_in_a_parts_folder(tmp_path: Path) -> None:
    for end in (load, RunStore.discard):
        store = split_run(tmp_path / str(end.__name__), measured(1), [[0], [1]])
        mine = worker_folder(store.directory, 0) / "mine"
        mine.touch()
        end(store)
        assert list(mine.parent.iterdir()) == [mine]
        assert not worker_folder(store.directory, 1).exists()
        assert not store.has_rows


def test_a_part_without_a_row_is_removed(tmp_path: Path) -> None:
    """As a worker leaves it that died while it began."""
    store = split_run(tmp_path / "run", measured(1), [[0], [1]])
    empty = worker_folder(store.directory, 2)
    empty.mkdir()
    (empty / "blocks.jsonl").touch()
    load(store)
    assert not empty.exists()


@pytest.mark.parametrize("name", ["connections.rows", "blocks.jsonl", SAMPLES_FILE])
def test_a_damaged_part_is_a_plan_error(tmp_path: Path, name: str) -> None:
    store = split_run(tmp_path / "run", measured(1), [[0], [1]], packed=[1] if name == SAMPLES_FILE else [])
    path = worker_folder(store.directory, 1) / name
    if name == SAMPLES_FILE:
        path.write_bytes(path.read_bytes()[:100])
    else:
        path.unlink()
    with pytest.raises(PlanError, match=r"can't be read: worker-1: .*; without that folder the rest can be read"):
        load(store)
    shutil.rmtree(path.parent)
    assert len(load(store)) > 0


# Compact files


def test_a_part_as_one_file_is_what_its_rows_were(tmp_path: Path) -> None:
    store = split_run(tmp_path / "run", measured(10), [[0, 1, 2, 3]])
    part = worker_folder(store.directory, 0)
    before = read_worker_data(part, POLICIES)
    for _ in range(2):
        assert compact(part, POLICIES) == part / SAMPLES_FILE
        assert [path.name for path in part.iterdir()] == [SAMPLES_FILE]
        after = read_worker_data(part, POLICIES)
        assert after.blocks == json.loads(json.dumps(before.blocks))
        assert all(np.array_equal(after.columns[name], column) for name, column in before.columns.items())


@pytest.mark.parametrize("at", range(5))
def test_compacting_that_was_cut_off_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    whole = everything(load(split_run(tmp_path / "other", measured(11), [[0, 1], [2, 3]])))
    store = split_run(tmp_path / "run", measured(11), [[0, 1], [2, 3]])
    with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        cut = cutter(at)
        for name in ("replace", "unlink"):
            patch.setattr(Path, name, cut(getattr(Path, name)))
        compact(worker_folder(store.directory, 1), POLICIES)
    assert everything(load(store)) == whole


# Parts of which only a share was kept


def busy(requests: int, user: int) -> Links:
    """Blocks of many requests, each with its own time; every tenth failed."""
    return {
        (number, policy): [
            Link(
                [
                    Exchange(at * 5 * US, wait=(at % 97) * US, outcome=200 if at % 10 else -ErrorKind.TRUNCATED)
                    for at in range(requests)
                ],
                slot=user,
            )
        ]
        for number in range(ROUNDS)
        for policy in POLICIES
    }


def test_parts_of_unlike_shares_are_brought_to_the_same(tmp_path: Path) -> None:
    store = create(tmp_path / "run", plan_of_four())
    for number, (requests, most) in enumerate(((1_000, 1_200), (2_000, ALL), (500, 2_400))):
        part = worker_folder(store.directory, number)
        write(Worker(part, plan_of_four()), busy(requests, number), [number])
        compact(part, POLICIES, most)
    samples = load(store)
    complete = samples.columns["error"] == -1
    measured = np.array([1_000, 2_000, 500]) * ROUNDS * len(POLICIES) * 0.9
    shares = np.bincount(samples.columns["worker"][complete]) / measured
    assert shares == pytest.approx([(1 / 8 + 1 / 16) / 2] * 3, abs=0.02)  # the first one's: fewer than 1,200 are kept
    one = summary_of(store, samples)["policies"]["close"]
    assert (one["started"], one["requests"]) == (ROUNDS * 3_500, ROUNDS * 3_150)
    assert one["errors"] == {"truncated": ROUNDS * 350}


def test_parts_thinned_alike_stay_as_they_are(tmp_path: Path) -> None:
    store = create(tmp_path / "run", plan_of_four())
    for number in range(2):
        part = worker_folder(store.directory, number)
        write(Worker(part, plan_of_four()), busy(1_000, number), [number])
        compact(part, POLICIES, 1_000)
    parts = {
        number: read_worker_data(path, POLICIES) for number, path in measured_worker_folders(store.directory).items()
    }
    assert len(load(store)) == sum(map(len, parts.values()))
