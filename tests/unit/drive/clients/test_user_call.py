"""Calls of one user at the same time: each with the cookies of its path, all with the user's."""

from __future__ import annotations

from collections.abc import Callable

import gevent

from tests.support.client_rig import ClientRig, begun
from tests.support.fake_network import BYE, HELLO


def test_calls_at_the_same_time_have_the_cookies_of_their_own_paths(make: Callable[..., ClientRig]) -> None:
    rig = make("persistent", cookies=True)
    user = rig.pool.new_client()
    begun(user.call, "GET", "/plain")
    second = begun(user.call, "GET", "/in")
    rig.made[1].open()
    rig.made[1].answer(HELLO.replace(b"\r\n\r\n", b"\r\nSet-Cookie: s=1; Path=/in\r\n\r\n", 1))
    second.get(timeout=5)
    rig.made[0].open()
    rig.made[0].answer(HELLO.replace(b"\r\n\r\n", b"\r\nSet-Cookie: t=2; Path=/\r\n\r\n", 1))
    gevent.idle()  # the first call's greenlet goes on
    call = begun(user.call, "GET", "/in")
    assert b"Cookie: s=1; t=2\r\n" in rig.made[0].requests[-1]
    rig.made[0].answer()
    call.get(timeout=5)


def test_the_users_next_connection_offers_the_session_of_its_last_one(make: Callable[..., ClientRig]) -> None:
    rig = make("resume+recycle:1")
    user = rig.pool.new_client(concurrency=1)
    for _ in range(2):
        call = begun(user.call, "GET", "/")
        rig.made[-1].open()
        rig.made[-1].answer(BYE)
        assert call.get(timeout=5).status == 200
    assert [made.offered_session for made in rig.made] == [None, rig.made[0].session]
