"""A body that a greenlet reads while it comes, in parts of any size."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from loadgen.drive.clients.body_stream import BodyStream
from loadgen.drive.requests.call_result import CallResult


def result(outcome: int = 200, body: bytes = b"") -> CallResult:
    return CallResult(outcome, "", None, body, {}, 0, 1, 0)


def reading(stream: BodyStream, size: int) -> Any:
    greenlet = gevent.spawn(stream.read, size)
    gevent.idle()
    return greenlet


def test_parts_are_given_as_they_come() -> None:
    stream = BodyStream()
    waiting = gevent.spawn(stream.wait_for_head)
    gevent.idle()
    assert not waiting.ready()
    stream.begun(first := result(), lambda: None)
    assert waiting.get(timeout=5) is first
    reader = reading(stream, 3)
    assert not reader.ready()
    stream.add(b"hello")
    assert reader.get(timeout=5) == b"hel"
    assert stream.read(3) == b"lo"
    whole = reading(stream, -1)
    stream.add(b" wo")
    gevent.idle()
    assert not whole.ready()
    stream.end(last := result(200, b"rld"))
    assert whole.get(timeout=5) == b" world"
    assert (stream.read(), stream.read(1), stream.result is last) == (b"", b"", True)


def test_a_full_disk_is_raised_to_who_waits_for_the_head() -> None:
    stream = BodyStream()
    stream.end(result(), OSError(28, "No space left on device"))
    with pytest.raises(OSError, match="No space"):
        stream.wait_for_head()


def test_closing_ends_an_exchange_that_is_under_way() -> None:
    abandoned: list[int] = []
    stream = BodyStream()
    stream.close()
    stream.begun(result(), lambda: abandoned.append(1))
    stream.add(b"unread")
    stream.close()
    stream.end(result())
    stream.close()
    assert (abandoned, stream.read()) == ([1], b"")
