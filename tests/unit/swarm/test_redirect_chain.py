"""A chain of redirects ends at a response, at a limit, or where it leads nowhere."""

from __future__ import annotations

from loadgen.drive.requests.call_result import CallResult
from loadgen.swarm.redirect_chain import RedirectChain
from loadgen.swarm.scenario_request import ScenarioRequest
from loadgen.wire.http1.head import ResponseHead


def result(status: int, location: str | None = None) -> CallResult:
    lines = () if location is None else ((b"LOCATION", location.encode()),)
    head = ResponseHead(status, "1.1", 0, True, frozenset(), None, None, lines)
    return CallResult(status, "", head, b"", {}, 1_000, 1, 0)


def begun(first: CallResult) -> RedirectChain:
    return RedirectChain(ScenarioRequest("GET", "http://h", "/0"), first)


def test_a_chain_goes_on_to_the_first_response_that_is_no_redirect() -> None:
    chain = begun(result(302, "/1"))
    for number in (1, 2):
        following = chain.next_request(30)
        assert following is not None
        assert following.target == f"/{number}"
        chain.add(following, result(302, "/2") if number == 1 else result(200, "/3"))
    assert chain.next_request(30) is None
    assert (chain.followed, chain.latency_ns, chain.failure) == (2, 3_000, None)


def test_a_redirect_without_a_location_is_a_response() -> None:
    for status, location in ((302, None), (304, "/x"), (300, "/x")):
        chain = begun(result(status, location))
        assert chain.next_request(30) is None
        assert chain.failure is None


def test_a_loop_ends_at_the_limit() -> None:
    chain = begun(result(302, "/0"))
    while (following := chain.next_request(5)) is not None:
        chain.add(following, result(302, "/0"))
    assert (chain.followed, str(chain.failure)) == (5, "too_many_redirects")


def test_a_location_that_can_t_be_followed_is_a_failure() -> None:
    chain = begun(result(302, "ftp://h/"))
    assert chain.next_request(30) is None
    assert str(chain.failure) == "unusable_redirect"
