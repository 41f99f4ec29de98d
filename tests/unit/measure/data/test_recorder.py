"""RowFile and Recorder: rows survive segment boundaries, closing, a full disk and a killed worker."""

from __future__ import annotations

import errno
import json
import mmap
import resource
import signal
import struct
import subprocess
import sys
from pathlib import Path
from struct import Struct

import pytest

from loadgen.measure.data.recorder import BLOCKS_FILE, CONNECTIONS_FILE, EXCHANGES_FILE, ROW_BYTES, Recorder, RowFile
from loadgen.model.records import CONNECTION_FIELDS, CONNECTION_ROW, EXCHANGE_FIELDS, EXCHANGE_ROW

WIDTH, CONNECTION_WIDTH = len(EXCHANGE_FIELDS), len(CONNECTION_FIELDS)
ROWS = {"exchange": EXCHANGE_ROW, "connection": CONNECTION_ROW, "odd": Struct("=qb")}


def segment_rows(tmp_path: Path, row: Struct) -> int:
    """How many rows one segment holds; a new file reserves two."""
    path = tmp_path / "probe"
    rows = RowFile(path, row)
    size = rows.segment_bytes
    assert path.stat().st_size == 2 * size
    rows.close()
    assert size % row.size == 0
    assert size % mmap.ALLOCATIONGRANULARITY == 0
    return size // row.size


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("beyond", [-1, 0, 1])
@pytest.mark.parametrize("segments", [1, 2])
def test_rows_across_segments(tmp_path: Path, row: Struct, beyond: int, segments: int) -> None:
    count = segment_rows(tmp_path, row) * segments + beyond
    width = len(row.unpack(bytes(row.size)))
    written = [(number % 100,) * width for number in range(count)]
    rows = RowFile(tmp_path / "rows", row)
    for values in written:
        rows.append(*values)
    assert rows.rows == count
    rows.close()
    content = (tmp_path / "rows").read_bytes()
    assert len(content) == count * row.size
    assert list(row.iter_unpack(content)) == written


def test_closing_an_empty_file_leaves_nothing(tmp_path: Path) -> None:
    rows = RowFile(tmp_path / "rows", EXCHANGE_ROW)
    assert rows.rows == 0
    rows.close()
    assert (tmp_path / "rows").stat().st_size == 0


def test_rows_are_in_the_file_before_it_is_closed(tmp_path: Path) -> None:
    rows = RowFile(tmp_path / "rows", EXCHANGE_ROW)
    rows.append(*range(WIDTH))
    content = (tmp_path / "rows").read_bytes()
    rows.close()
    assert EXCHANGE_ROW.unpack_from(content) == tuple(range(WIDTH))
    assert not any(content[EXCHANGE_ROW.size :])


def test_a_row_that_does_not_fit_its_type_is_not_counted(tmp_path: Path) -> None:
    rows = RowFile(tmp_path / "rows", EXCHANGE_ROW)
    with pytest.raises(struct.error):
        rows.append(*[2**63] * len(EXCHANGE_FIELDS))
    assert rows.rows == 0
    rows.close()


_FILL = """
import json, resource, signal, sys
from pathlib import Path
from loadgen.measure.data.recorder import RowFile
from loadgen.model.records import EXCHANGE_FIELDS, EXCHANGE_ROW
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
rows = RowFile(path, EXCHANGE_ROW)
segment_bytes = rows.segment_bytes
resource.setrlimit(resource.RLIMIT_FSIZE, (2 * segment_bytes + 4096, resource.RLIM_INFINITY))
failed, number = [], 0
while len(failed) < 3:
    try:
        rows.append(*[number + 1] * len(EXCHANGE_FIELDS))
        number += 1
    except OSError as error:
        failed.append(error.errno)
full = rows.rows
if sys.argv[2] == "room again":
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    rows.append(*[number + 1] * len(EXCHANGE_FIELDS))
rows.close()
print(json.dumps([failed, full, segment_bytes // EXCHANGE_ROW.size]))
"""


@pytest.mark.parametrize(("then", "more"), [("full", 0), ("room again", 1)])
def test_a_full_disk_is_an_error_and_earlier_rows_stay(tmp_path: Path, then: str, more: int) -> None:
    path = tmp_path / "rows"
    done = subprocess.run(
        [sys.executable, "-c", _FILL, str(path), then], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    failed, full, in_segment = json.loads(done.stdout)
    assert len(failed) == 3  # every further try fails as well, none goes astray
    assert full == 2 * in_segment
    written = [row[0] for row in EXCHANGE_ROW.iter_unpack(path.read_bytes())]
    assert written == list(range(1, full + more + 1))


_LISTEN = """
import json, resource, signal, sys
from pathlib import Path
from loadgen.measure.data.recorder import Recorder
from loadgen.model.records import CONNECTION_FIELDS, EXCHANGE_FIELDS
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
directory, part_rows = Path(sys.argv[1]), int(sys.argv[2])
told = []
recorder = Recorder(directory, part_rows)
recorder.on_full = lambda: told.append(recorder.exchanges + recorder.connections)
recorder.block({"index": 0})
segments = int(sys.argv[3])
limit = segments * recorder._exchanges.segment_bytes + 4096
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
for number in range(40_000):
    recorder.exchange(*[number + 1] * len(EXCHANGE_FIELDS))
for number in range(60_000):
    recorder.connection(*[number + 1] * len(CONNECTION_FIELDS))
recorder.block({"index": 0, "whole": False})
recorder.close()
print(json.dumps([told, recorder.error.errno, recorder.exchanges, recorder.connections]))
"""


@pytest.mark.parametrize("part_rows", [0, 1000])
def test_on_a_full_disk_the_reserve_takes_what_still_comes_and_the_rest_is_counted(
    tmp_path: Path, part_rows: int
) -> None:
    # With parts no file is longer than its own two segments, and the third part finds no room for that.
    segments = 3 if not part_rows else 1
    directory = tmp_path / "run"
    directory.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", _LISTEN, str(directory), str(part_rows), str(segments)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told, error, exchanges, connections = json.loads(done.stdout)
    assert error == errno.EFBIG
    in_segment, in_connections = segment_rows(tmp_path, EXCHANGE_ROW), segment_rows(tmp_path, CONNECTION_ROW)
    # The callback is called once, while a whole segment is still free.
    assert told == [in_segment * (2 if not part_rows else 1)]
    assert exchanges == in_segment * (3 if not part_rows else 2)
    written = (directory / EXCHANGES_FILE).read_bytes()
    assert [row[0] for row in EXCHANGE_ROW.iter_unpack(written)] == list(range(1, exchanges + 1))
    assert connections == in_connections * (3 if not part_rows else 2)
    last = json.loads((directory / BLOCKS_FILE).read_text().splitlines()[-1])
    assert last == {
        "index": 0, "whole": False, "row_bytes": ROW_BYTES,
        "lost": {"exchanges": 40_000 - exchanges, "connections": 60_000 - connections},
    }  # fmt: skip


_EXHAUST = """
import json, os, resource, sys
from pathlib import Path
from loadgen.measure.data.recorder import Recorder
from loadgen.model.records import CONNECTION_FIELDS, EXCHANGE_FIELDS
recorder = Recorder(Path(sys.argv[1]), int(sys.argv[2]))
recorder.block({"index": 0})
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
lowest = os.dup(0)
os.close(lowest)
resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, most))
for number in range(20_000):
    recorder.exchange(*[number + 1] * len(EXCHANGE_FIELDS))
    recorder.connection(*[number + 1] * len(CONNECTION_FIELDS))
recorder.block({"index": 0, "whole": True})
recorder.close()
print(json.dumps([recorder.error, recorder.exchanges, recorder.connections, sorted(os.listdir(sys.argv[1]))]))
"""


@pytest.mark.skipif(sys.version_info < (3, 13), reason="before CPython 3.13 each map has a descriptor of its own")
@pytest.mark.parametrize("part_rows", [0, 1000])
def test_where_no_descriptor_is_left_all_rows_are_written(tmp_path: Path, part_rows: int) -> None:
    """A new part waits until there is one."""
    done = subprocess.run(
        [sys.executable, "-c", _EXHAUST, str(tmp_path), str(part_rows)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    files = sorted([BLOCKS_FILE, CONNECTIONS_FILE, EXCHANGES_FILE])
    assert json.loads(done.stdout) == [None, 20_000, 20_000, files]


def test_a_disk_without_room_for_the_reserve_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def allocate(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", allocate)
    with pytest.raises(OSError, match="No space"):
        RowFile(tmp_path / "rows", EXCHANGE_ROW)
    assert list(tmp_path.iterdir()) == []


def test_a_line_that_did_not_fit_is_written_when_there_is_room(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    told: list[bool] = []
    recorder.on_full = lambda: told.append(True)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        recorder.block({"index": 0})
        recorder.block({"index": 1})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert told == [True]
    recorder.close()
    lines = (tmp_path / BLOCKS_FILE).read_text().splitlines()
    assert [json.loads(line)["index"] for line in lines] == [0, 1]


def test_recorder_writes_three_files(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.exchange(*range(WIDTH))
    recorder.exchange(*range(10, 10 + WIDTH))
    recorder.connection(*range(CONNECTION_WIDTH))
    recorder.block({"index": 0, "round": 0})
    assert json.loads((tmp_path / BLOCKS_FILE).read_text()) == {
        "index": 0,
        "round": 0,
        "row_bytes": ROW_BYTES,
    }  # at once, not when closed
    assert recorder.exchanges == 2
    recorder.close()
    exchanges = EXCHANGE_ROW.iter_unpack((tmp_path / EXCHANGES_FILE).read_bytes())
    assert list(exchanges) == [tuple(range(WIDTH)), tuple(range(10, 10 + WIDTH))]
    assert (tmp_path / CONNECTIONS_FILE).read_bytes() == CONNECTION_ROW.pack(*range(CONNECTION_WIDTH))


_DIE = """
import os, sys
from pathlib import Path
from loadgen.measure.data.recorder import Recorder
from loadgen.model.records import EXCHANGE_FIELDS
recorder = Recorder(Path(sys.argv[1]))
recorder.block({"index": 0})
for number in range(1000):
    recorder.exchange(*[number + 1] * len(EXCHANGE_FIELDS))
os.kill(os.getpid(), 9)
"""


def test_a_killed_worker_loses_nothing(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _DIE, str(tmp_path)], check=False, timeout=60)
    assert done.returncode == -9
    rows = [row[0] for row in EXCHANGE_ROW.iter_unpack((tmp_path / EXCHANGES_FILE).read_bytes())]
    assert rows[:1000] == list(range(1, 1001))
    assert not any(rows[1000:])
    assert json.loads((tmp_path / BLOCKS_FILE).read_text()) == {"index": 0, "row_bytes": ROW_BYTES}


def test_recorder_needs_no_numpy() -> None:
    code = "import sys, loadgen.measure.data.recorder; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
