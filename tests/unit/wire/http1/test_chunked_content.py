from __future__ import annotations

from pathlib import Path

import pytest

from loadgen.model.body_file import BodyFile
from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import PlanError
from loadgen.wire.errors import Failure
from loadgen.wire.http1.chunked_content import ChunkedContent
from loadgen.wire.http1.file_content import FileContent
from loadgen.wire.http1.request_writer import chunked_body


@pytest.mark.parametrize(("size", "chunk"), [(0, 4), (1, 4), (4, 4), (8, 4), (11, 4), (40, 16), (3, 1)])
def test_each_piece_of_a_body_in_chunks_can_be_made_alone(size: int, chunk: int) -> None:
    body = bytes(range(65, 65 + size))
    whole = chunked_body(body, chunk)
    content = ChunkedContent(body, chunk)
    assert len(content) == len(whole)
    for begin in range(len(whole)):
        for end in range(begin, len(whole) + 1):
            assert content[begin:end] == whole[begin:end], (begin, end)


def test_a_file_is_read_where_it_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_bytes(bytes(range(100)))
    content = FileContent(BodyFile(str(path), 100))
    assert (len(content), content[0:3], content[90:100], content[7:7]) == (100, b"\0\1\2", bytes(range(90, 100)), b"")
    assert ChunkedContent(content, 64)[60:70] == chunked_body(bytes(range(100)), 64)[60:70]
    path.write_bytes(b"short")
    with pytest.raises(Failure, match="has become shorter than it was") as error:
        content[0:10]
    assert error.value.kind is ErrorKind.BODY_UNREADABLE


def test_a_file_that_is_another_by_now_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "body"
    path.write_bytes(b"12345")
    with pytest.raises(PlanError, match="has 5 bytes and had 6 before; give it again"):
        FileContent(BodyFile(str(path), 6))
    path.unlink()
    with pytest.raises(PlanError, match="can't be read as a regular file any more"):
        FileContent(BodyFile(str(path), 5))
