"""Header sections that are remembered are what hpack makes of them, whatever happens to the dynamic table between."""

from __future__ import annotations

import random

import pytest
from hpack import Decoder, Encoder, HPACKError, NeverIndexedHeaderTuple
from hpack.hpack import encode_integer
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.wire.http2.hpack_cache import RememberingDecoder, RememberingEncoder, secret_field

NAMES = st.sampled_from([b":status", b"date", b"server", b"x-long"])
# Of the dynamic table: at the usual 4096 bytes hpack would spend its time on the bytes of values that fill it.
TABLE_BYTES = 300
# A value as its length: some that find room beside each other, one at a time, and none.
SIZES = st.sampled_from([0, 1, 3, 60, 200, 400])
FIELD = st.tuples(NAMES, SIZES)
SECTION = st.lists(FIELD, max_size=5)
# A section of fields, of fields never to be indexed, or a change of the table's size.
STEP = st.one_of(
    st.tuples(st.just("plain"), SECTION),
    st.tuples(st.just("never"), SECTION),
    st.tuples(st.just("resize"), st.sampled_from([0, 50, 150, TABLE_BYTES])),
)


@settings(deadline=None)
@given(st.lists(STEP, max_size=40))
def test_the_bytes_and_the_fields_are_hpacks_own(steps: list[tuple[str, object]]) -> None:
    ours, theirs = RememberingEncoder(), Encoder()
    our_decoder, their_decoder = RememberingDecoder(), Decoder()
    ours.header_table_size = theirs.header_table_size = TABLE_BYTES
    for kind, what in steps:
        if kind == "resize":
            assert isinstance(what, int)
            ours.header_table_size = what
            if what != theirs.header_table_size:  # it forgets a change that is followed by none
                theirs.header_table_size = what
            continue
        assert isinstance(what, list)
        section = [(name, b"v" * size) for name, size in what]
        fields = [NeverIndexedHeaderTuple(*pair) for pair in section] if kind == "never" else section
        if sizes := theirs.table_size_changes:  # it announces all of them
            theirs.table_size_changes = sorted({min(sizes), sizes[-1]})
        block = theirs.encode(fields)
        assert ours.encode(fields) == block
        found, expected = our_decoder.decode(block, raw=True), their_decoder.decode(block, raw=True)
        assert list(found) == list(expected) == section
        assert [type(one) for one in found] == [type(one) for one in expected]
        assert our_decoder.header_table.dynamic_entries == their_decoder.header_table.dynamic_entries


def test_repetition_is_remembered_and_a_change_forgets() -> None:
    encoder, decoder = RememberingEncoder(), RememberingDecoder()
    section = [(b":status", b"200"), (b"x", b"1")]
    first, second, third = (encoder.encode(section) for _ in range(3))
    assert second is third
    assert len(second) < len(first)
    for block in (first, second, third):
        assert list(decoder.decode(block, raw=True)) == section
    block = encoder.encode([(b"y", b"2")])
    decoder.decode(block, raw=True)
    # The same fields have another index now, and the same block means other fields.
    assert encoder.encode(section) != second
    assert list(decoder.decode(second, raw=True)) == [(b":status", b"200"), (b"y", b"2")]


def test_a_field_never_to_be_indexed_is_not_taken_for_a_plain_one() -> None:
    ours, theirs, section = RememberingEncoder(), Encoder(), [(b"authorization", b"sesame")]
    secret = [secret_field(*section[0])]
    written = [ours.encode(secret) for _ in range(2)]
    assert written == [theirs.encode(secret) for _ in range(2)]
    assert written[0] == written[1]
    plain = ours.encode(section)
    assert plain == theirs.encode(section) != written[0]
    # The table holds it now, by the plain one's doing, and both are references to that.
    assert [ours.encode(fields) for fields in (section, secret)] == [theirs.encode(section), theirs.encode(secret)]
    assert len(ours.encode(section)) == 1


def test_a_size_that_is_said_twice_is_announced() -> None:
    encoder, decoder = RememberingEncoder(), Decoder()
    decoder.header_table_size = decoder.max_allowed_table_size = 0
    for size in (0, 100, 100):
        encoder.header_table_size = size
    decoder.max_allowed_table_size = 100
    section = [(b"x", b"1"), (b"x", b"1")]
    assert list(decoder.decode(encoder.encode(section), raw=True)) == section


@pytest.mark.parametrize(
    ("sizes", "announced"),
    [
        ((65_536, 64), (64,)), ((100, 0), (0,)), ((64, 4096), (64, 4096)), ((100, 0, 200, 150), (0, 150)),
        ((8192, 4096), (4096,)), ((8192,), (8192,)),
    ],
)  # fmt: skip
def test_of_sizes_between_two_blocks_the_smallest_and_the_last_are_announced(
    sizes: tuple[int, ...], announced: tuple[int, ...]
) -> None:
    encoder, decoder = RememberingEncoder(), Decoder()
    section = [(b"x", b"1"), (b"y", b"2")]
    decoder.decode(encoder.encode(section), raw=True)
    for size in sizes:
        encoder.header_table_size = size
    decoder.max_allowed_table_size = sizes[-1]
    block = encoder.encode(section)
    updates = b"".join(
        bytes([0x20 | number[0], *number[1:]]) for number in (encode_integer(size, 5) for size in announced)
    )
    assert block.startswith(updates)
    assert block[len(updates)] & 0xE0 != 0x20
    for again in (block, encoder.encode(section)):
        assert list(decoder.decode(again, raw=True)) == section


def test_limits_hold_for_what_was_remembered_too() -> None:
    decoder = RememberingDecoder()
    for _ in range(2):
        decoder.decode(b"\x88", raw=True)
    decoder.max_header_list_size = 1
    with pytest.raises(HPACKError):
        decoder.decode(b"\x88", raw=True)


def test_thousands_of_blocks_between_the_two() -> None:
    """One side's writer with the other's reader, both ways, sections that come again and again, and evictions."""
    chance = random.Random(7)
    pool = [(b"x-%d" % number, b"v" * chance.choice([0, 1, 20, 300])) for number in range(12)]
    sections = [chance.sample(pool, chance.randrange(1, 6)) for _ in range(30)]
    pairs = (RememberingEncoder(), Decoder()), (Encoder(), RememberingDecoder())
    for _ in range(1500):
        section = chance.choice(sections[: chance.choice([2, 30])])
        for encoder, decoder in pairs:
            assert list(decoder.decode(encoder.encode(section), raw=True)) == section
