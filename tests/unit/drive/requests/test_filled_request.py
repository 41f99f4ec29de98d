from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from loadgen.drive.requests.filled_request import FilledRequest, RequestCounter
from loadgen.model.planned_request import PlannedRequest
from loadgen.model.request_list import read_requests


class Encoder:
    """Notes what it encodes."""

    def __init__(self) -> None:
        self.seen: list[PlannedRequest] = []

    def __call__(self, request: PlannedRequest) -> Callable[[bool, str], str]:
        self.seen.append(request)
        return lambda is_last, cookies: f"{request.path} {is_last} {cookies}"


def filled(line: str, counter: RequestCounter | None = None) -> tuple[FilledRequest, Encoder]:
    encoder = Encoder()
    (request,) = read_requests(line)
    return FilledRequest(request, encoder, counter or RequestCounter()), encoder


def test_every_place_is_filled_and_the_same_name_alike() -> None:
    line = '{"url": "/{user}/{n}?u={uuid}", "headers": {"X-A": "{uuid}"}, "body": "{random:5-6} {random:5-6} é"}'
    request, encoder = filled(line)
    assert request.next(3, "a=1").last.endswith(" True a=1")
    (seen,) = encoder.seen
    path, _, identity = seen.path.partition("?u=")
    assert path == "/3/1"
    assert seen.headers == (("X-A", identity),)
    assert seen.body.decode() in ("5 5 é", "6 6 é")


def test_numbers_are_shared_and_rows_take_turns(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("c\na/b\nc d\n")
    counter = RequestCounter()
    rows, encoder = filled(f'{{"url": "/{{c}}", "csv": "{tmp_path}/v.csv"}}', counter)
    numbers, other = filled('{"url": "/{n}"}', counter)
    for _ in range(4):
        rows.next(0, "")
        numbers.next(0, "")
    assert [one.path for one in other.seen] == ["/2", "/4", "/6", "/8"]
    assert [one.path for one in encoder.seen] == ["/a%2Fb", "/c%20d"]  # what repeats is encoded once
    rows.rewrite()
    rows.next(0, "")
    assert len(encoder.seen) == 3
