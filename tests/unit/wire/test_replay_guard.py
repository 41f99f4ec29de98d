"""Each ClientHello is admitted once, for as long as it could be replayed."""

from __future__ import annotations

from loadgen.model.units import NS_PER_S
from loadgen.wire.replay_guard import ReplayGuard


def test_each_is_admitted_once() -> None:
    guard = ReplayGuard()
    assert [guard.admits(random, 0) for random in (b"a", b"b", b"a", b"b", b"c")] == [True, True, False, False, True]


def test_it_is_remembered_for_longer_than_openssl_would_take_it() -> None:
    for begun_s in range(0, 31, 3):
        guard = ReplayGuard()
        guard.admits(b"other", 100 * NS_PER_S)
        begun_ns = (100 + begun_s) * NS_PER_S
        assert guard.admits(b"a", begun_ns)
        for passed_s in (1, 5, 11, 14):
            assert not guard.admits(b"a", begun_ns + passed_s * NS_PER_S)


def test_it_is_forgotten_after_that() -> None:
    guard = ReplayGuard()
    assert guard.admits(b"a", NS_PER_S)
    assert guard.admits(b"a", 100 * NS_PER_S)
