"""Bytes that no request asked for: counted by connection, with one example that can be shown anywhere."""

from __future__ import annotations

from loadgen.model.unasked_bytes import UnaskedCounts, add_unasked


def test_connections_are_counted_and_the_first_bytes_are_shown() -> None:
    counts = UnaskedCounts()
    counts.note(204, b"hello")
    counts.note(200, b"x")
    assert counts.take() == {"connections": 2, "example": "5 bytes after a 204: b'hello'"}
    assert counts.take() == {"connections": 0, "example": ""}


def test_an_example_is_short_and_has_no_control_character() -> None:
    counts = UnaskedCounts()
    counts.note(200, b"\x1b[2J\n" + b"x" * 5000)
    assert counts.take()["example"] == r"5,005 bytes after a 200: b'\x1b[2J\n" + "x" * 15 + "'"


def test_counts_are_added_up() -> None:
    assert add_unasked([None, {"connections": 0, "example": ""}, {"connections": 2, "example": "x"}]) == {
        "connections": 2, "example": "x",
    }  # fmt: skip
    assert add_unasked([]) == {"connections": 0, "example": ""}
