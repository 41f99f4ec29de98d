"""Rows as a worker wrote them become columns: what counts, what is absent, and what a dead worker leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadgen.measure.data.npz import read_samples, write_samples
from loadgen.measure.data.recorder import BLOCKS_FILE, CONNECTIONS_FILE, EXCHANGES_FILE, ROW_BYTES
from loadgen.measure.data.row_assignment import smallest
from loadgen.measure.data.rows import Samples, columns_of, read_rows
from loadgen.measure.data.sample_table import SampleTable
from loadgen.model.address_marks import address_mark
from loadgen.model.errors import ErrorKind
from loadgen.model.records import (
    ABSENT,
    ADDRESS_SHIFT,
    COLUMNS,
    CONNECTION_FIELDS,
    CONNECTION_ROW,
    EXCHANGE_FIELDS,
    EXCHANGE_ROW,
    ClosedBy,
    Ending,
    Phase,
)
from tests.support.synthetic import (
    CLOCK_NS,
    MS,
    OPEN,
    RESUMED,
    TLS,
    US,
    WARMUP_NS,
    WINDOW_NS,
    Exchange,
    Link,
    RunWriter,
    plan_json,
)

POLICIES = ("persistent", "close")


def read(writer: RunWriter) -> Samples:
    writer.recorder.close()
    return read_rows(writer.store.directory, POLICIES)


def one_block(directory: Path, *links: Link, **block: Any) -> Samples:
    writer = RunWriter(directory)
    writer.block("persistent", 0, links, **block)
    return read(writer)


def column(samples: Samples, name: str) -> list[int]:
    values: list[int] = samples.columns[name].tolist()
    return values


def test_a_sample_has_the_address_of_its_connection(tmp_path: Path) -> None:
    one, two = (OPEN | address_mark(name) << ADDRESS_SHIFT for name in ("h:1", "h:2"))
    no_row = Link([Exchange(3), Exchange(4)], row=False)
    balance = {"addresses": {name: {"connections": [1], "requests": [1], "failed": [0]} for name in ("h:1", "h:2")}}
    links = (Link([Exchange(0), Exchange(1)], flags=one), Link([Exchange(2)], flags=two), no_row)
    samples = one_block(tmp_path / "run", *links, balance=balance)
    table = SampleTable(samples)
    assert table["address"].tolist() == ["h:1", "h:1", "h:2", "", ""]
    assert column(samples, "tls_resumed") == [ABSENT] * 5  # the flags are still the flags
    path = tmp_path / "samples.npz"
    with path.open("wb") as file:
        write_samples(file, samples)
    assert SampleTable(read_samples(path, POLICIES))["address"].tolist() == table["address"].tolist()


def test_a_run_with_one_address_has_no_column_for_it(tmp_path: Path) -> None:
    samples = one_block(tmp_path / "run", Link())
    path = tmp_path / "samples.npz"
    with path.open("wb") as file:
        write_samples(file, samples)
    with np.load(path) as arrays:
        assert "address" not in arrays.files
    read_again = read_samples(path, POLICIES)
    assert column(read_again, "address") == [ABSENT]
    assert "address" not in SampleTable(read_again).names


def test_a_row_becomes_a_sample(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    writer.block("persistent", 0, [])
    writer.block(
        "close", 3,
        [
            Link(
                [
                    Exchange(
                        5, 11, 12, 13, 14, 404, 15, 16, user=9, queue=17, late=7, own=8, wait_delay=6, continue_wait=10
                    )
                ],
                3, 21, 22, 23, 24, RESUMED, Ending.SERVER_IDLE_FIN, tunnel=25, connect_delay=4,
            )
        ],
    )  # fmt: skip
    samples = read(writer)
    assert {name: samples.columns[name].tolist() for name in COLUMNS} == {
        "policy": [1], "round": [3], "worker": [0], "user": [9], "connection": [0], "nth_on_connection": [0],
        "scheduled": [CLOCK_NS + 1_000 * MS + WARMUP_NS + 5], "queue": [17], "dns": [21], "connect": [22],
        "tls": [23], "upgrade": [24], "send": [11], "wait": [12], "receive": [13], "lag": [14], "status": [404],
        "error": [ABSENT], "bytes_sent": [15], "bytes_received": [16], "tls_resumed": [1],
        "closed_by": [ClosedBy.SERVER], "late": [7], "tunnel": [25], "own": [8], "wait_delay": [6],
        "connect_delay": [4], "request": [-1], "continue_wait": [10], "address": [-1],
    }  # fmt: skip
    assert samples.latency_ns().tolist() == [17 + 21 + 22 + 23 + 24 + 25 + 11 + 12 + 13]


@pytest.mark.parametrize(
    ("at_ns", "counted"), [(-WARMUP_NS, False), (-1, False), (0, True), (WINDOW_NS - 1, True), (WINDOW_NS, False)]
)
def test_only_the_window_counts(tmp_path: Path, at_ns: int, counted: bool) -> None:
    samples = one_block(tmp_path, Link([Exchange(at_ns)]))
    assert len(samples) == counted
    (block,) = samples.blocks
    assert (block["exchanges"], block["started"], block["window_ns"]) == (1, counted, WINDOW_NS)


def test_warm_up_counts_for_its_connection_but_not_as_a_sample(tmp_path: Path) -> None:
    samples = one_block(tmp_path, Link([Exchange(-1), Exchange(0), Exchange(1)], connect=5))
    assert column(samples, "nth_on_connection") == [1, 2]
    assert column(samples, "connect") == [ABSENT, ABSENT]  # the warm-up's request paid it
    assert samples.blocks[0]["connections"]["opened"] == 1


def test_handshake_only_on_the_first_and_end_only_on_the_last(tmp_path: Path) -> None:
    link = Link(
        [Exchange(0), Exchange(1), Exchange(2)], dns=1, connect=2, tls=3, flags=TLS, ending=Ending.SERVER_ANNOUNCED
    )
    samples = one_block(tmp_path, link, Link([Exchange(3)], connect=7))
    assert column(samples, "nth_on_connection") == [0, 1, 2, 0]
    assert column(samples, "dns") == [1, ABSENT, ABSENT, ABSENT]
    assert column(samples, "connect") == [2, ABSENT, ABSENT, 7]
    assert column(samples, "tls") == [3, ABSENT, ABSENT, ABSENT]
    assert column(samples, "upgrade") == [ABSENT] * 4
    assert column(samples, "closed_by") == [ABSENT, ABSENT, ClosedBy.SERVER, ClosedBy.CLIENT]


def test_a_last_request_after_the_window_keeps_the_end_to_itself(tmp_path: Path) -> None:
    samples = one_block(tmp_path, Link([Exchange(0), Exchange(WINDOW_NS)]))
    assert column(samples, "closed_by") == [ABSENT]


@pytest.mark.parametrize(("flags", "expected"), [(OPEN, ABSENT), (TLS, 0), (RESUMED, 1), (0, ABSENT)])
def test_tls_resumed_says_what_the_handshake_was(tmp_path: Path, flags: int, expected: int) -> None:
    assert column(one_block(tmp_path, Link(flags=flags)), "tls_resumed") == [expected]


def test_a_connection_without_a_row_is_counted_as_opened(tmp_path: Path) -> None:
    samples = one_block(tmp_path, Link(connect=5), Link([Exchange(0), Exchange(1)], row=False), ended=False)
    assert samples.blocks[0]["connections"]["opened"] == 2
    assert samples.blocks[0]["connections"]["closed_by_client"] == 1
    assert column(samples, "connect") == [5, ABSENT, ABSENT]


@pytest.mark.parametrize("name", ["dns", "connect", "tls", "upgrade", "tls_resumed", "closed_by"])
def test_what_is_unknown_of_a_connection_without_a_row_is_absent(tmp_path: Path, name: str) -> None:
    assert column(one_block(tmp_path, Link(row=False), ended=False), name) == [ABSENT]


@pytest.mark.parametrize("kind", list(ErrorKind), ids=lambda kind: kind.label)
def test_errors_have_a_kind_and_no_status(tmp_path: Path, kind: ErrorKind) -> None:
    samples = one_block(tmp_path, Link([Exchange(outcome=-kind)]), Link([Exchange(outcome=503)]))
    assert column(samples, "error") == [kind, ABSENT]
    assert column(samples, "status") == [ABSENT, 503]


def test_every_started_request_is_complete_failed_or_unfinished(tmp_path: Path) -> None:
    outcomes = [200, -ErrorKind.UNFINISHED, 500, -ErrorKind.TRUNCATED, -ErrorKind.UNFINISHED, -ErrorKind.DNS_FAILED]
    samples = one_block(tmp_path, *(Link([Exchange(outcome=outcome)]) for outcome in outcomes))
    error = samples.columns["error"]
    requests, unfinished = np.count_nonzero(error == ABSENT), np.count_nonzero(error == ErrorKind.UNFINISHED)
    failed = np.count_nonzero(error > ErrorKind.UNFINISHED)
    assert (len(samples), requests, unfinished, failed) == (6, 2, 2, 2)
    assert samples.blocks[0]["started"] == requests + failed + unfinished


def test_latency_is_the_sum_of_the_phases_that_happened(tmp_path: Path) -> None:
    failed = Exchange(send=ABSENT, wait=ABSENT, receive=ABSENT, outcome=-ErrorKind.CONNECT_REFUSED)
    samples = one_block(
        tmp_path,
        Link([Exchange(0, 1, 2, 3), Exchange(1, 4, 5, 6)], dns=100, connect=200, tls=400, upgrade=800, flags=TLS),
        Link([failed], connect=50, flags=0),
    )
    assert samples.latency_ns().tolist() == [1506, 15, 50]
    phases = [samples.columns[phase.value] for phase in Phase]
    assert samples.latency_ns().tolist() == [sum(max(int(v), 0) for v in row) for row in zip(*phases, strict=True)]


def test_latency_does_not_overflow_the_small_columns(tmp_path: Path) -> None:
    samples = one_block(tmp_path, Link([Exchange(send=120, wait=120, receive=120)], dns=120, connect=120))
    assert samples.latency_ns().tolist() == [600]


def test_connections_and_exchanges_belong_to_their_block(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    writer.block("persistent", 0, [Link([Exchange(0), Exchange(1)], ending=Ending.SERVER_STALE)])
    writer.block("close", 0, [Link(flags=TLS), Link(flags=RESUMED), Link(flags=0)])
    writer.block("close", 1, [])
    samples = read(writer)
    assert column(samples, "policy") == [0, 0, 1, 1, 1]
    assert [block["exchanges"] for block in samples.blocks] == [2, 2, 0]  # one never connected
    names = ("opened", "closed_by_client", "closed_by_server", "tls_full", "tls_resumed")
    assert [[block["connections"][name] for name in names] for block in samples.blocks] == [
        [1, 0, 1, 0, 0], [2, 2, 0, 1, 1], [0, 0, 0, 0, 0],
    ]  # fmt: skip


@pytest.mark.parametrize("ending", list(Ending), ids=lambda ending: ending.label)
def test_how_a_connection_ended(tmp_path: Path, ending: Ending) -> None:
    samples = one_block(tmp_path, Link(ending=ending), Link())
    (block,) = samples.blocks
    expected = {ending.label: 1, "client_silent": 1}
    assert block["endings"] == ({"client_silent": 2} if ending is Ending.CLIENT_SILENT else expected)
    assert column(samples, "closed_by") == [ending.closed_by, ClosedBy.CLIENT]
    by_server = ending.closed_by is ClosedBy.SERVER
    opened = 1 if ending is Ending.NOT_OPENED else 2
    names = ("opened", "closed_by_client", "closed_by_server")
    assert [block["connections"][name] for name in names] == [opened, opened - by_server, by_server]


def test_users_of_a_pool_share_its_slots(tmp_path: Path) -> None:
    exchanges = [Exchange(at, user=at % 3, queue=at * US) for at in range(6)]
    samples = one_block(
        tmp_path, Link(exchanges[:3], slot=0), Link(exchanges[3:5], slot=0), Link(exchanges[5:], slot=1)
    )
    assert column(samples, "user") == [0, 1, 2, 0, 1, 2]
    assert column(samples, "queue") == [at * US for at in range(6)]
    connections = samples.blocks[0]["connections"]
    assert (connections["opened"], connections["slots"]) == (3, 2)


def test_the_next_number_is_beyond_all_of_the_block(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    writer.block("persistent", 0, [Link(), Link(row=False)], ended=False)
    writer.block("close", 0, [])
    assert [block["next_connection"] for block in read(writer).blocks] == [2, 2]


def test_samples_by_policy(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path, plan_json("persistent,close,recycle:3"))
    for number, name in enumerate(("close", "persistent", "close")):
        writer.block(name, number, [Link()] * (number + 1))
    writer.recorder.close()
    samples = read_rows(tmp_path, ("persistent", "close", "recycle:3"))
    assert [mine.tolist() for mine in samples.by_policy()] == [[1, 2], [0, 3, 4, 5], []]


@pytest.mark.parametrize(("queue", "connect", "outlasted"), [(0, 0, 0), (MS + WINDOW_NS, 0, 1), (0, MS + WINDOW_NS, 1)])
def test_a_warm_up_request_ends_after_queue_and_handshake(
    tmp_path: Path, queue: int, connect: int, outlasted: int
) -> None:
    samples = one_block(tmp_path, Link([Exchange(-MS, queue=queue)], connect=connect))
    assert samples.blocks[0]["warmup_outlasted"] == outlasted


@pytest.mark.parametrize(
    "written",
    ['"row_bytes": [104, 80]', '"row_bytes": [120, 80]', '"other": 0'],
    ids=["of 13 and 10 fields", "of 15 and 10 fields", "of an unknown size"],
)
def test_rows_of_another_version_are_not_read(tmp_path: Path, written: str) -> None:
    writer = RunWriter(tmp_path)
    writer.block("persistent", 0, [Link()])
    writer.recorder.close()
    path = tmp_path / BLOCKS_FILE
    text = path.read_text()
    assert f'"row_bytes": {ROW_BYTES}' in text
    path.write_text(text.replace(f'"row_bytes": {ROW_BYTES}', written))
    with pytest.raises(ValueError, match="another version"):
        read_rows(tmp_path, POLICIES)


def test_of_picks_samples(tmp_path: Path) -> None:
    samples = one_block(tmp_path, Link([Exchange(0), Exchange(1), Exchange(2)]))
    assert column(samples.of(np.array([True, False, True])), "nth_on_connection") == [0, 2]


# What a worker that died leaves


def test_the_unwritten_tail_is_dropped(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    writer.block("persistent", 0, [Link([Exchange(0), Exchange(1)], connect=5)])
    writer.recorder.close()
    for name, row in ((EXCHANGES_FILE, EXCHANGE_ROW), (CONNECTIONS_FILE, CONNECTION_ROW)):
        with (tmp_path / name).open("ab") as file:
            file.write(bytes(row.size * 100))
    samples = read_rows(tmp_path, POLICIES)
    assert column(samples, "nth_on_connection") == [0, 1]
    assert column(samples, "connect") == [5, ABSENT]
    assert samples.blocks[0]["connections"]["opened"] == 1


def test_a_torn_row_is_dropped(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    writer.block("persistent", 0, [Link([Exchange(0), Exchange(1)])])
    writer.recorder.close()
    path = tmp_path / EXCHANGES_FILE
    path.write_bytes(path.read_bytes()[:-1])
    assert column(read_rows(tmp_path, POLICIES), "nth_on_connection") == [0]


def test_own_work_belongs_to_the_request_and_to_no_phase(tmp_path: Path) -> None:
    """A request that is over before its window ends, but for the generator's own work, outlasts it."""
    exchange = Exchange(-MS, send=1, wait=WINDOW_NS + MS - 2, receive=1, own=1)
    samples = one_block(tmp_path, Link([exchange, Exchange(own=3 * US)]))
    assert samples.blocks[0]["warmup_outlasted"] == 1
    assert column(samples, "own") == [3 * US]
    assert samples.latency_ns().tolist() == [115 * US]


def test_an_open_block_ends_with_its_last_row(tmp_path: Path) -> None:
    samples = one_block(tmp_path, Link([Exchange(-1), Exchange(0), Exchange(300)]), ended=False)
    assert samples.blocks[0]["window_ns"] == 301
    assert len(samples) == 2


def test_a_block_that_died_in_its_warm_up_counts_nothing(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    writer.block("persistent", 0, [Link()])
    writer.recorder.block({"index": 1, "round": 0, "policy": "close", "first_connection": 1})
    writer.recorder.exchange(1, 0, 0, CLOCK_NS + 1_000 * MS, ABSENT, ABSENT, 1, 1, 1, 0, 1, ABSENT, 200, 1, 1, ABSENT)
    samples = read(writer)
    assert column(samples, "policy") == [0]
    assert [block["window_ns"] for block in samples.blocks] == [WINDOW_NS, 0]
    assert [block["exchanges"] for block in samples.blocks] == [1, 1]


def test_a_half_written_block_line_is_dropped(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    writer.block("persistent", 0, [Link()])
    writer.recorder.close()
    with (tmp_path / BLOCKS_FILE).open("a", encoding="utf-8") as file:
        file.write('{"index": 1, "rou')
    assert [block["index"] for block in read_rows(tmp_path, POLICIES).blocks] == [0]


def test_a_worker_that_measured_nothing(tmp_path: Path) -> None:
    samples = read(RunWriter(tmp_path))
    assert len(samples) == 0
    assert samples.blocks == []
    assert set(samples.columns) == set(COLUMNS)
    assert samples.latency_ns().tolist() == []


# Types


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([], np.int8), ([ABSENT], np.int8), ([5, 100], np.int8), ([-128, 127], np.int8), ([-1, 128], np.int16),
        ([200, 200], np.int16), ([-1, 2**31 - 1], np.int32), ([2**31, 2**31], np.int64), ([-1, 2**62], np.int64),
        ([2**40, 2**40 + 1], np.int64), ([2**60, 2**60 + 1], np.int64),
    ],
    ids=str,
)  # fmt: skip
def test_smallest_keeps_every_integer(values: list[int], kind: type[Any]) -> None:
    column = smallest(np.array(values, np.int64))
    assert column.dtype == kind
    assert column.tolist() == values


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_are_signed_integers(tmp_path: Path, name: str) -> None:
    assert one_block(tmp_path, Link(connect=5)).columns[name].dtype.kind == "i"


# Slices of what a worker wrote

Rows = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def table(fields: tuple[str, ...], rows: list[dict[str, int]]) -> np.ndarray[Any, Any]:
    found = np.full(len(rows), ABSENT, np.int64).repeat(len(fields)).view([(name, "=i8") for name in fields])
    for number, row in enumerate(rows):
        for name, value in row.items():
            found[name][number] = value
    return found


def answer(connection: int, request_index: int, scheduled: int, user: int = 0, outcome: int = 200) -> dict[str, int]:
    return {
        "connection": connection, "user": user, "request_index": request_index, "scheduled": scheduled,
        "send": 1, "wait": 2, "receive": 3,
        "lag": 0, "outcome": outcome, "bytes_sent": 9, "bytes_received": 9,
    }  # fmt: skip


def closed(connection: int, opened: int, slot: int = 0, ending: int = Ending.CLIENT_SILENT) -> dict[str, int]:
    return {"connection": connection, "slot": slot, "opened": opened, "connect": 5, "flags": OPEN, "ending": ending}


def rows_of(exchanges: list[dict[str, int]], connections: list[dict[str, int]]) -> Rows:
    return table(EXCHANGE_FIELDS, exchanges), table(CONNECTION_FIELDS, connections)


@pytest.mark.parametrize("step", [1, 10**15], ids=["near", "far apart"])
def test_numbers_need_not_begin_at_zero(step: int) -> None:
    """Memory for connections up to the highest number would be 8 PB."""
    rows = rows_of(
        [answer(10**12 + step, 0, 100), answer(10**12 + step, 1, 110), answer(10**12 + 2 * step, 0, 120)],
        [closed(10**12 + 2 * step, 119, ending=Ending.SERVER_IDLE_FIN), closed(10**12 + step, 99)],
    )
    block = {"index": 7, "round": 3, "policy": "close", "first_connection": 10**12, "window_begun_ns": 100}
    samples = columns_of([block], *rows, POLICIES)
    assert column(samples, "connect") == [5, ABSENT, 5]
    assert column(samples, "closed_by") == [ABSENT, ClosedBy.CLIENT, ClosedBy.SERVER]
    assert samples.blocks[0]["connections"]["opened"] == 2
    assert samples.blocks[0]["next_connection"] == 10**12 + 2 * step + 1
    assert "started" not in block  # what was handed over stays as it was


def test_the_rows_of_each_block_alone_are_those_of_the_run(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    sizes = []
    for number in range(4):
        writer.block(POLICIES[number % 2], number // 2, [Link([Exchange(-1), Exchange(5)])] * (number + 1))
        sizes.append(writer.recorder.exchanges)
    writer.recorder.close()
    whole = read_rows(tmp_path, POLICIES)
    exchanges = np.fromfile(tmp_path / EXCHANGES_FILE, [(name, "=i8") for name in EXCHANGE_FIELDS])
    connections = np.fromfile(tmp_path / CONNECTIONS_FILE, [(name, "=i8") for name in CONNECTION_FIELDS])
    begins = [0, *sizes]
    for number, block in enumerate(whole.blocks):
        rows = exchanges[begins[number] : begins[number + 1]]
        own = connections[begins[number] // 2 : begins[number + 1] // 2]
        alone = columns_of([block], rows, own, POLICIES)
        assert alone.blocks == [block]
        assert np.array_equal(alone.columns["connection"], whole.of_blocks({number}).columns["connection"])


def test_blocks_may_run_in_another_order_than_their_indices(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    for first, (index, policy) in enumerate(((1, "close"), (0, "persistent"))):
        known = {"index": index, "round": 0, "policy": policy, "first_connection": 10 * first, "window_begun_ns": 1}
        writer.recorder.block(known)
        for number in range(first + 1):
            writer.recorder.exchange(
                10 * first + number, 0, 0, 5, ABSENT, ABSENT, 1, 1, 1, 0, 1, ABSENT, 200, 1, 1, ABSENT
            )
    samples = read(writer)
    assert [(block["index"], block["started"]) for block in samples.blocks] == [(0, 2), (1, 1)]
    assert column(samples, "policy") == [1, 0, 0]


def test_rows_that_belong_to_no_block_are_refused() -> None:
    rows = rows_of([answer(3, 0, 100)], [])
    for blocks in ([], [{"index": 0, "round": 0, "policy": "close", "first_connection": 4}]):
        with pytest.raises(ValueError, match="no block"):
            columns_of(blocks, *rows, POLICIES)


# Connections that outlive a block


def continuous(index: int, begun_ns: int) -> dict[str, Any]:
    """A block of 100 ns of which the first ten are warm-up."""
    return {
        "index": index, "round": index, "policy": "persistent", "continuous": True, "begun_ns": begun_ns,
        "window_begun_ns": begun_ns + 10, "window_ended_ns": begun_ns + 100, "whole": True,
    }  # fmt: skip


STREAM = rows_of(
    [
        answer(0, 0, 90), answer(0, 1, 120, outcome=404), answer(1, 0, 105, user=1), answer(0, 2, 195),
        answer(0, 3, 210, outcome=-ErrorKind.STALE_CONNECTION), answer(1, 1, 250, user=1), answer(2, 0, 260),
        answer(2, 1, 350), answer(3, 0, 360, user=2),
    ],
    [closed(0, 91, ending=Ending.SERVER_STALE), closed(2, 261), closed(1, 106, slot=1), closed(3, 361, slot=2)],
)  # fmt: skip
STREAM_BLOCKS = [continuous(0, 100), continuous(1, 200), continuous(2, 300)]


def test_rows_of_continuous_blocks_belong_to_them_by_time() -> None:
    samples = columns_of(STREAM_BLOCKS, *STREAM, POLICIES)
    assert column(samples, "round") == [0, 0, 1, 1, 1, 2, 2]
    assert column(samples, "nth_on_connection") == [1, 2, 3, 1, 0, 1, 0]
    assert column(samples, "connect") == [ABSENT, ABSENT, ABSENT, ABSENT, 5, ABSENT, 5]
    assert column(samples, "closed_by") == [ABSENT, ABSENT, ClosedBy.SERVER, ClosedBy.CLIENT, ABSENT, 0, 0]
    # What began before the first block is its warm-up.
    assert [block["exchanges"] for block in samples.blocks] == [4, 3, 2]
    assert [block["connections"]["opened"] for block in samples.blocks] == [2, 1, 1]
    assert [block["endings"] for block in samples.blocks] == [
        {"client_silent": 1, "server_stale": 1}, {"client_silent": 1}, {"client_silent": 1},
    ]  # fmt: skip


def test_a_continuous_block_counts_the_places_that_are_new_in_it() -> None:
    """Together they are the connections that perfect reuse takes."""
    samples = columns_of(STREAM_BLOCKS, *STREAM, POLICIES)
    assert [block["connections"]["slots"] for block in samples.blocks] == [2, 0, 1]


def test_slices_of_a_stream_add_up_to_the_whole() -> None:
    """A slice has the rows written since the last one; a connection's own row comes long after its requests'."""
    whole = columns_of(STREAM_BLOCKS, *STREAM, POLICIES).blocks
    exchanges, connections = STREAM
    slices = [(exchanges[:3], connections[:0]), (exchanges[3:6], connections[:1]), (exchanges[6:], connections[1:])]
    found = [columns_of([block], *rows, POLICIES).blocks[0] for block, rows in zip(STREAM_BLOCKS, slices, strict=True)]
    for name in ("exchanges", "carried"):
        assert sum(block[name] for block in found) == sum(block[name] for block in whole) == 9
    assert sum(block["connections"]["opened"] for block in found) == 4


def test_a_stream_that_was_cut_off_counts_the_connections_that_were_open() -> None:
    exchanges, _ = STREAM
    samples = columns_of(STREAM_BLOCKS, exchanges, np.empty(0, STREAM[1].dtype), POLICIES)
    assert [block["connections"]["opened"] for block in samples.blocks] == [2, 1, 1]
    assert [block["exchanges"] for block in samples.blocks] == [4, 3, 2]
