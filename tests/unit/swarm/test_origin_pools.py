"""The pool of each origin: what of the run's plan goes with it, and what does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadgen.drive.clients.client_pool import GreenletClientPool
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.policy import parse_policies
from loadgen.model.target import parse_target
from loadgen.swarm.origin_pools import OriginPools
from loadgen.swarm.scenario_request import Trust
from loadgen.wire import poller
from tests.support.fake_network import FakeRoute, FakeSink
from tests.support.secure_servers import authority

HEADERS = (("Authorization", "secret"), ("X-Own", "1"), ("Host", "alias"))


def pools_of(url: str, policy: str = "persistent", **values: Any) -> OriginPools:
    plan = Plan(parse_target(url), parse_policies(policy), headers=HEADERS, **values)
    return OriginPools(GreenletClientPool(plan, FakeRoute(poller.of_hub()), FakeSink(), policy))


@pytest.fixture
def pools() -> Iterator[OriginPools]:
    found = pools_of("https://h/")
    yield found
    found.close()


def plan_of(pools: OriginPools, origin: str, trust: Trust | None = None) -> Plan:
    plan: Plan = pools.of(origin, trust)._plan
    return plan


def test_what_is_secret_stays_with_the_run_s_target(pools: OriginPools) -> None:
    assert pools.of("https://h") is pools.first
    other = plan_of(pools, "http://other:81")
    assert (other.headers, other.target.origin) == ((("X-Own", "1"),), "http://other:81")
    assert pools.of("http://other:81") is pools.of("http://other:81")


def test_trust_of_a_request_has_a_pool_of_its_own(pools: OriginPools, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(authority().cert_pem.bytes())
    assert pools.of("https://h", Trust(True, None)) is pools.first
    untrusting = plan_of(pools, "https://h", Trust(False, None))
    assert (untrusting.insecure, untrusting.cacert, untrusting.headers) == (True, None, HEADERS)
    trusting = plan_of(pools, "https://h", Trust(str(file), None))
    assert (trusting.insecure, trusting.cacert) == (False, str(file))
    assert pools.of("http://other", Trust(False, None)) is pools.of("http://other")  # nothing to trust there


def test_a_policy_of_tls_is_what_is_left_of_it_in_clear() -> None:
    pools = pools_of("https://h/", "resume")
    assert (pools.of("https://other").policy.resumes_tls, pools.of("http://other").policy.resumes_tls) == (True, False)
    pools.close()


@pytest.mark.parametrize("trust", [Trust("none-such.pem", None), Trust(None, "none-such.pem"), Trust(None, ("a", "b"))])
def test_a_file_that_is_of_no_use_is_a_value_error(pools: OriginPools, trust: Trust) -> None:
    with pytest.raises(PlanError, match=r"none-such.pem|'?a'?"):
        pools.of("https://h", trust)
