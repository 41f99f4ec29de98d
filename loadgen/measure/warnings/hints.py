"""What error kinds mean and what to do, beside their counts. Counts nothing; the words are in model/errors.py."""

from __future__ import annotations

from loadgen.model.errors import ErrorKind

_BY_LABEL = {kind.label: kind.explanation for kind in ErrorKind if kind.explanation}


def advice(errors: dict[str, int]) -> str:
    """The text to add to these counts by kind, the most frequent first; empty where the kinds' names say it all."""
    explained = sorted((label for label in errors if label in _BY_LABEL), key=errors.__getitem__, reverse=True)
    return "".join(f"; {label}: {_BY_LABEL[label]}" for label in explained)
