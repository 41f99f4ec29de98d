"""A user between two requests: when the next one begins, after an answer, a pause and an error, and after the end."""

from __future__ import annotations

import pytest

from loadgen.drive.slots.thinking_user import ThinkingUser
from loadgen.model.errors import ErrorKind
from tests.support.fake_network import FakeClock, FakeContext


class Counting(ThinkingUser):
    """Counts the requests that it begins."""

    begun = 0

    def begin(self) -> None:
        self.begun += 1


def test_the_next_request_begins_at_once_or_after_the_time_to_think(clock: FakeClock) -> None:
    at_once, thinks = Counting(FakeContext(clock)), Counting(FakeContext(clock, think_s=0.02))
    for user in (at_once, thinks):
        user.served(200)
    assert (at_once.begun, thinks.begun) == (1, 0)
    clock.pass_ms(20)
    assert (at_once.begun, thinks.begun) == (1, 1)


def test_an_error_is_followed_by_a_pause(clock: FakeClock) -> None:
    user = Counting(FakeContext(clock))
    user.served(-ErrorKind.CONNECT_REFUSED)
    assert user.begun == 0
    clock.pass_ms(1_000)
    assert user.begun == 1


def test_nothing_begins_after_the_end(clock: FakeClock) -> None:
    context = FakeContext(clock)
    user = Counting(context)
    user.begin_after(0.02)
    user.stop()
    clock.pass_ms(20)
    context.running = False
    user.served(200)
    assert user.begun == 0


def test_each_kind_of_user_says_how_its_requests_are_sent(clock: FakeClock) -> None:
    with pytest.raises(NotImplementedError):
        ThinkingUser(FakeContext(clock)).begin()
