"""A user's cookies over several origins: kept together, and sent to each as RFC 6265 §5.4 says. Opens nothing."""

from __future__ import annotations

from collections.abc import Sequence
from http.cookiejar import CookieJar

from loadgen.drive.requests.request_mix import MixedUserState, RequestMix
from loadgen.wire.http1.head import ResponseHead


class OriginUserState(MixedUserState):
    """A user's state for one origin, its TLS session too. others: its states for all origins, itself included."""

    __slots__ = ("others",)

    def __init__(self, index: int, origin: str, mix: RequestMix, jar: CookieJar) -> None:
        MixedUserState.__init__(self, index, origin, mix)
        self.use_jar(jar)
        self.others: Sequence[OriginUserState] = ()

    def take_cookies(self, head: ResponseHead, url: str) -> None:
        """Keep what the response sets. One origin may set what another is sent: ports of a host share their cookies."""
        known = self._head
        MixedUserState.take_cookies(self, head, url)
        if self._head is not known:
            for other in self.others:
                if other is not self:
                    other.forget()


def states_of_user(index: int, mixes: Sequence[RequestMix]) -> list[OriginUserState]:
    """A user's states, one for each origin, with one jar."""
    jar = CookieJar()
    states = [OriginUserState(index, mix.origin, mix, jar) for mix in mixes]
    for one in states:
        one.others = states
    return states
