"""Our reader of responses against h11 and llhttp, on mutated messages: the same responses, or a known difference."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.fuzz.targets import TARGETS
from tests.support.differences import OTHERS_REFUSE, OURS_REFUSES, Refusal, unexplained
from tests.support.mutations import mutated
from tests.support.readings import Response, read_h11, read_llhttp, read_ours

SEEDS = Path(__file__).parents[3] / "fuzz" / "seeds"
RESPONSES = [path.read_bytes() for path in sorted((SEEDS / "responses").iterdir())]
READERS = {"h11": read_h11, "llhttp": read_llhttp}

every_seed = pytest.mark.parametrize(
    ("target", "seed"),
    [(name, path) for name in TARGETS for path in sorted((SEEDS / name).iterdir())],
    ids=lambda value: value.name if isinstance(value, Path) else value,
)


@pytest.mark.parametrize("name", READERS)
def test_a_response_is_read_alike(name: str) -> None:
    raw = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    raw += b"2\r\nhi\r\n0\r\n\r\n"
    expected = (Response(200, b"hello"), Response(404, b"hi"))
    assert read_ours([raw]).responses == READERS[name]([raw]).responses == expected


@settings(max_examples=400, deadline=None)
@given(mutated(RESPONSES))
def test_readers_agree_or_have_a_reason(data: bytes) -> None:
    ours = read_ours([data])
    for name, read in READERS.items():
        assert unexplained(data, ours, read([data]), name) == ""


def test_readings_that_differ_are_told() -> None:
    """The comparison itself: other bodies, a response more, and a refusal without a reason are found."""
    data = (SEEDS / "responses" / "length").read_bytes()
    ours = read_ours([data])
    other = ours._replace(responses=(Response(200, b"other"),))
    assert "reads other responses" in unexplained(data, ours, other, "h11")
    assert "differs on" in unexplained(data, ours, ours._replace(responses=ours.responses * 2), "h11")
    assert "differs on" in unexplained(data, ours, ours._replace(refusal="an unknown reason"), "llhttp")


@pytest.mark.parametrize(
    ("name", "row"), [(name, row) for name, rows in OTHERS_REFUSE.items() for row in rows], ids=lambda value: value[0]
)
def test_a_known_difference_exists(name: str, row: Refusal) -> None:
    """Each row is of words that the reader really says, on bytes that ours takes."""
    ours, theirs = read_ours([row.example]), READERS[name]([row.example])
    assert not ours.refusal
    assert re.match(row.words, theirs.refusal)


@pytest.mark.parametrize("row", OURS_REFUSES, ids=lambda row: row.words)
def test_a_known_refusal_of_ours_exists(row: Refusal) -> None:
    ours = read_ours([row.example])
    others = [read([row.example]) for read in READERS.values()]
    assert ours.refusal
    assert any(len(other.responses) > len(ours.responses) for other in others)
    assert all(unexplained(row.example, ours, other, name) == "" for name, other in zip(READERS, others, strict=True))


@every_seed
def test_a_seed_of_the_fuzzer_is_read(target: str, seed: Path) -> None:
    """Whole and byte by byte alike; inputs that once broke a reader are kept among them."""
    TARGETS[target].run(seed.read_bytes())
