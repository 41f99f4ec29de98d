"""Happy Eyeballs: families in turns, attempts that overlap, and what they cost, over real sockets."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import gevent
import pytest
from gevent.event import Event

from loadgen.model.errors import ErrorKind
from loadgen.model.records import ConnectionFlag
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS
from loadgen.wire import poller
from loadgen.wire.address_race import AddressRace, RaceCounts, interleaved
from loadgen.wire.connection import Connection
from loadgen.wire.http1.response_reader import ResponseReader
from loadgen.wire.lifecycle import CONNECTING
from loadgen.wire.listener import Listener
from loadgen.wire.route import Route
from loadgen.wire.transport import OPEN, SocketAddress, TcpTransport
from tests.support.racing import accepted, address_of, answering, refusing, silent

V4, V6 = socket.AF_INET, socket.AF_INET6
DELAY_NS = 20 * NS_PER_MS
NO_WAY: SocketAddress = (V4, ("255.255.255.255", 9))
"""TCP can't connect to a broadcast address: connect(2) says so at once."""
Maker = Callable[[int], AbstractContextManager[socket.socket]]


def six(number: int) -> SocketAddress:
    return V6, (f"2001:db8::{number}", 80, 0, 0)


def four(number: int) -> SocketAddress:
    return V4, (f"192.0.2.{number}", 80)


@pytest.mark.parametrize(
    ("found", "first", "order"),
    [
        ([six(1), six(2), four(1), four(2)], None, [six(1), four(1), six(2), four(2)]),
        ([four(1), four(2), four(3), six(1)], None, [four(1), six(1), four(2), four(3)]),
        ([four(1), four(2), six(1)], V6, [six(1), four(1), four(2)]),
        ([four(1), four(2)], V6, [four(1), four(2)]),
        ([], None, []),
    ],
)
def test_the_families_take_turns(found: list[Any], first: int | None, order: list[Any]) -> None:
    assert interleaved(found, first) == order


class Rig:
    """A race, and the loop run until it is decided."""

    def __init__(self, *addresses: SocketAddress) -> None:
        self.addresses = addresses
        self.counts = RaceCounts()
        self.decided = Event()
        hub = poller.of_hub()
        self.race = AddressRace(hub, lambda: list(addresses), DELAY_NS, self.counts, lambda: TcpTransport(hub))
        self.begun_ns = self.race.connect(addresses[0], self.decided.set)

    def decide(self) -> Rig:
        assert self.decided.wait(5), "nothing answered"
        return self


@contextmanager
def addresses(*made: AbstractContextManager[socket.socket]) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(one) for one in made]


def await_attempts(race: Any) -> None:
    """Until both addresses are tried."""
    while len(race._under_way) < 2:
        gevent.sleep(0.001)


def test_the_first_that_answers_at_once_is_the_only_one_tried() -> None:
    with addresses(answering(V6), answering(V4)) as (first, second):
        rig = Rig(address_of(first), address_of(second)).decide()
        stream = rig.race.settled
        assert (stream.establish(), rig.race.address, rig.race.delay_ns) == (OPEN, address_of(first), 0)
        gevent.sleep(2 * DELAY_NS / 1e9)  # the second one's turn would have come
        stream.close()
        assert (accepted(first), accepted(second)) == (1, 0)
    found = rig.counts.take()
    assert found | {"connect_ns": 0} == rig.counts.take() | {"races": 1, "attempts": 1, "won_ipv6": 1}
    assert 0 < found["connect_ns"] < DELAY_NS


def test_a_silent_address_costs_the_delay() -> None:
    with addresses(silent(V6), answering(V4)) as (first, second):
        rig = Rig(address_of(first), address_of(second)).decide()
        rig.race.settled.close()
        assert accepted(second) == 1
    assert rig.race.address == rig.addresses[1]
    assert DELAY_NS <= rig.race.delay_ns < 10 * DELAY_NS
    found = rig.counts.take()
    assert found["delay_ns"] == rig.race.delay_ns
    assert [found[key] for key in ("attempts", "won_ipv4", "won_ipv6", "delayed", "lost_connected")] == [2, 1, 0, 1, 0]


def test_an_address_that_refuses_makes_the_next_one_begin_at_once() -> None:
    with addresses(refusing(V6), refusing(V4), answering(V4)) as made:
        rig = Rig(*map(address_of, made)).decide()
        rig.race.settled.close()
        assert accepted(made[2]) == 1
    assert rig.race.delay_ns < DELAY_NS
    assert rig.counts.take()["attempts"] == 3


def test_an_address_that_fails_within_connect_is_passed_over() -> None:
    with addresses(answering(V4)) as (last,):
        rig = Rig(NO_WAY, NO_WAY, address_of(last)).decide()
        rig.race.settled.close()
    assert rig.race.address == rig.addresses[2]
    assert rig.counts.take()["attempts"] == 3


def test_two_that_answer_late_are_one_connection_and_a_lost_one() -> None:
    """Both have connected when the loop looks: the server accepts both, and sees one come and go."""
    with addresses(silent(V6), answering(V4), answering(V4)) as (first, second, third):
        rig = Rig(address_of(first), address_of(second), address_of(third))
        rig.race._timer.expire(rig.race._timer._serial)  # the second's turn
        rig.race._timer.expire(rig.race._timer._serial)  # and the third's, before the loop runs
        rig.decide().race.settled.close()
        assert (accepted(second), accepted(third)) == (1, 1)
    found = rig.counts.take()
    assert (found["attempts"], found["won_ipv4"], found["lost_connected"]) == (3, 1, 1)


@pytest.mark.parametrize(
    ("made", "code", "words"),
    [
        ((refusing,), errno.ECONNREFUSED, "Connection refused"),
        ((refusing, refusing), errno.ECONNREFUSED, "::1: Connection refused; 127.0.0.1: Connection refused"),
    ],
)
def test_where_all_fail_each_failure_is_told(made: tuple[Maker, ...], code: int, words: str) -> None:
    with addresses(*(one(family) for one, family in zip(made, (V6, V4), strict=False))) as found:
        rig = Rig(*map(address_of, found)).decide()
        with pytest.raises(OSError, match=words) as raised:
            rig.race.settled.establish()
    assert raised.value.errno == code
    assert rig.race.address == rig.addresses[0]


def test_a_refusal_says_more_than_that_there_is_no_way() -> None:
    with addresses(refusing(V6)) as (last,):
        rig = Rig(NO_WAY, address_of(last)).decide()
        with pytest.raises(ConnectionRefusedError):
            rig.race.settled.establish()
    assert rig.race.address == rig.addresses[1]


def test_where_all_fail_at_once_connect_raises() -> None:
    with pytest.raises(OSError, match=r"255\.255\.255\.255: .*; 255\.255\.255\.255: "):
        Rig(NO_WAY, NO_WAY)


def test_a_race_that_is_given_up_leaves_nothing_open() -> None:
    with addresses(silent(V6), silent(V4)) as made:
        rig = Rig(*map(address_of, made))
        await_attempts(rig.race)
        assert not rig.race.was_connected()
        streams = [one.stream for one in rig.race._under_way]
        rig.race.close()
    assert (len(streams), [one.socket for one in streams]) == (2, [None, None])
    found = rig.counts.take()
    assert (found["attempts"], found["won_ipv4"] + found["won_ipv6"]) == (2, 0)


class Waiting(Listener):
    """What became of a connection's exchange."""

    def __init__(self) -> None:
        self.done = Event()
        self.outcome = 0

    def exchange_done(self, connection: Connection, outcome: int, end_ns: int) -> None:
        self.outcome = outcome
        self.done.set()


def connection_over(*found: SocketAddress) -> tuple[Connection, Waiting, Route]:
    route = Route(parse_target("http://h/"), addresses=found)
    route.race_delay_ns = DELAY_NS
    waiting = Waiting()
    connection = Connection(0, route, waiting, poller.of_hub(), ResponseReader(1000))
    connection.is_sampled = True
    connection.open(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    return connection, waiting, route


def answer(listener: socket.socket) -> None:
    """Answer the request of the one connection that is there."""
    peer, _ = listener.accept()
    with peer:
        peer.settimeout(5)
        peer.recv(1000)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def test_connect_lasts_from_the_first_attempt_to_the_winners_answer() -> None:
    with addresses(silent(V6), answering(V4)) as (first, second):
        connection, waiting, route = connection_over(address_of(first), address_of(second))
        while connection.state == CONNECTING:
            gevent.sleep(0.001)
        answer(second)
        assert waiting.done.wait(5)
        assert (waiting.outcome, connection.address) == (200, address_of(second))
    assert connection.flags == ConnectionFlag.ESTABLISHED
    assert connection.handshake is not None
    facts = route.races.take()
    # On loopback the winner's own connect is over within connect(2).
    assert connection.handshake[1] == facts["delay_ns"] + facts["connect_ns"]
    assert connection.handshake[1] >= DELAY_NS
    assert connection.connect_delay_ns < DELAY_NS  # of the winner alone
    connection.close(connection.ending)


def test_a_connection_whose_addresses_all_refuse_has_the_kind_of_the_refusal() -> None:
    with addresses(refusing(V6), refusing(V4)) as made:
        connection, waiting, _ = connection_over(*map(address_of, made))
        assert waiting.done.wait(5)
    assert (waiting.outcome, connection.flags) == (-ErrorKind.CONNECT_REFUSED, 0)
    assert connection.failure == "::1: Connection refused; 127.0.0.1: Connection refused"


def test_a_connection_whose_addresses_are_all_silent_runs_into_its_time_limit() -> None:
    with addresses(silent(V6), silent(V4)) as made:
        connection, waiting, route = connection_over(*map(address_of, made))
        await_attempts(connection._transport)
        connection.expire()
    assert waiting.outcome == -ErrorKind.CONNECT_TIMEOUT
    assert route.races.take()["attempts"] == 2
    assert not route.skip_address()  # all were tried
