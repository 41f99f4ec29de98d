"""Characters that command a terminal or hide: each shows where a text is shown, and JSON means the same."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from loadgen.model.characters import json_escaped, visible
from tests.support.hostile_texts import TERMINAL


def test_terminal_sequences_show() -> None:
    shown = visible(TERMINAL)
    assert shown == "\\x1b]0;owned\\x07\\x1b[2J\\x9b31m\\x1b[8m\\rok\\u202egpj\\u2028\\x00"
    assert visible(shown) == shown


@given(st.text())
def test_what_is_shown_is_one_line_without_controls(text: str) -> None:
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(one) < 32 or 127 <= ord(one) < 160 for one in shown)
    shown.encode()


@given(st.text())
def test_escaped_json_means_the_same(text: str) -> None:
    written = json_escaped(json.dumps({"a": [text]}, indent=1, ensure_ascii=False))
    assert json.loads(written) == {"a": [text]}
    assert not any(127 <= ord(one) < 160 or one in "\x1b\u202e" for one in written)
