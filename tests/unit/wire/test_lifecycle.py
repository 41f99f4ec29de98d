"""The life cycle: legal steps stamp times, phases tile a request's time exactly, all else raises."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.model.records import ABSENT
from loadgen.wire.lifecycle import (
    CLOSED,
    CONNECTING,
    HANDSHAKING,
    IDLE,
    NEW,
    RECEIVING,
    RESOLVING,
    SENDING,
    TUNNELLING,
    UPGRADING,
    WAITING,
    IllegalTransition,
    Lifecycle,
    State,
)

LEGAL = {
    NEW: {RESOLVING, CONNECTING, CLOSED},
    RESOLVING: {CONNECTING, CLOSED},
    CONNECTING: {TUNNELLING, HANDSHAKING, UPGRADING, SENDING, CLOSED},
    TUNNELLING: {HANDSHAKING, UPGRADING, SENDING, CLOSED},
    HANDSHAKING: {UPGRADING, SENDING, CLOSED},
    UPGRADING: {SENDING, IDLE, CLOSED},
    SENDING: {WAITING, RECEIVING, CLOSED},
    WAITING: {RECEIVING, CLOSED},
    RECEIVING: {IDLE, CLOSED},
    IDLE: {SENDING, CLOSED},
    CLOSED: set(),
}


def walk(*steps: tuple[State, int]) -> Lifecycle:
    life = Lifecycle()
    for state, now_ns in steps:
        life.enter(state, now_ns)
    return life


@pytest.mark.parametrize(("begin", "end"), list(product(State, State)), ids=lambda state: state.name)
def test_exactly_the_legal_steps_are_taken(begin: State, end: State) -> None:
    life = Lifecycle()
    life.state = begin
    if end in LEGAL[begin]:
        life.enter(end, 7)
        assert life.state is end
        assert life.entered == [7 if state is end else ABSENT for state in State]
    else:
        with pytest.raises(IllegalTransition, match=f"{begin.name} -> {end.name}"):
            life.enter(end, 7)
        assert life.state is begin
        assert life.entered == [ABSENT] * len(State)


def test_each_step_stamps_its_time() -> None:
    path = [RESOLVING, CONNECTING, TUNNELLING, HANDSHAKING, UPGRADING, SENDING, WAITING, RECEIVING, IDLE, CLOSED]
    life = walk(*((state, 10 * number) for number, state in enumerate(path, 1)))
    assert life.entered == [ABSENT, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([], (-1, -1, -1, -1, -1), id="nothing happened"),
        pytest.param([(CLOSED, 5)], (-1, -1, -1, -1, -1), id="closed unopened"),
        pytest.param([(CONNECTING, 10), (SENDING, 17)], (-1, 7, -1, -1, -1), id="tcp"),
        pytest.param([(RESOLVING, 1), (CONNECTING, 10), (SENDING, 17)], (9, 7, -1, -1, -1), id="dns, tcp"),
        pytest.param([(CONNECTING, 10), (HANDSHAKING, 17), (SENDING, 29)], (-1, 7, -1, 12, -1), id="tls"),
        pytest.param(
            [(CONNECTING, 10), (TUNNELLING, 17), (HANDSHAKING, 29), (SENDING, 39)], (-1, 7, 12, 10, -1), id="tunnel"
        ),
        pytest.param([(CONNECTING, 10), (UPGRADING, 17), (SENDING, 29)], (-1, 7, -1, -1, 12), id="upgrade"),
        pytest.param(
            [(RESOLVING, 0), (CONNECTING, 1), (TUNNELLING, 2), (HANDSHAKING, 3), (UPGRADING, 7), (SENDING, 15)],
            (1, 1, 1, 4, 8),
            id="all",
        ),
        pytest.param([(CONNECTING, 10), (SENDING, 10)], (-1, 0, -1, -1, -1), id="no time at all is 0, not absent"),
        pytest.param([(RESOLVING, 1), (CLOSED, 5)], (4, -1, -1, -1, -1), id="died resolving"),
        pytest.param([(RESOLVING, 1), (CONNECTING, 5), (CLOSED, 8)], (4, 3, -1, -1, -1), id="died connecting"),
        pytest.param([(CONNECTING, 5), (HANDSHAKING, 8), (CLOSED, 15)], (-1, 3, -1, 7, -1), id="died in tls"),
    ],
)
def test_durations_of_the_handshake(steps: list[tuple[State, int]], expected: tuple[int, ...]) -> None:
    assert walk(*steps).handshake_ns() == expected


FIRST = [(CONNECTING, 1), (SENDING, 2), (WAITING, 4), (RECEIVING, 8), (IDLE, 16)]


@pytest.mark.parametrize(
    ("steps", "end_ns", "expected"),
    [
        pytest.param([], 9, (-1, -1, -1), id="never sent"),
        pytest.param([(CONNECTING, 1), (CLOSED, 9)], 9, (-1, -1, -1), id="died connecting"),
        pytest.param(FIRST, 16, (2, 4, 8), id="all"),
        pytest.param(FIRST[:2], 9, (7, -1, -1), id="died sending"),
        pytest.param(FIRST[:3], 9, (2, 5, -1), id="died waiting"),
        pytest.param(FIRST[:4], 9, (2, 4, 1), id="died receiving"),
        pytest.param([*FIRST[:2], (RECEIVING, 8)], 9, (6, -1, 1), id="answered while sending"),
        pytest.param([*FIRST, (SENDING, 20)], 21, (1, -1, -1), id="second died sending"),
        pytest.param([*FIRST, (SENDING, 20), (WAITING, 22)], 25, (2, 3, -1), id="second died waiting"),
        pytest.param([*FIRST, (SENDING, 20), (WAITING, 22), (RECEIVING, 25)], 29, (2, 3, 4), id="second"),
        pytest.param([*FIRST, (SENDING, 20), (RECEIVING, 25)], 29, (5, -1, 4), id="second answered while sending"),
    ],
)
def test_durations_of_an_exchange(steps: list[tuple[State, int]], end_ns: int, expected: tuple[int, ...]) -> None:
    assert walk(*steps).exchange_ns(end_ns) == expected


@settings(deadline=None)
@given(st.data())
def test_phases_tile_the_time_of_any_path(data: st.DataObject) -> None:
    """Whatever path is taken and however long each step lasts: no gap, no overlap, absent where not entered."""
    life, path, now_ns = Lifecycle(), [], data.draw(st.integers(0, 1000))
    begun_ns = now_ns
    while life.state not in (IDLE, CLOSED):
        # UPGRADING -> IDLE is an exchange that never was: no sample comes of it.
        choices = sorted(LEGAL[life.state] - ({IDLE} if life.state is UPGRADING else set()))
        state = data.draw(st.sampled_from(choices))
        life.enter(state, now_ns)
        path.append((state, now_ns))
        now_ns += data.draw(st.integers(0, 1000))
    phases = [*life.handshake_ns(), *life.exchange_ns(path[-1][1])]
    lasted_ns = {state: until_ns - from_ns for (state, from_ns), (_, until_ns) in pairwise(path)}
    assert phases == [lasted_ns.get(state, ABSENT) for state in list(State)[RESOLVING:IDLE]]
    assert sum(phase for phase in phases if phase != ABSENT) == path[-1][1] - begun_ns


def test_an_upgrade_that_was_declined_was_an_ordinary_request() -> None:
    life = walk((CONNECTING, 10), (UPGRADING, 17))
    life.not_upgraded(19, 30)
    assert life.state is RECEIVING
    assert life.handshake_ns() == (-1, 7, -1, -1, -1)
    assert life.exchange_ns(34) == (2, 11, 4)
