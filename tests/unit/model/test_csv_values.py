from __future__ import annotations

from pathlib import Path

import pytest

from loadgen.model.csv_values import CsvValues, read_csv
from loadgen.model.exceptions import PlanError


def test_a_file_is_read_as_rfc_4180_has_it(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_bytes('id,text\r\n1,"a ""b"", c"\r\n\r\n2,"two\r\nlines é"\r\n'.encode("utf-8-sig"))
    assert read_csv(path) == CsvValues(("id", "text"), (("1", 'a "b", c'), ("2", "two\r\nlines é")))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "has no row"),
        (b"id\n", "has no row"),
        (b"a,a\n1,2\n", "two columns have the same name"),
        (b"a,b\n1,2\n3\n", "line 3: it has 1 of 2 values"),
        (b"a,b\n1,2,3\n", "line 2: it has 3 of 2 values"),
        (b'a\n"1', "line 2: unexpected end of data"),
        (b"a\n\xff\n", "not in UTF-8"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "v.csv"
    path.write_bytes(content)
    with pytest.raises(PlanError) as error:
        read_csv(path)
    assert complaint in str(error.value)
