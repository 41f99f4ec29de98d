"""The first request of a run goes alone, and what answers it is noted."""

from __future__ import annotations

import pytest

from loadgen.drive.preflight import Preflight, ServerObserver
from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.closed_loop import ClosedLoopUser
from loadgen.drive.slots.pipelined_user import PipelinedUser
from loadgen.model.errors import ErrorKind
from tests.support.fake_network import HELLO, FakeClock, FakeContext, requests

ANSWER = HELLO.replace(b"\r\n\r\n", b"\r\nServer: made-up/1\r\nKeep-Alive: timeout=5, max=100\r\n\r\n", 1)


def test_what_answers_is_observed_and_the_slot_goes_on() -> None:
    context = FakeContext(FakeClock())
    context.running = False
    user = ClosedLoopUser(context, 0, UserState(0, requests()))
    preflight = Preflight(context, user)
    preflight.send(user, is_concurrent=False)
    context.made[0].open()
    context.made[0].answer(ANSWER)
    assert preflight.head is not None
    assert preflight.head.status == 200
    assert context.observed == {
        "http_version": "1.1",
        "status": 200,
        "server": "made-up/1",
        "keep_alive_timeout_s": 5,
        "keep_alive_max": 100,
        "tls": None,
    }
    # The load begins on the same connection, and the slot hears of it itself.
    assert user.connection is not None
    assert user.connection.listener is user
    context.running = True
    user.begin()
    context.made[0].answer()
    assert context.sink.column("request_index") == [0, 1]
    assert len(context.made) == 1


def test_a_second_preflight_takes_the_connection_at_hand() -> None:
    context = FakeContext(FakeClock())
    context.running = False
    user = ClosedLoopUser(context, 0, UserState(0, requests()))
    for _ in range(2):
        Preflight(context, user).send(user, is_concurrent=False)
        if not context.made[0].requests:
            context.made[0].open()
        context.made[0].answer()
    assert len(context.made) == 1
    assert context.drained == 2


def test_on_a_pipeline_the_first_request_goes_alone_on_a_new_connection() -> None:
    context = FakeContext(FakeClock(), "pipeline:3")
    context.running = False
    user = PipelinedUser(context, 0, UserState(0, requests()))
    for number in range(2):
        Preflight(context, user).send(user, is_concurrent=True)
        context.made[number].open()
        assert len(context.made[number].requests) == 1
        context.made[number].answer()
    assert context.made[0].closed


@pytest.mark.parametrize("refused", [True, False])
def test_a_failure_has_no_head_and_observes_nothing(refused: bool) -> None:
    context = FakeContext(FakeClock())
    context.running = False
    user = ClosedLoopUser(context, 0, UserState(0, requests()))
    preflight = Preflight(context, user)
    preflight.send(user, is_concurrent=False)
    if refused:
        context.made[0].refuse()
    else:
        context.made[0].open()
        context.made[0].end()
    assert preflight.head is None
    assert context.observed == {}
    assert context.last_failure is not None
    kind = ErrorKind.CONNECT_REFUSED if refused else ErrorKind.CLOSED_WITHOUT_RESPONSE
    assert context.last_failure[0] is kind
    assert context.drained == 1


def test_a_lost_connection_is_the_slots_affair() -> None:
    context = FakeContext(FakeClock())
    user = ClosedLoopUser(context, 0, UserState(0, requests()))
    user.send_first(user)
    assert user.connection is not None
    user.connection.listener = ServerObserver(context, user)
    context.made[0].open()
    ServerObserver(context, user).connection_lost(user.connection)
    assert user.connection is None
