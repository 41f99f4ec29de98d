"""Rows of a client are paired with their packets."""

from __future__ import annotations

import pytest

from tests.bench.light import medians_us, parse_rows
from tests.bench.pairing import Row, pair
from tests.bench.segments import WireConnection, WireExchange

OFFSET_NS = 5_000_000_000
MS = 1_000_000


def opened(syn_ns: int, *requests_ns: int, connect_ns: int = 10_000, wait_ns: int = 50_000) -> WireConnection:
    """A connection on the packets' clock, given on the rows' clock."""
    begun_ns = syn_ns + OFFSET_NS
    exchanges = [WireExchange(at + OFFSET_NS, at + OFFSET_NS + wait_ns) for at in requests_ns]
    return WireConnection(begun_ns, begun_ns + connect_ns, exchanges)


def test_a_reused_connection_is_paired_request_by_request() -> None:
    rows = [Row("persistent", at, None, 80_000) for at in (10 * MS, 13 * MS)]
    # The first exchange, with its handshake, was of the warm-up; the last one came after the window.
    wire = [opened(7 * MS, 7 * MS + 90_000, 10 * MS + 5_000, 13 * MS + 5_000, 16 * MS)]
    pairs = pair(rows, wire, OFFSET_NS)
    assert [one.row for one in pairs] == rows
    assert [one.connect_ns for one in pairs] == [None, None]
    assert [one.error_ns for one in pairs] == [30_000, 30_000]
    assert [one.connect_error_ns for one in pairs] == [None, None]


def test_a_new_connection_is_paired_by_its_syn() -> None:
    rows = [Row("close", at, 100_000, 70_000) for at in (10 * MS, 13 * MS)]
    wire = [opened(at + 40_000, at + 150_000) for at in (10 * MS, 13 * MS)]
    pairs = pair(rows, wire, OFFSET_NS)
    assert [one.connect_ns for one in pairs] == [10_000, 10_000]
    assert [(one.connect_error_ns, one.send_wait_error_ns, one.error_ns) for one in pairs] == [
        (90_000, 20_000, 110_000)
    ] * 2
    assert [one.syn_delay_ns for one in pairs] == [None, None]  # these rows don't say when their phases began


def test_how_long_a_segment_took_to_leave() -> None:
    row = Row("close", 10 * MS, 100_000, 70_000, connect_begun_ns=10 * MS + 25_000, send_begun_ns=10 * MS + 141_000)
    (one,) = pair([row], [opened(10 * MS + 40_000, 10 * MS + 150_000)], OFFSET_NS)
    assert (one.syn_delay_ns, one.request_delay_ns) == (15_000, 9_000)


def test_rows_may_come_in_any_order_and_some_have_no_packets() -> None:
    rows = [Row("persistent", at, None, 80_000) for at in (13 * MS, 19 * MS, 10 * MS)]
    wire = [opened(0, 0, 10 * MS + 5_000, 13 * MS + 5_000)]
    assert [one.row.scheduled_ns for one in pair(rows, wire, OFFSET_NS)] == [10 * MS, 13 * MS]


def test_a_first_request_is_no_partner_of_a_reused_one() -> None:
    assert (
        pair([Row("persistent", 10 * MS, None, 80_000)], [opened(10 * MS + 5_000, 10 * MS + 60_000)], OFFSET_NS) == []
    )


def test_what_came_before_all_rows_is_passed_over() -> None:
    assert pair([Row("close", 10 * MS, 1, 1)], [opened(9 * MS, 9 * MS + 1_000)], OFFSET_NS) == []


def test_two_claims_on_one_row_are_an_error() -> None:
    wire = [opened(at, at + 20_000) for at in (10 * MS, 11 * MS)]
    with pytest.raises(ValueError, match="two exchanges"):
        pair([Row("close", 10 * MS, 1, 1)], wire, OFFSET_NS)


def test_rows_of_the_reference_client() -> None:
    output = "persistent 1000 -1 -1 1010 90000 2000\nclose 2000 2010 60000 72000 80000 3000\n"
    assert parse_rows(output) == [
        Row("persistent", 1000, None, 90000, 2000, send_begun_ns=1010),
        Row("close", 2000, 60000, 80000, 3000, connect_begun_ns=2010, send_begun_ns=72000),
    ]


def test_the_medians_of_a_turn() -> None:
    rows = [
        *(Row("persistent", at * MS, None, 80_000, 2_000) for at in (10, 13, 16)),
        *(Row("close", at * MS, 60_000, 70_000, 3_000) for at in (20, 23, 26)),
    ]
    wire = [
        opened(0, 0, *(at * MS + 5_000 for at in (10, 13, 16))),
        *(opened(at * MS + 10_000, at * MS + 90_000) for at in (20, 23, 26)),
    ]
    assert medians_us(rows, pair(rows, wire, OFFSET_NS)) == {
        "send + wait persistent": 80.0,
        "receive persistent": 2.0,
        "packets' send + wait persistent": 50.0,
        "send + wait error persistent": 30.0,
        "error persistent": 30.0,
        "send + wait close": 70.0,
        "receive close": 3.0,
        "packets' send + wait close": 50.0,
        "connect error close": 50.0,
        "send + wait error close": 20.0,
        "error close": 70.0,
        "connect close": 60.0,
        "packets' connect close": 10.0,
        "bias": 40.0,
    }


def test_what_ours_says_of_itself_is_of_the_rows_that_have_it() -> None:
    rows = [
        Row("close", 1, 60_000, 70_000, 3_000, own_ns=40_000, wait_delay_ns=9_000, connect_delay_ns=20_000),
        Row("close", 2, 60_000, 70_000, 3_000, own_ns=42_000),
        Row("persistent", 3, None, 70_000, 3_000, own_ns=0),
    ]
    medians = medians_us(rows, [])
    said = ("own close", "wait delay close", "connect delay close", "own persistent")
    assert [medians[name] for name in said] == [41.0, 9.0, 20.0, 0.0]
    assert "wait delay persistent" not in medians


def test_without_packets_the_clients_own_times_remain() -> None:
    assert medians_us([Row("close", 1, 60_000, 70_000, 3_000)], []) == {
        "send + wait close": 70.0,
        "receive close": 3.0,
        "connect close": 60.0,
    }
