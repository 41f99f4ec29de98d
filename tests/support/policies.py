"""Policies for tests that go through all parts, those included that are still to come."""

from __future__ import annotations

from loadgen.model.policy import PARTS

_PARAMETERS = ("2", "1s", "0")  # a number, a duration, the one number that some take


def sample_text(word: str) -> str:
    """A policy of this one part; its parameter is the first one that the part accepts."""
    parse = PARTS[word].parse
    if parse is None:
        return word
    for parameter in _PARAMETERS:
        try:
            parse(parameter)
        except ValueError:
            continue
        return f"{word}:{parameter}"
    raise AssertionError(f"{word}:{PARTS[word].parameter} takes none of {_PARAMETERS}; add one to {__file__}")
