"""A connection without a kernel whose server answers in the loop's next turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent

from tests.support.fake_network import HELLO, FakeTransport


class AnsweringTransport(FakeTransport):
    """Opens and answers by itself; one that is silent only opens."""

    is_silent = False
    refuses = False

    def connect(self, address: Any, callback: Callable[[], None]) -> int:
        gevent.get_hub().loop.run_callback(self.refuse if self.refuses else self.open)
        return super().connect(address, callback)

    def send(self, data: bytes | memoryview) -> int:
        if not self.is_silent:
            gevent.get_hub().loop.run_callback(self._answer_all, bytes(data).count(b"GET "))
        return super().send(data)

    def _answer_all(self, times: int) -> None:
        for _ in range(times):
            if not self.closed:
                self.answer(HELLO)
