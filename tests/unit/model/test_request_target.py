"""Path and query as they go on the wire: in the characters of RFC 3986, and never encoded twice."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.model.request_target import SIZE_FIELD, origin_form, url_template

ALLOWED = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]-]|%[0-9A-Fa-f]{2})*")


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_what_goes_out_has_the_characters_of_a_url_and_the_same_meaning(text: str) -> None:
    sent = origin_form(text)
    assert ALLOWED.fullmatch(sent)
    assert origin_form(sent) == sent
    assert unquote_to_bytes(sent) == unquote_to_bytes(text)


def test_bytes_that_are_no_text_go_out_as_they_are() -> None:
    assert origin_form("/\udcff\udc80") == "/%FF%80"
    with pytest.raises(UnicodeEncodeError):
        origin_form("/\ud800")


def test_the_place_of_the_size_stays() -> None:
    assert url_template(f"/{{a}}/{SIZE_FIELD}?x={SIZE_FIELD}") == "/%7Ba%7D/{size}?x={size}"
