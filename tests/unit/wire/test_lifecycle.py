"""The life cycle: legal steps stamp times, phases tile a request's time exactly, all else raises."""

from __future__ import annotations

from itertools import product

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


def entered(life: Lifecycle) -> list[int]:
    return [life.entered_ns(state) for state in State]


def shortest_path(end: State) -> list[State]:
    """States on the shortest legal path from NEW, which is not among them, to `end`."""
    paths: dict[State, list[State]] = {NEW: []}
    reached = [NEW]
    for present in reached:
        for state in sorted(LEGAL[present] - set(paths)):
            paths[state] = [*paths[present], state]
            reached.append(state)
    return paths[end]


def phases(life: Lifecycle) -> tuple[int, ...]:
    """send, wait and receive of the last exchange."""
    return tuple(life.phase_ns(state) for state in (SENDING, WAITING, RECEIVING))


@pytest.mark.parametrize(("begin", "end"), list(product(State, State)), ids=lambda state: state.name)
def test_exactly_the_legal_steps_are_taken(begin: State, end: State) -> None:
    life = walk(*((state, 3) for state in shortest_path(begin)))
    before = entered(life)
    if end in LEGAL[begin]:
        life.enter(end, 7)
        assert life.state == end
        assert entered(life) == [7 if state is end else before[state] for state in State]
    else:
        with pytest.raises(IllegalTransition, match=f"{begin.name} -> {end.name}"):
            life.enter(end, 7)
        assert life.state == begin
        assert entered(life) == before
        assert life.own_ns == 0


def test_each_step_stamps_its_time() -> None:
    path = [RESOLVING, CONNECTING, TUNNELLING, HANDSHAKING, UPGRADING, SENDING, WAITING, RECEIVING, IDLE, CLOSED]
    life = walk(*((state, 10 * number) for number, state in enumerate(path, 1)))
    assert entered(life) == [ABSENT, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]


def test_a_phase_ends_where_it_was_left_and_what_follows_is_the_generators_own_work() -> None:
    life = Lifecycle()
    life.enter(CONNECTING, 13, 10)  # begun at 10: 3 until the system call
    life.enter(SENDING, 25, 21)
    assert life.handshake_ns() == (-1, 8, -1, -1, -1)
    assert life.own_ns == 3 + 4
    life.enter(WAITING, 30)  # none by default
    assert life.own_ns == 7
    life.enter(RECEIVING, 50, 41)
    life.enter(IDLE, 60)
    assert phases(life) == (5, 11, 10)
    assert life.own_ns == 7 + 9


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
        pytest.param([(CONNECTING, 1)], 9, (-1, -1, -1), id="died connecting"),
        pytest.param(FIRST[:4], 16, (2, 4, 8), id="all"),
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
    """Its last phase lasts until the exchange ends, and the connection with it or not."""
    for end in (IDLE, CLOSED) if steps and steps[-1][0] is RECEIVING else (CLOSED,):
        assert phases(walk(*steps, (end, end_ns))) == expected


@settings(deadline=None)
@given(st.data())
def test_phases_and_own_work_tile_the_time_of_any_path(data: st.DataObject) -> None:
    """Whatever path is taken, however long each step lasts and whenever its phase was over: no gap and no overlap."""
    life = Lifecycle()
    begun_ns = left_ns = now_ns = data.draw(st.integers(0, 1000))
    lasted_ns: dict[State, int] = {}
    for _ in range(data.draw(st.integers(1, 3))):  # exchanges
        own_ns = 0
        while True:
            # UPGRADING -> IDLE and IDLE -> CLOSED are exchanges that never were: no sample comes of them.
            never = {UPGRADING: {IDLE}, IDLE: {CLOSED}}.get(State(life.state), set())
            choices = sorted(LEGAL[State(life.state)] - never)
            state = data.draw(st.sampled_from(choices))
            now_ns += data.draw(st.integers(0, 1000))
            own_ns += now_ns - left_ns
            life.enter(state, now_ns, left_ns)
            if state in (IDLE, CLOSED):
                break
            left_ns = now_ns + data.draw(st.integers(0, 1000))
            lasted_ns[state] = left_ns - now_ns
            now_ns = left_ns
        assert life.own_ns == own_ns
        found = [*life.handshake_ns(), *phases(life)]
        assert found == [lasted_ns.get(state, ABSENT) for state in list(State)[RESOLVING:IDLE]]
        assert sum(phase for phase in found if phase != ABSENT) + own_ns == now_ns - begun_ns
        if life.state == CLOSED:
            return
        # The next exchange, as a connection begins it. Its handshake is the first one's.
        begun_ns = left_ns = now_ns = now_ns + data.draw(st.integers(1, 1000))
        begun_ns -= sum(lasted_ns.get(state, 0) for state in list(State)[RESOLVING:SENDING])
        life.own_ns = 0
        for state in (SENDING, WAITING, RECEIVING):
            lasted_ns.pop(state, None)


def test_an_upgrade_that_was_declined_was_an_ordinary_request() -> None:
    life = walk((CONNECTING, 10), (UPGRADING, 17))
    life.not_upgraded(19, 30)
    assert life.state == RECEIVING
    assert life.handshake_ns() == (-1, 7, -1, -1, -1)
    life.enter(IDLE, 34)
    assert phases(life) == (2, 11, 4)
