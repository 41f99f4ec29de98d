"""Blocks: what is noted of each."""

from __future__ import annotations

import pytest

from loadgen.drive.block import redirect_location
from loadgen.wire.http1.head import ResponseHead, parse_response_head
from tests.support.block_rig import Rig


def test_the_facts_of_a_block() -> None:
    rig = Rig("persistent")
    (facts, _) = rig.run()
    assert facts | {"rss_bytes": 0} == {
        "index": 0,
        "round": 0,
        "policy": "persistent",
        "first_connection": 10,
        "window_begun_ns": 100,
        "window_ended_ns": 200,
        "cpu_ns": 7,
        "rss_bytes": 0,
        "whole": True,
        "retried": 0,
        "keep_alive": {},
        "idle_statuses": {},
        "mismatched_echoes": 0,
        "trailers": rig.engine.trailers.take(),
        "lenient": {},
        "unasked_bytes": {"connections": 0, "example": ""},
        "unstarted": 3,
    }
    # They are written when the block, its window, the window's end and its own come: what is known outlives the run.
    assert ["window_begun_ns" in written for written in rig.sink.blocks[:4]] == [False, True, True, True]
    assert ["window_ended_ns" in written for written in rig.sink.blocks[:4]] == [False, False, True, True]
    assert "cpu_ns" not in rig.sink.blocks[2]
    assert rig.sink.blocks[3] == facts


def test_ignoring_a_close_has_an_account_of_its_own() -> None:
    (facts, _) = Rig("ignore-close").run()
    assert facts["after_close"] == {"tried": 4, "answered": 1}


def moved(line: bytes, status: bytes = b"302 Found") -> ResponseHead:
    return parse_response_head(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n%s\r\n" % (status, line))


@pytest.mark.parametrize(
    ("head", "location"),
    [
        (None, ""),
        (moved(b""), ""),
        (moved(b"location: /login\r\n"), "/login"),
        (moved(b"Location: https://u:p@h/?sid=7&x=1\r\n"), "https://***@h/?sid=***&x=1"),
        (moved(b"Location: /%s\r\n" % (b"a" * 5_000)), f"/{'a' * 199}…"),
        (moved(b"Location: /new\r\n", b"201 Created"), ""),
        (moved(b"Location: /new\r\n", b"503 No"), ""),
    ],
)
def test_where_redirects_lead_is_noted_without_secrets_and_not_at_length(
    head: ResponseHead | None, location: str
) -> None:
    assert redirect_location(head) == location
    rig = Rig("persistent")
    rig.engine.last_redirect = head
    (facts, _) = rig.run()
    assert facts.get("redirected_to", "") == location
