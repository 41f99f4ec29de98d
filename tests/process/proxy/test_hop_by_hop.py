"""What real proxies, and a bad one, do with fields that are for one hop alone (RFC 9110 §7.6.1)."""

from __future__ import annotations

import pytest

from loadgen.probe.hop_by_hop import check_hops
from tests.support.probes import SENT, plan_for
from tests.support.proxies import REAL, asks, fake_proxy, proxy_url
from tests.support.runs import Start

LOWER = [name.lower() for name in SENT]


@pytest.mark.peer
@pytest.mark.parametrize("name", REAL)
def test_real_proxies_keep_them(share_target: Start, name: str) -> None:
    target = share_target()
    with REAL[name]() as port:
        found = check_hops(plan_for(target.url, proxy_url(port)))
    assert found["reason"] is None
    assert (found["forwarded"], found["response_removed"]) == ([], True)
    assert found["removed"] == LOWER
    assert name in found["via"]
    assert target.stats()["requests"] == 0


@pytest.mark.parametrize("wants", [True, False])
def test_a_bad_proxy_is_found_out(share_target: Start, wants: bool) -> None:
    target = share_target()
    with fake_proxy(asks if wants else None) as (fake, port):
        found = check_hops(plan_for(target.url, proxy_url(port)))
    # Credentials that nobody asked for are not sent, so nothing is known of them.
    assert found["forwarded"] == (LOWER if wants else LOWER[:-1])
    assert (found["response_removed"], found["via"], found["reason"]) == (False, None, None)
    assert fake.heads[-1].startswith(f"GET {target.url}.loadgen/fields HTTP/1.1\r\n".encode())
    assert (fake.asked, fake.shown) == ((1, 1) if wants else (0, 1))
