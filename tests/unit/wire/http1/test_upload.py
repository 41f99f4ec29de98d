from __future__ import annotations

import pytest

from loadgen.wire.http1.upload import Upload


@pytest.mark.parametrize(("begin", "end"), [(0, 4), (0, 6), (2, 20), (4, 7), (5, 5), (6, 9), (3, 4), (9, 10)])
def test_its_pieces_are_those_of_head_and_body(begin: int, end: int) -> None:
    whole = b"headcontent"
    upload = Upload(b"head", b"content")
    assert (len(upload), upload[begin:end]) == (len(whole), whole[begin:end])
