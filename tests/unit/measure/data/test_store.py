"""results/<run>/: never overwritten, settled once, read back equal, and a PlanError where it is damaged."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadgen.measure.data.recorder import BLOCKS_FILE, CONNECTIONS_FILE, EXCHANGES_FILE, ROW_BYTES, RUN_FILE
from loadgen.measure.data.store import SAMPLES_FILE, SUMMARY_FILE, RunStore
from loadgen.model.exceptions import PlanError
from loadgen.model.records import ABSENT, COLUMNS, EXCHANGE_FIELDS, EXCHANGE_ROW
from tests.support.synthetic import (
    Link,
    RunWriter,
    close_links,
    cutter,
    full_run,
    links,
    persistent_links,
    plan_json,
    summary_of,
)

POLICIES = ("persistent", "close")
ROWS = (EXCHANGES_FILE, CONNECTIONS_FILE, BLOCKS_FILE)


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


# The folder


@pytest.mark.parametrize("there", [False, True], ids=["missing", "empty"])
def test_create_makes_the_folder(tmp_path: Path, there: bool) -> None:
    directory = tmp_path / "results" / "run"
    if there:
        directory.mkdir(parents=True)
    assert RunStore.create(directory).directory == directory
    assert names(directory) == {RUN_FILE}


@pytest.mark.parametrize("content", [RUN_FILE, SUMMARY_FILE, "notes.txt", ".hidden"])
def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / content).write_text("mine", encoding="utf-8")
    with pytest.raises(PlanError, match="never overwritten"):
        RunStore.create(tmp_path)
    assert names(tmp_path) == {content}
    assert (tmp_path / content).read_text(encoding="utf-8") == "mine"


def test_two_runs_cannot_have_one_folder(tmp_path: Path) -> None:
    RunStore.create(tmp_path / "run")
    with pytest.raises(PlanError):
        RunStore.create(tmp_path / "run")


def test_only_one_may_change_a_folder(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run")
    assert RunStore.open(tmp_path / "run").lock is None  # to read it
    with pytest.raises(PlanError, match="is in use by another loadgen"):
        RunStore.open(tmp_path / "run", to_change=True)
    del store
    other = RunStore.open(tmp_path / "run", to_change=True)
    with pytest.raises(PlanError, match="is in use by another loadgen"):
        RunStore.open(other.directory, to_change=True)


def test_a_child_that_has_the_lock_keeps_it(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run")
    assert store.lock is not None
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(store.lock,))
    del store
    with pytest.raises(PlanError, match="is in use"):
        RunStore.open(tmp_path / "run", to_change=True)
    child.communicate(timeout=20)
    assert RunStore.open(tmp_path / "run", to_change=True).lock is not None


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", raiser(OSError(errno.ENOLCK, "No locks available")))
    assert RunStore.create(tmp_path / "run").lock is None


@pytest.mark.parametrize("place", ["file", "file/run", "/proc/self/run"])
def test_a_folder_that_cannot_be_written(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PlanError, match="can't write to"):
        RunStore.create(tmp_path / place)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_parent(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PlanError, match="Permission denied"):
        RunStore.create(tmp_path / "run")


@pytest.mark.parametrize("place", [".", "missing"])
def test_open_wants_a_run(tmp_path: Path, place: str) -> None:
    with pytest.raises(PlanError, match="holds no run"):
        RunStore.open(tmp_path / place)


def test_discard_leaves_no_trace_of_ours(tmp_path: Path) -> None:
    writer = full_run(tmp_path / "run", rounds=1)
    writer.recorder.close()
    writer.store.discard()
    assert not (tmp_path / "run").exists()


def test_discard_leaves_what_is_not_ours(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run")
    (tmp_path / "run" / "mine").touch()
    store.discard()
    assert names(tmp_path / "run") == {"mine"}


# Settling and reading back


def test_settling_puts_one_file_in_place_of_the_rows(tmp_path: Path) -> None:
    writer = full_run(tmp_path / "run")
    writer.settle()
    assert names(tmp_path / "run") == {RUN_FILE, SAMPLES_FILE}


def test_samples_come_back_as_they_were(tmp_path: Path) -> None:
    writer = full_run(tmp_path / "run")
    settled = writer.settle()
    loaded = RunStore.open(tmp_path / "run").load_samples(POLICIES)
    assert loaded.blocks == settled.blocks
    assert set(loaded.columns) == set(settled.columns) == set(COLUMNS)
    for name in COLUMNS:
        assert np.array_equal(loaded.columns[name], settled.columns[name])
        assert loaded.columns[name].dtype == settled.columns[name].dtype


@pytest.mark.parametrize("times", [1, 3])
def test_a_reloaded_run_has_the_same_summary(tmp_path: Path, times: int) -> None:
    made = full_run(tmp_path / "run").summary()
    for _ in range(times):
        store = RunStore.open(tmp_path / "run")
        assert summary_of(store, store.load_samples(POLICIES)) == made


def test_a_run_that_was_cut_off_has_the_summary_of_its_rows(tmp_path: Path) -> None:
    """No close, no end of block, the reserved space still there: as a killed worker leaves its files."""
    writers = [RunWriter(tmp_path / name / "run") for name in ("killed", "closed")]
    for writer in writers:
        writer.block("persistent", 0, persistent_links(0))
        writer.block("close", 0, close_links(0), ended=False)
    killed, closed = writers
    store = RunStore.open(killed.store.directory)
    assert store.path(EXCHANGES_FILE).stat().st_size > 300 * EXCHANGE_ROW.size
    found = summary_of(store, store.load_samples(POLICIES))
    assert found == closed.summary()
    assert found["policies"]["close"]["requests"] == 100
    assert names(store.directory) == {RUN_FILE, SAMPLES_FILE}
    killed.recorder.close()


def test_settling_that_was_cut_off_is_taken_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = full_run(tmp_path / "run")
    writer.recorder.close()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", raiser(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            writer.store.settle(POLICIES)
    loaded = writer.store.load_samples(POLICIES)
    assert len(loaded) == 1_000
    assert names(tmp_path / "run") == {RUN_FILE, SAMPLES_FILE}


def test_a_full_disk_costs_the_file_not_the_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = full_run(tmp_path / "run")
    writer.recorder.close()
    monkeypatch.setattr(np, "savez", raiser(OSError(errno.ENOSPC, "No space left on device")))
    assert len(writer.store.load_samples(POLICIES)) == 1_000
    assert names(tmp_path / "run") >= {RUN_FILE, *ROWS}  # the rows stay, for a try with more room
    assert not any(name.endswith(".new") for name in names(tmp_path / "run"))


# Going on


def part(directory: Path, blocks: range, of: int = 4, cut: bool = False, first: int = 0) -> RunStore:
    """Some of a run's blocks, as a worker leaves them that goes on with a run; with `cut` it died in the last."""
    plan = plan_json(rounds=of // 2)
    writer = RunWriter(directory, plan, (blocks.start, first) if (directory / RUN_FILE).exists() else None)
    for index in blocks:
        policy = POLICIES[index % 2]
        writer.block(policy, index // 2, links(policy, index // 2), ended=not (cut and index == blocks[-1]))
    writer.recorder.close()
    return writer.store


def whole_run(directory: Path) -> Any:
    return part(directory, range(4)).load_samples(POLICIES)


def alike(one: Any, other: Any) -> bool:
    """The same samples and blocks, in the same order."""
    same = [np.array_equal(one.columns[name], other.columns[name]) for name in COLUMNS if name != "connection"]
    facts = [[{key: block[key] for key in ("index", "whole", "started", "endings")} for block in side.blocks]
             for side in (one, other)]  # fmt: skip
    return all(same) and facts[0] == facts[1]


def test_nothing_to_go_on_from(tmp_path: Path) -> None:
    assert RunStore.create(tmp_path / "run").resume(POLICIES) == ([], 0)


@pytest.mark.parametrize("settled", [False, True])
def test_a_run_goes_on_where_it_was_cut_off(tmp_path: Path, settled: bool) -> None:
    store = part(tmp_path / "run", range(2), cut=True)
    if settled:
        store.load_samples(POLICIES)
    done, following = store.resume(POLICIES)
    assert (done, following) == ([0], 2 + 102)
    assert store.resume(POLICIES)[0] == [0]  # asking again changes nothing
    part(tmp_path / "run", range(1, 4), first=following)
    found = store.load_samples(POLICIES)
    assert alike(found, whole_run(tmp_path / "other"))
    assert names(tmp_path / "run") == {RUN_FILE, SAMPLES_FILE}
    assert not set(found.columns["connection"][found.columns["round"] == 0]) & set(
        found.columns["connection"][found.columns["round"] == 1]
    )


def test_several_times_cut_off(tmp_path: Path) -> None:
    for index in range(4):
        store = RunStore(tmp_path / "run")
        done, following = store.resume(POLICIES) if index else ([], 0)
        assert done == list(range(index))
        store = part(tmp_path / "run", range(index, min(index + 2, 4)), cut=index < 3, first=following)
    assert alike(store.load_samples(POLICIES), whole_run(tmp_path / "other"))
    assert store.resume(POLICIES)[0] == [0, 1, 2, 3]


def test_a_whole_run_has_nothing_left_to_do(tmp_path: Path) -> None:
    store = part(tmp_path / "run", range(4))
    assert store.resume(POLICIES)[0] == [0, 1, 2, 3]


@pytest.mark.parametrize("at", range(5))
def test_merging_that_was_cut_off_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Killed before the samples' file is renamed, after it, and between the removals of the row files."""
    store = part(tmp_path / "run", range(2))
    _, following = store.resume(POLICIES)
    part(tmp_path / "run", range(2, 4), first=following)
    cut = cutter(at)

    with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        patch.setattr(Path, "replace", cut(Path.replace))
        patch.setattr(Path, "unlink", cut(Path.unlink))
        store.settle(POLICIES)
    whole = whole_run(tmp_path / "other")
    assert store.resume(POLICIES)[0] == [0, 1, 2, 3]
    assert alike(store.load_samples(POLICIES), whole)


def test_a_full_disk_stops_the_going_on_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = part(tmp_path / "run", range(2))
    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", raiser(OSError(errno.ENOSPC, "No space left on device")))
        with pytest.raises(PlanError, match="no room"):
            store.resume(POLICIES)
    assert store.resume(POLICIES)[0] == [0, 1]


def test_samples_of_an_earlier_version(tmp_path: Path) -> None:
    store = part(tmp_path / "run", range(2))
    store.load_samples(POLICIES)
    rewrite(store.path(SAMPLES_FILE), drop="late")
    for read in (store.load_samples, store.resume):
        with pytest.raises(PlanError, match="another version of loadgen"):
            read(POLICIES)


def test_what_an_earlier_version_did_not_measure_is_absent(tmp_path: Path) -> None:
    store = part(tmp_path / "run", range(2))
    store.load_samples(POLICIES)
    measured = ("tunnel", "own", "wait_delay", "connect_delay", "request", "continue_wait")
    for name in measured:
        rewrite(store.path(SAMPLES_FILE), drop=name)
    columns = store.load_samples(POLICIES).columns
    assert [set(columns[name].tolist()) for name in measured] == [{ABSENT}] * 6


# Writing


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run")
    store.write_text(SUMMARY_FILE, store.to_text({"schema": 1}))
    with pytest.raises(ValueError, match="JSON"):
        store.save_run({"schema": float("nan")})
    with pytest.raises(UnicodeEncodeError):
        store.write_text(SUMMARY_FILE, "\ud800")
    assert store.load_summary() == {"schema": 1}
    assert store.path(RUN_FILE).read_text(encoding="utf-8") == ""
    assert names(store.directory) == {RUN_FILE, SUMMARY_FILE}


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore.create(tmp_path / "run")
    store.write_text("page", "old")
    monkeypatch.setattr(Path, "replace", raiser(OSError(errno.ENOSPC, "full")))
    with pytest.raises(OSError, match="full"):
        store.write_text("page", "new")
    assert store.path("page").read_text(encoding="utf-8") == "old"
    assert names(store.directory) == {RUN_FILE, "page"}


def test_json_round_trip(tmp_path: Path) -> None:
    store = RunStore.create(tmp_path / "run")
    facts = {"name": "Größe ×", "plan": {"absent": None, "ns": 2**60}, "blocks": [1.5]}
    store.save_run(facts)
    assert store.load_run() == facts
    assert "Größe ×" in store.path(RUN_FILE).read_text(encoding="utf-8")


def test_to_text_is_strict_json() -> None:
    assert json.loads(RunStore.to_text({"a": None})) == {"a": None}
    with pytest.raises(ValueError, match="JSON"):
        RunStore.to_text({"a": float("inf")})


# Damage

Harm = Callable[[Path], object]


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_bytes(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[200:400] = bytes(byte ^ 0xFF for byte in content[200:400])
    path.write_bytes(content)


def rewrite(path: Path, drop: str = "", **changed: Any) -> None:
    with np.load(path) as columns:
        kept = {name: columns[name] for name in columns.files if name != drop}
    with path.open("wb") as file:
        np.savez(file, **(kept | changed))


def fill(text: str | bytes) -> Harm:
    content = text.encode() if isinstance(text, str) else text
    return lambda path: path.write_bytes(content)


def raiser(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


SETTLED: dict[str, tuple[str, Harm]] = {
    "samples missing": (SAMPLES_FILE, Path.unlink),
    "samples empty": (SAMPLES_FILE, fill("")),
    "samples truncated": (SAMPLES_FILE, truncate),
    "samples flipped": (SAMPLES_FILE, flip_bytes),
    "samples no archive": (SAMPLES_FILE, fill("PK\x03\x04 no archive")),
    "samples text": (SAMPLES_FILE, fill("hello, world")),
    "samples without a column": (SAMPLES_FILE, lambda path: rewrite(path, drop="wait")),
    "samples without blocks": (SAMPLES_FILE, lambda path: rewrite(path, drop="blocks")),
    "blocks no JSON": (SAMPLES_FILE, lambda path: rewrite(path, blocks=np.zeros(3, np.uint8))),
}


@pytest.mark.parametrize("harm", SETTLED)
def test_a_damaged_settled_run_is_a_plan_error(tmp_path: Path, harm: str) -> None:
    writer = full_run(tmp_path / "run", rounds=1)
    writer.settle()
    name, spoil = SETTLED[harm]
    spoil(writer.store.path(name))
    with pytest.raises(PlanError, match="can't be read"):
        writer.store.load_samples(POLICIES)


CUT_OFF: dict[str, tuple[str, Harm]] = {
    "connections missing": (CONNECTIONS_FILE, Path.unlink),
    "blocks missing": (BLOCKS_FILE, Path.unlink),
    "blocks empty": (BLOCKS_FILE, fill("")),
    "blocks not UTF-8": (BLOCKS_FILE, fill(b"\xff\xfe\x00")),
    "blocks of another kind": (BLOCKS_FILE, fill('{"a": 1}\n')),
    "blocks no objects": (BLOCKS_FILE, fill("7\n")),
    "blocks of a policy the plan has not": (
        BLOCKS_FILE,
        fill(
            '{"index": 0, "round": 0, "policy": "pooled", "first_connection": 0, "window_begun_ns": 1, '
            f'"row_bytes": {ROW_BYTES}}}\n'
        ),
    ),
    "exchanges of no connection": (EXCHANGES_FILE, fill(EXCHANGE_ROW.pack(-5, *[1] * (len(EXCHANGE_FIELDS) - 1)))),
}


@pytest.mark.parametrize("harm", CUT_OFF)
def test_damaged_rows_are_a_plan_error(tmp_path: Path, harm: str) -> None:
    writer = RunWriter(tmp_path / "run")
    writer.block("persistent", 0, [Link()])
    writer.recorder.close()
    name, spoil = CUT_OFF[harm]
    spoil(writer.store.path(name))
    with pytest.raises(PlanError, match="can't be read"):
        writer.store.load_samples(POLICIES)


@pytest.mark.parametrize("content", ["", "{", "[]", "7", "null"])
@pytest.mark.parametrize("load", [RunStore.load_run, RunStore.load_summary])
def test_what_is_no_json_object_is_a_plan_error(tmp_path: Path, load: Callable[..., Any], content: str) -> None:
    store = RunStore.create(tmp_path / "run")
    for name in (RUN_FILE, SUMMARY_FILE):
        store.path(name).write_text(content, encoding="utf-8")
    with pytest.raises(PlanError, match="can't be read"):
        load(store)


def test_a_missing_summary_is_a_plan_error(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="can't be read"):
        RunStore.create(tmp_path / "run").load_summary()


# Links


def recorded(directory: Path) -> Path:
    """A run that nobody holds open."""
    writer = full_run(directory, rounds=1)
    writer.settle()
    return directory


@pytest.mark.parametrize("name", [RUN_FILE, SUMMARY_FILE, SAMPLES_FILE, "report.html", "x.svg", ".x.new", "worker-0"])
def test_a_link_in_a_run_is_refused_and_stays(tmp_path: Path, name: str) -> None:
    run = recorded(tmp_path / "run")
    outside = tmp_path / "outside"
    if (run / name).exists():
        (run / name).rename(outside)
    else:
        outside.touch()
    (run / name).symlink_to(outside)
    before = outside.read_bytes()
    with pytest.raises(PlanError, match=f"{name} is a symbolic link"):
        RunStore.open(run, to_change=True)
    assert (outside.read_bytes(), (run / name).is_symlink()) == (before, True)


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    run = recorded(tmp_path / "run")
    (run / ".report.html.new").write_text("half", encoding="utf-8")
    assert RunStore.open(run).lock is None
    assert (run / ".report.html.new").exists()
    RunStore.open(run, to_change=True)
    assert not (run / ".report.html.new").exists()
