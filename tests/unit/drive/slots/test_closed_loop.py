"""A user on a connection of its own: what each policy opens, sends and closes, and how its connections end."""

from __future__ import annotations

import pytest

from loadgen.drive.requests.user_state import UserState
from loadgen.drive.slots.closed_loop import ClosedLoopUser
from loadgen.model.errors import ErrorKind
from loadgen.model.records import ABSENT, Ending
from tests.support.fake_network import BYE, HELLO, LAST, MORE, MS, FakeClock, FakeContext, requests

UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nhello"


class Rig(FakeContext):
    """One user under a policy, begun."""

    def __init__(self, clock: FakeClock, policy: str = "persistent", **values: float) -> None:
        super().__init__(clock, policy, **values)  # type: ignore[arg-type] # flags and seconds
        self.user = ClosedLoopUser(self, 0, UserState(0, requests()))
        self.user.begin()

    def serve(self, *responses: bytes) -> None:
        """Let the newest connection open, if it has not, and answer its requests in turn."""
        for response in responses:
            transport = self.made[-1]
            if not transport.requests:
                transport.open()
            transport.answer(response)


def test_a_persistent_connection_carries_every_request(clock: FakeClock) -> None:
    rig = Rig(clock, "persistent")
    rig.serve(*[HELLO] * 20)
    assert len(rig.made) == 1
    assert rig.made[0].requests == [MORE] * 21
    assert rig.sink.column("request_index") == list(range(20))
    assert rig.sink.column("outcome") == [200] * 20
    assert rig.sink.connections == []


@pytest.mark.parametrize("limit", [1, 2, 10])
@pytest.mark.parametrize("suffix", ["", "+abandon"])
def test_recycling_opens_what_arithmetic_says(clock: FakeClock, limit: int, suffix: str) -> None:
    rig = Rig(clock, f"recycle:{limit}{suffix}")
    rig.serve(*[HELLO] * (3 * limit))
    assert len(rig.made) == 4
    assert rig.sink.column("request_index") == [*range(limit)] * 3
    # The last request on each connection is the one that asks for the close, where the policy does.
    assert rig.made[0].requests == [MORE] * (limit - 1) + [LAST]
    if suffix:
        assert rig.sink.endings == [Ending.CLIENT_SILENT] * 3
        assert all(transport.closed for transport in rig.made[:3])
    else:
        # A server that did not announce its close gets a moment for it; the next request does not wait for that.
        assert [connection.number for connection in rig.pending] == [0, 1, 2]


def test_a_server_that_announces_the_close_it_was_asked_for_is_not_waited_for(clock: FakeClock) -> None:
    rig = Rig(clock, "close")
    rig.serve(BYE, BYE)
    assert rig.pending == []
    assert rig.sink.endings == [Ending.CLIENT_ANNOUNCED] * 2


def test_a_server_that_has_closed_already_is_not_waited_for(clock: FakeClock) -> None:
    rig = Rig(clock, "close")
    rig.made[0].open()
    rig.made[0].answer_and_close(HELLO)
    assert rig.pending == []
    assert rig.sink.endings == [Ending.CLIENT_ANNOUNCED]


@pytest.mark.parametrize("response", [BYE, b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"])
def test_the_server_ends_a_connection_by_announcing_it(clock: FakeClock, response: bytes) -> None:
    rig = Rig(clock, "persistent")
    rig.serve(HELLO, response)
    assert len(rig.made) == 2
    assert rig.sink.endings == [Ending.SERVER_ANNOUNCED]
    assert rig.errors == 0


@pytest.mark.parametrize(("closes", "ending"), [("end", Ending.SERVER_IDLE_FIN), ("reset", Ending.SERVER_IDLE_RST)])
def test_a_close_while_idle_is_seen_before_the_next_request(clock: FakeClock, closes: str, ending: Ending) -> None:
    rig = Rig(clock, "persistent", think_s=0.005)
    rig.serve(HELLO)
    getattr(rig.made[0], closes)()
    assert rig.sink.endings == [ending]
    clock.pass_ms(5)
    assert len(rig.made) == 2
    assert rig.errors == 0


@pytest.mark.parametrize(
    ("closes", "piece", "kind", "ending"),
    [
        ("end", b"", ErrorKind.STALE_CONNECTION, Ending.SERVER_STALE),
        ("reset", b"", ErrorKind.STALE_CONNECTION, Ending.SERVER_STALE),
        ("end", HELLO[:-3], ErrorKind.TRUNCATED, Ending.SERVER_MID_RESPONSE_FIN),
        ("reset", HELLO[:-3], ErrorKind.TRUNCATED, Ending.SERVER_MID_RESPONSE_RST),
    ],
)
def test_how_the_server_ended_a_connection_under_a_request(
    clock: FakeClock, closes: str, piece: bytes, kind: ErrorKind, ending: Ending
) -> None:
    rig = Rig(clock, "persistent")
    rig.serve(HELLO)
    if piece:
        rig.made[0].answer(piece)
    getattr(rig.made[0], closes)()
    assert rig.sink.column("outcome") == [200, -kind]
    assert rig.sink.endings == [ending]
    assert (rig.errors, rig.retried) == (1, 0)
    assert rig.last_failure is not None
    assert rig.last_failure[0] is kind


def test_a_target_that_refuses_everything_is_not_hammered(clock: FakeClock) -> None:
    rig = Rig(clock, "persistent")
    rig.made[0].refuse()
    assert rig.sink.column("outcome") == [-ErrorKind.CONNECT_REFUSED]
    assert rig.sink.endings == [Ending.NOT_OPENED]
    clock.pass_ms(9)
    assert len(rig.made) == 1
    clock.pass_ms(1)
    assert len(rig.made) == 2


def test_a_stale_connection_is_replaced_without_a_pause(clock: FakeClock) -> None:
    rig = Rig(clock, "persistent")
    rig.serve(HELLO)
    rig.made[0].end()
    assert len(rig.made) == 2
    assert clock.waiting == 0


def test_a_stale_request_is_sent_once_more_where_the_plan_says_so(clock: FakeClock) -> None:
    rig = Rig(clock, "persistent", retried=[ErrorKind.STALE_CONNECTION])
    rig.serve(HELLO)
    due_ns = clock.now_ns
    clock.pass_ms(2)
    rig.made[0].end()
    assert rig.retried == 1
    clock.pass_ms(1)
    rig.serve(HELLO)
    assert rig.sink.column("outcome") == [200, -ErrorKind.STALE_CONNECTION, 200]
    # The second try counts from when the request was due: what was lost before is its queue.
    assert rig.sink.exchanges[2]["scheduled"] == due_ns
    assert rig.sink.exchanges[2]["queue"] == 2 * MS


def test_a_request_is_never_sent_a_third_time(clock: FakeClock) -> None:
    rig = Rig(clock, "ignore-close", retried=[ErrorKind.STALE_CONNECTION])
    rig.serve(HELLO)
    rig.made[0].end()  # stale: sent once more
    rig.made[1].open()
    rig.made[1].end()  # and lost again, on a new connection
    assert rig.retried == 1
    assert rig.sink.column("outcome")[1:] == [-ErrorKind.STALE_CONNECTION, -ErrorKind.CLOSED_WITHOUT_RESPONSE]


def test_the_next_request_of_the_same_user_may_be_sent_once_more_again(clock: FakeClock) -> None:
    rig = Rig(clock, "persistent", retried=[ErrorKind.STALE_CONNECTION])
    for _ in range(2):
        rig.serve(HELLO)
        rig.made[-1].end()
        rig.serve(HELLO)
    assert rig.retried == 2


@pytest.mark.parametrize(("asked", "retried"), [(2, 1), (1, 0)])
def test_each_try_is_one_of_the_requests_that_were_asked_for(clock: FakeClock, asked: int, retried: int) -> None:
    rig = Rig(clock, "persistent", retried=[ErrorKind.STALE_CONNECTION])
    clock.pass_ms(1)
    rig.ask(asked)
    rig.serve(HELLO)  # due before the window began
    rig.made[0].end()
    assert rig.retried == retried
    if retried:
        assert rig.ends == 0
        rig.serve(HELLO)
    assert rig.ends == 1
    assert (rig.left, rig.to_end, rig.user.unfinished) == (0, 0, retried)
    assert len(rig.sink.exchanges) == 1 + asked


def test_after_the_last_request_that_was_asked_for_a_user_begins_none(clock: FakeClock) -> None:
    rig = Rig(clock, "persistent", think_s=0.001)
    rig.serve(HELLO)
    rig.ask(3)
    for _ in range(5):
        clock.pass_ms(2)
        if rig.user.connection is not None and rig.user.connection.busy:
            rig.serve(HELLO)
    assert rig.made[0].requests == [MORE] * 4
    assert (rig.ends, clock.waiting, rig.drained) == (1, 0, 0)


def test_no_request_begins_on_a_connection_that_is_too_old(clock: FakeClock) -> None:
    rig = Rig(clock, "lifetime:30ms", think_s=0.01)
    rig.made[0].open()
    for _ in range(3):
        rig.made[0].answer()
        clock.pass_ms(10)
    assert len(rig.made) == 2
    assert rig.sink.column("request_index") == [0, 1, 2]
    assert rig.sink.endings == [Ending.CLIENT_SILENT]
    assert rig.sink.connections[0]["opened"] == 1_000 * MS


def test_a_connection_rests_before_it_is_used_again(clock: FakeClock) -> None:
    rig = Rig(clock, "gap:10ms")
    rig.serve(HELLO)
    clock.pass_ms(9.9)
    assert len(rig.made[0].requests) == 1
    clock.pass_ms(0.1)
    assert len(rig.made[0].requests) == 2


def test_a_gap_is_for_connections_that_are_used_again(clock: FakeClock) -> None:
    rig = Rig(clock, "gap:10ms")
    rig.serve(BYE)
    assert len(rig.made) == 2
    assert clock.waiting == 0


@pytest.mark.parametrize(("think_s", "rests_ms"), [(0.004, 10), (0.02, 20)])
def test_a_users_pause_and_the_gap_pass_at_the_same_time(clock: FakeClock, think_s: float, rests_ms: float) -> None:
    rig = Rig(clock, "gap:10ms", think_s=think_s)
    rig.serve(HELLO)
    clock.pass_ms(rests_ms - 0.1)
    assert len(rig.made[0].requests) == 1
    clock.pass_ms(0.1)
    assert len(rig.made[0].requests) == 2


def test_a_client_that_ignores_close_finds_out(clock: FakeClock) -> None:
    rig = Rig(clock, "ignore-close")
    rig.serve(BYE)
    assert len(rig.made[0].requests) == 2
    assert (rig.after_close_tried, rig.after_close_answered) == (1, 0)
    rig.made[0].answer(HELLO)
    assert (rig.after_close_tried, rig.after_close_answered) == (2, 1)
    rig.made[0].end()
    assert rig.sink.column("outcome") == [200, 200, -ErrorKind.STALE_CONNECTION]
    assert rig.sink.endings == [Ending.SERVER_STALE]


def test_a_response_without_an_end_can_not_be_ignored(clock: FakeClock) -> None:
    rig = Rig(clock, "ignore-close")
    rig.made[0].open()
    rig.made[0].answer(UNTIL_CLOSE)
    rig.made[0].end()
    assert rig.sink.column("outcome") == [200]
    assert len(rig.made) == 2
    assert rig.after_close_tried == 0


def test_a_resumed_session_is_the_users_last_one(clock: FakeClock) -> None:
    rig = Rig(clock, "close-resume")
    rig.serve(BYE, BYE)
    first, second, third = rig.made
    assert (first.offered_session, second.offered_session) == (None, first.session)
    assert third.offered_session is second.session


def test_without_resumption_no_session_is_offered(clock: FakeClock) -> None:
    rig = Rig(clock, "close")
    rig.serve(BYE, BYE)
    assert [transport.offered_session for transport in rig.made] == [None] * 3


def test_cookies_are_the_users_own(clock: FakeClock) -> None:
    rig = Rig(clock, "persistent", takes_cookies=True)
    rig.serve(HELLO.replace(b"\r\n\r\n", b"\r\nSet-Cookie: id=1\r\n\r\n", 1))
    assert b"Cookie: id=1" in rig.made[0].requests[1]


def test_only_the_first_response_of_a_connection_is_read_for_its_keep_alive_field(clock: FakeClock) -> None:
    rig = Rig(clock, "persistent")
    rig.serve(HELLO, HELLO, BYE, HELLO)
    assert len(rig.first_heads) == 2


def test_at_the_end_of_a_block_the_last_exchange_comes_to_its_end(clock: FakeClock) -> None:
    rig = Rig(clock, "persistent")
    rig.serve(HELLO)
    rig.running = False
    rig.user.stop()
    assert rig.user.unfinished == 1
    assert not rig.made[0].closed
    rig.made[0].answer()
    assert rig.drained == 1
    rig.user.stop()
    assert rig.made[0].closed
    assert rig.sink.endings == [Ending.CLIENT_SILENT]
    assert rig.user.unfinished == 0


def test_at_the_end_of_a_block_a_user_who_thinks_sends_nothing_more(clock: FakeClock) -> None:
    rig = Rig(clock, "persistent", think_s=0.005)
    rig.serve(HELLO)
    rig.running = False
    rig.user.stop()
    clock.pass_ms(50)
    assert rig.made[0].closed
    assert len(rig.made[0].requests) == 1
    assert clock.waiting == 0


def test_a_closed_loop_is_never_late(clock: FakeClock) -> None:
    rig = Rig(clock, "persistent")
    rig.serve(HELLO, HELLO)
    assert rig.sink.column("late") == [ABSENT] * 2
    assert rig.sink.column("queue") == [ABSENT] * 2
