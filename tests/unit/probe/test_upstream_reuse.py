"""What the numbers of the origin's connections say about a proxy's reuse, and why there is none."""

from __future__ import annotations

import pytest

from loadgen.model.server_settings import settings_text
from loadgen.probe.chain.origin import Arrival
from loadgen.probe.chain.upstream_reuse import judge

CLOSE = "each request pays for a connection behind the proxy; let the proxy keep connections to the origin"


def arrivals(*numbers: int, asks_close: bool = False) -> list[Arrival]:
    return [Arrival(number, asks_close) for number in numbers]


@pytest.mark.parametrize(
    ("same", "others", "verdict", "measured"),
    [
        ([1, 1, 1, 1], [1, 1, 1, 1], "ok", "3 of 3 for one client, 4 of 4 across clients"),
        ([1, 2, 3, 4], [1, 5, 6, 7], "ok", "0 of 3 for one client, 1 of 4 across clients"),
        ([1, 1, 1, 1], [2, 3, 4, 5], "note", "3 of 3 for one client, 0 of 4 across clients"),
        ([1, 2, 3, 4], [5, 6, 7, 8], "warning", "a new connection to the origin for each of 8 requests"),
    ],
)
def test_reuse_for_one_client_and_across_clients(
    same: list[int], others: list[int], verdict: str, measured: str
) -> None:
    found = judge(arrivals(*same), arrivals(*others))
    assert (found.verdict, found.measured) == (verdict, measured)
    assert (found.advice is None) == (verdict == "ok")
    assert found.values["asks_close"] is False


def test_a_proxy_that_asks_for_a_close_is_told_so() -> None:
    """nginx before 1.29.7, with `keepalive` in its upstream and nothing else: two more lines are needed."""
    found = judge(arrivals(1, 2, asks_close=True), arrivals(3, 4, asks_close=True))
    assert found.measured == "a new connection to the origin for each of 4 requests: the proxy asks for a close"
    assert found.advice == f"{CLOSE}, and send it neither HTTP/1.0 nor Connection: close"
    assert found.values["asks_close"] is True
    text = settings_text(found.topic, "nginx/1.22.1")
    assert "proxy_http_version 1.1" in text
    assert 'proxy_set_header Connection ""' in text
