"""Remembered heads: what is recognised, what is not, and that the parser would say the same of each."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.wire.http1.head import CHUNKED, MAX_HEAD_BYTES, UNTIL_CLOSE, Malformed, ResponseHead, parse_response_head
from loadgen.wire.http1.head_memory import MAX_KNOWN_HEADS, HeadMemory, KnownHead

STATUS_LINE = "HTTP/1.1 200 OK"
SERVER = "Server: nginx/1.22.1"
DATE = "Date: Sat, 28 Nov 2026 21:01:48 GMT"
LENGTH = "Content-Length: 5"
KEEP_ALIVE = "Connection: keep-alive"
NGINX = (SERVER, DATE, LENGTH, KEEP_ALIVE)


def raw_head(*fields: str, start: str = STATUS_LINE) -> bytes:
    return "\r\n".join([start, *fields, "", ""]).encode("latin-1")


def memory_of(*heads: bytes, exact: bool = False) -> HeadMemory:
    memory = HeadMemory(exact)
    for raw in heads:
        memory.learn(raw, parse_response_head(raw))
    return memory


def find(memory: HeadMemory, data: bytes) -> int:
    return memory.find(bytearray(data), len(data))


def found(memory: HeadMemory) -> KnownHead:
    assert memory.found is not None
    return memory.found


def typed_fields(head: ResponseHead) -> ResponseHead:
    return head._replace(headers=())


# What is recognised


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("after", [b"", b"hello", b"hello" + raw_head(*NGINX), b"\r\n\r\n"])
def test_the_same_bytes(after: bytes, exact: bool) -> None:
    raw = raw_head(*NGINX)
    memory = memory_of(raw, exact=exact)
    assert find(memory, raw + after) == len(raw)
    assert memory.framing == 5
    known = found(memory)
    assert (known.raw, known.head) == (raw, parse_response_head(raw))
    assert (known.status, known.framing, known.persists, known.sets_cookies) == (200, 5, True, False)


@pytest.mark.parametrize(
    "date",
    [
        pytest.param("Date: Sun, 29 Nov 2026 00:00:00 GMT", id="same length"),
        pytest.param("Date: now", id="shorter"),
        pytest.param("Date: " + "x" * 3000, id="longer"),
        pytest.param("Date:", id="empty"),
        pytest.param("Date: \t a, \"b\"; c \t", id="white space"),
        pytest.param("Date: \xff\x80é", id="obs-text"),
        pytest.param("Date: x: y", id="colon"),
    ],
)  # fmt: skip
def test_a_value_that_decides_nothing_may_differ(date: str) -> None:
    first = raw_head(*NGINX)
    memory = memory_of(first)
    raw = raw_head(SERVER, date, LENGTH, KEEP_ALIVE)
    for data in (raw, raw + b"hello", raw, first, raw):
        assert find(memory, data) == data.index(b"\r\n\r\n") + 4
        assert memory.framing == 5
        assert found(memory).raw == first


def test_only_the_bytes_of_the_buffer_that_are_filled_count() -> None:
    raw = raw_head(*NGINX)
    for data in (raw, raw.replace(b"48 GMT", b"49 GMT")):
        for exact in (False, True):
            memory = memory_of(raw, exact=exact)
            buffer = bytearray(data + b"hello")
            assert [memory.find(buffer, size) for size in range(len(data))] == [0] * len(data)
            assert memory.found is None


def test_a_size_beyond_the_buffer_reads_nothing_beyond_it() -> None:
    memory = memory_of(raw_head(*NGINX))
    assert memory.find(bytearray(raw_head(*NGINX)[:-2]), 1 << 40) == 0
    assert memory.find(bytearray(), 1 << 40) == 0


def test_nothing_is_recognised_before_something_is_learnt() -> None:
    memory = HeadMemory()
    assert find(memory, b"") == find(memory, raw_head(*NGINX)) == 0
    assert memory.found is None


@pytest.mark.parametrize(
    ("start", "fields", "framing"),
    [
        pytest.param(STATUS_LINE, ("Transfer-Encoding: chunked",), CHUNKED, id="chunked"),
        pytest.param(STATUS_LINE, ("Transfer-Encoding: gzip",), UNTIL_CLOSE, id="last coding not chunked"),
        pytest.param(STATUS_LINE, (), UNTIL_CLOSE, id="no length"),
        pytest.param("HTTP/1.1 204 No Content", (), 0, id="204"),
        pytest.param("HTTP/1.1 304 Not Modified", ("Content-Length: 7",), 0, id="304"),
        pytest.param("HTTP/1.1 103 Early Hints", ("Link: </a>",), 0, id="103"),
        pytest.param("HTTP/1.0 404", ("Keep-Alive: timeout=5, max=3", "Content-Length: 12"), 12, id="1.0"),
    ],
)
def test_every_framing(start: str, fields: tuple[str, ...], framing: int) -> None:
    raw = raw_head(DATE, *fields, start=start)
    memory = memory_of(raw)
    for data in (raw, raw.replace(b"GMT", b"UTC+0"), raw):
        assert find(memory, data + b"x") == len(data)
        assert memory.framing == found(memory).framing == framing
        assert typed_fields(found(memory).head) == typed_fields(parse_response_head(data))


# Content-Length


@pytest.mark.parametrize("length", ["0", "1", "00", "007", "4096", "999999999999999"])
@pytest.mark.parametrize("name", ["Content-Length: ", "content-length:"])
def test_a_length_is_read(name: str, length: str) -> None:
    raw = raw_head(name + "5", DATE)
    memory = memory_of(raw)
    other = raw_head(name + length, DATE)
    for data, framing in ((other, int(length)), (raw, 5), (other, int(length)), (other, int(length)), (raw, 5)):
        assert find(memory, data + b"12345") == len(data)
        assert memory.framing == framing
        assert found(memory).framing == 5


@pytest.mark.parametrize(
    "length",
    ["", " 5", "5 ", "+5", "-5", "5,5", "1_0", "0x5", "\xb2", "5.", "1000000000000000", "18446744073709551616"],
)
def test_another_length_is_left_to_the_parser(length: str) -> None:
    memory = memory_of(raw_head("Content-Length: 5", DATE))
    assert find(memory, raw_head("Content-Length: " + length, DATE)) == 0


@pytest.mark.parametrize("length", ["  5", "5 ", "\t5", "1000000000000000"])
def test_an_uncommon_length_must_stay_the_same(length: str) -> None:
    raw = raw_head("Content-Length:" + length, DATE)
    memory = memory_of(raw)
    for data in (raw, raw.replace(b"GMT", b"UTC")):
        assert find(memory, data) == len(data)
        assert memory.framing == int(length)
    assert find(memory, raw_head("Content-Length:" + length.replace("5", "6").replace("1", "2"), DATE)) == 0


@pytest.mark.parametrize("start", ["HTTP/1.1 204 No Content", "HTTP/1.1 304 Not Modified", "HTTP/1.1 103 Hints"])
def test_a_length_that_is_not_the_body_s_must_stay_the_same(start: str) -> None:
    memory = memory_of(raw_head("Content-Length: 0", start=start))
    assert find(memory, raw_head("Content-Length: 0", start=start)) > 0
    assert memory.framing == 0
    assert find(memory, raw_head("Content-Length: 1", start=start)) == 0


# What is not recognised


@pytest.mark.parametrize(
    ("known", "other"),
    [
        ("Connection: keep-alive", "Connection: close"),
        ("Connection: keep-alive", "Connection: Keep-Alive"),
        ("connection: x", "connection: close"),
        ("Keep-Alive: timeout=5", "Keep-Alive: timeout=4"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: gzip"),
        ("Set-Cookie: a=1", "Set-Cookie: a=2"),
        ("Upgrade: h2c", "Upgrade: websocket"),
        ("Trailer: A", "Trailer: B"),
        ("Server: nginx", "Server: Apache"),
        ("X-Name: x", "Y-Name: x"),
        ("X-Name: x", "x-name: x"),
        ("X-Name: x", "X-Name : x"),
        ("X-Name: x", "Connection: close"),
        ("X-Name: x", "X-Name: x\nConnection: close"),
        ("X-Name: x", "X-Name: x\rConnection: close"),
        ("X-Name: x", "X-Name: x\r\nConnection: close"),
        ("X-Name: x", "X-Name: x\r\n folded"),
        ("X-Name: x", "X-Name:\r\n\tfolded"),
        ("X-Name: x", "X-Name: x\0"),
        ("X-Name: x", "X-Name: x\x7f"),
        ("X-Name: x", "X-Name x"),
        ("X-Name: x", ""),
    ],
)
@pytest.mark.parametrize("fields", [(DATE,), (DATE, "Expires: 0")])
def test_a_line_that_decides_must_stay_the_same(known: str, other: str, fields: tuple[str, ...]) -> None:
    for before, after in ((fields, ()), ((), fields)):
        memory = memory_of(raw_head(*before, known, *after))
        assert find(memory, raw_head(*before, other, *after)) == 0


@pytest.mark.parametrize("start", ["HTTP/1.1 201 OK", "HTTP/1.0 200 OK", "HTTP/1.1 200 ok", "HTTP/1.1 200", "ICY 200"])
def test_the_status_line_must_stay_the_same(start: str) -> None:
    memory = memory_of(raw_head(*NGINX))
    assert find(memory, raw_head(*NGINX, start=start)) == 0


def test_lines_that_are_missing_added_or_in_another_order() -> None:
    memory = memory_of(raw_head(*NGINX))
    for at in range(len(NGINX)):
        fields = list(NGINX)
        line = fields.pop(at)
        assert find(memory, raw_head(*fields)) == 0
        assert find(memory, raw_head(*NGINX, line)) == 0
        assert find(memory, raw_head(*fields[:-1], line, fields[-1])) == (len(raw_head(*NGINX)) if at == 2 else 0)


@pytest.mark.parametrize("byte", [*range(0x09), *range(0x0A, 0x20), 0x7F])
def test_no_control_is_a_part_of_a_value(byte: int) -> None:
    memory = memory_of(raw_head(*NGINX))
    assert find(memory, raw_head(SERVER, f"Date: a{chr(byte)}b", LENGTH, KEEP_ALIVE)) == 0


def test_every_end_of_line_is_cr_lf() -> None:
    raw = raw_head(*NGINX)
    memory = memory_of(raw)
    ends = [at for at, byte in enumerate(raw) if byte == 0x0D]
    for at in ends:
        assert find(memory, raw[:at] + raw[at + 1 :] + b"x") == 0
        assert find(memory, raw[: at + 1] + raw[at + 2 :] + b"x") == 0
        assert find(memory, raw[:at] + b"\r" + raw[at:]) == 0


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(raw_head(DATE, "X: a\r\n b"), id="folded"),
        pytest.param(raw_head(DATE, "X: a\x01b"), id="control in a value"),
        pytest.param(raw_head(DATE, "X\x01: a"), id="control in a name"),
        pytest.param(raw_head(DATE, "X: a\nY: b"), id="bare LF"),
        pytest.param(raw_head(DATE, start="HTTP/1.1 200 O\tK"), id="tab in the status line"),
        pytest.param(raw_head(DATE, "X: " + "x" * MAX_HEAD_BYTES), id="too long"),
    ],
)
def test_an_uncommon_head_is_not_learnt(raw: bytes) -> None:
    memory = HeadMemory()
    memory.learn(raw, parse_response_head(raw_head(DATE)))
    assert find(memory, raw) == 0


def test_a_value_must_not_make_the_head_too_long() -> None:
    memory = memory_of(raw_head(*NGINX))
    rest = MAX_HEAD_BYTES - len(raw_head(SERVER, "Date: ", LENGTH, KEEP_ALIVE))
    longest = raw_head(SERVER, "Date: " + "x" * rest, LENGTH, KEEP_ALIVE)
    assert len(longest) == MAX_HEAD_BYTES
    assert find(memory, longest) == MAX_HEAD_BYTES
    assert find(memory, longest.replace(b"xx", b"xxx", 1)) == 0


def test_two_lengths_are_left_to_the_parser() -> None:
    """It takes two that are equal (RFC 9112 §6.3), and they must be in the next head too."""
    memory = HeadMemory()
    raw = raw_head("Content-Length: 5", "Content-Length: 5")
    memory.learn(raw, parse_response_head(raw))
    assert find(memory, raw) == 0
    assert find(memory, raw_head("Content-Length: 5", "Content-Length: 0")) == 0


def test_an_exact_memory_takes_the_same_bytes_only() -> None:
    heads = [raw_head(f"X-Request-Id: {number}", LENGTH) for number in range(3)]
    memory = memory_of(*heads, exact=True)
    for raw in heads:
        assert find(memory, raw) == len(raw)
        assert found(memory).head == parse_response_head(raw)
    assert find(memory, raw_head("X-Request-Id: 3", LENGTH)) == 0
    assert find(memory, raw_head("X-Request-Id: 0", "Content-Length: 6")) == 0


# How many


def test_the_heads_that_were_used_last_are_remembered() -> None:
    heads = [raw_head(f"X-{number}: x", LENGTH) for number in range(MAX_KNOWN_HEADS + 1)]
    memory = memory_of(*heads[:MAX_KNOWN_HEADS])
    other = heads[0].replace(b": x", b": y")
    assert find(memory, other) == len(other)
    memory.learn(heads[-1], parse_response_head(heads[-1]))
    assert [find(memory, raw) > 0 for raw in heads] == [number != 1 for number in range(len(heads))]


@pytest.mark.parametrize("exact", [False, True])
def test_a_head_that_is_learnt_again_takes_no_second_place(exact: bool) -> None:
    other = raw_head(KEEP_ALIVE, LENGTH)
    memory = memory_of(other, *[raw_head(*NGINX)] * MAX_KNOWN_HEADS, exact=exact)
    assert find(memory, raw_head(*NGINX)) == len(raw_head(*NGINX))
    assert find(memory, other) == len(other)


@pytest.mark.parametrize("length", [1 << 63, (1 << 64) - 1])
def test_a_length_that_no_c_integer_holds_is_left_to_the_parser(length: int) -> None:
    raw = raw_head(f"Content-Length: {length}")
    assert parse_response_head(raw).framing == length
    assert find(memory_of(raw), raw) == 0


def test_servers_whose_heads_always_differ_cost_few_templates() -> None:
    memory = HeadMemory()
    learnt = 0
    for number in range(1000):
        raw = raw_head(f"Set-Cookie: id={number}", LENGTH)
        assert find(memory, raw) == 0
        memory.learn(raw, parse_response_head(raw))
        learnt += find(memory, raw) > 0
    assert learnt == 2 * MAX_KNOWN_HEADS + 1000 // 64


def test_a_server_that_changes_is_recognised_again() -> None:
    memory = memory_of(*(raw_head(f"Set-Cookie: id={number}", LENGTH) for number in range(100)))
    raw = raw_head(*NGINX)
    for _ in range(64):
        if find(memory, raw):
            break
        memory.learn(raw, parse_response_head(raw))
    assert find(memory, raw.replace(b"48 GMT", b"49 GMT")) == len(raw)


# Against the parser

NAMES = st.sampled_from([
    "Date", "X-Request-Id", "ETag", "Content-Length", "Connection", "Keep-Alive", "Transfer-Encoding", "Set-Cookie",
    "Server", "Upgrade", "Trailer", "Proxy-Connection", "Expect", "content-length", "CONNECTION",
])  # fmt: skip
VALUES = st.one_of(
    st.sampled_from([
        "", "5", "0", "12", "close", "keep-alive", "keep-alive, close", "chunked", "gzip", "timeout=5, max=100", "h2c",
    ]),
    st.text(st.characters(max_codepoint=0xFF, exclude_characters="\0\r\n"), max_size=12),
)  # fmt: skip
SPACES = st.sampled_from(["", " ", "\t", "  "])
LINES = st.builds(lambda name, space, value: f"{name}:{space}{value}", NAMES, SPACES, VALUES)
STARTS = st.sampled_from([
    STATUS_LINE, "HTTP/1.0 200 OK", "HTTP/1.1 204 No Content", "HTTP/1.1 304 x", "HTTP/1.1 103 Early Hints",
    "HTTP/1.1 101 Switching Protocols", "HTTP/1.1 503", "HTTP/1.1 404 \xe9",
])  # fmt: skip
HEADS = st.builds(lambda start, lines: raw_head(*lines, start=start), STARTS, st.lists(LINES, max_size=6))
PIECES = st.sampled_from([
    b"", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b":", b"\0", b"\x01", b"\x02", b"\x7f", b"\x80", b"9", b"x",
    b"\r\n ", b"\nConnection: close", b"\r\nContent-Length: 3",
])  # fmt: skip


@st.composite
def changed(draw: st.DrawFn, raw: bytes) -> bytes:
    """`raw` with some bytes replaced, taken out or put in, mostly inside one line."""
    for _ in range(draw(st.integers(0, 3))):
        begin = draw(st.integers(0, len(raw)))
        end = min(len(raw), begin + draw(st.sampled_from([0, 0, 1, 1, 2, 5, 30])))
        piece = draw(st.one_of(PIECES, st.binary(max_size=3), st.integers(0, 10**17).map(lambda n: b"%d" % n)))
        raw = raw[:begin] + piece + raw[end:]
    return raw


@st.composite
def other_values(draw: st.DrawFn, raw: bytes) -> bytes:
    """`raw` with other values in some of its lines."""
    start, *lines = raw[:-4].split(b"\r\n")
    for at, line in enumerate(lines):
        if draw(st.booleans()):
            value = draw(SPACES) + draw(st.one_of(VALUES, st.integers(0, 10**17).map(str)))
            lines[at] = line.partition(b":")[0] + b":" + value.encode("latin-1")
    return b"\r\n".join([start, *lines, b"", b""])


def agrees_with_the_parser(memory: HeadMemory, data: bytes) -> bool:
    length = find(memory, data)
    if length == 0:
        return False
    assert length == data.index(b"\r\n\r\n") + 4
    known = found(memory)
    head = parse_response_head(data[:length])
    assert typed_fields(known.head)._replace(framing=memory.framing) == typed_fields(head)
    assert [name for name, _ in known.head.headers] == [name for name, _ in head.headers]
    assert (known.status, known.persists, known.sets_cookies) == (head.status, head.persists, head.sets_cookies)
    # Both ways to match a template, whichever of them `find` uses here.
    buffer = bytearray(data)
    for match in (known.walk, known.match):
        assert match(buffer, len(data)) == length
        assert not known.has_number or known.number == head.framing
    return True


@settings(deadline=None, max_examples=200)
@given(st.data(), st.lists(HEADS, min_size=1, max_size=3), st.binary(max_size=8))
def test_the_parser_would_say_the_same(data: st.DataObject, heads: list[bytes], after: bytes) -> None:
    memory = HeadMemory()
    learnt = []
    for raw in heads:
        try:
            head = parse_response_head(raw)
        except Malformed:
            continue
        memory.learn(raw, head)
        learnt.append(raw)
    for _ in range(6):
        raw = data.draw(st.sampled_from(learnt or heads))
        agrees_with_the_parser(memory, data.draw(st.one_of(changed(raw), other_values(raw))) + after)


@settings(deadline=None)
@given(st.lists(VALUES, min_size=2, max_size=30), st.integers(0, 10**15 - 1))
def test_other_values_are_recognised(values: list[str], length: int) -> None:
    """The property above holds of a memory that recognises nothing, too."""
    memory = memory_of(raw_head("A: a", SERVER, LENGTH, "B: b", KEEP_ALIVE))
    for first, second in itertools.pairwise(values):
        raw = raw_head(f"A: {first}", SERVER, f"Content-Length: {length}", f"B: {second}", KEEP_ALIVE)
        legal = all((byte >= 0x20 and byte != 0x7F) or byte in b"\t\r\n" for byte in raw)
        assert agrees_with_the_parser(memory, raw) == legal


def test_a_field_that_decides_for_the_owner_is_a_part_of_the_template() -> None:
    memory = HeadMemory(deciding=b"x-backend")
    for name in ("a", "b"):
        raw = raw_head(*NGINX, f"X-Backend: {name}")
        memory.learn(raw, parse_response_head(raw))
    later = "Date: Sat, 28 Nov 2026 21:01:49 GMT"
    for name in ("a", "b", "a"):
        assert find(memory, raw_head(SERVER, later, LENGTH, KEEP_ALIVE, f"X-Backend: {name}"))
        assert (b"X-Backend", name.encode()) in found(memory).head.headers
    assert not find(memory, raw_head(SERVER, later, LENGTH, KEEP_ALIVE, "X-Backend: c"))
