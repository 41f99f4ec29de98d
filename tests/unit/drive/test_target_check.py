"""The first request decides whether a run goes on: how often it is sent, and who is blamed where it fails."""

from __future__ import annotations

from typing import Any

import pytest

from loadgen.drive.schedule import blocks
from loadgen.drive.target_check import PAUSES_S, TargetCheck
from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import TargetError
from loadgen.model.plan import Plan
from loadgen.model.policy import HTTP1, parse_policies
from loadgen.model.target import parse_target
from tests.support.block_rig import SECOND, Rig

REFUSED = (ErrorKind.CONNECT_REFUSED, "Connection refused")
ALWAYS_REFUSED = [REFUSED] * 2 * (len(PAUSES_S) + 1)  # at both addresses
RESET = (ErrorKind.CLOSED_WITHOUT_RESPONSE, "reset")
TIMEOUT = (ErrorKind.RESPONSE_TIMEOUT, "no answer")
SILENT = (ErrorKind.CONNECT_TIMEOUT, "no answer")
NO_UPGRADE = (ErrorKind.UPGRADE_REFUSED, "404")


def test_a_target_that_answers_is_asked_once() -> None:
    rig = Rig("persistent,close")
    rig.run()
    assert rig.engine.preflights == 1
    assert len(rig.engine.ran) == 4
    addresses = ["192.0.2.1", "192.0.2.2"]
    assert rig.reported("observed") == [
        {"address": "192.0.2.1", "port": 80, "addresses": addresses, "server": "made-up"}
    ]
    assert rig.reported("warning") == []


def test_a_target_that_fails_the_first_request_ends_the_run() -> None:
    rig = Rig("persistent", *ALWAYS_REFUSED)
    with pytest.raises(
        TargetError,
        match=r"http://h:81/: connect refused: no one listens at this .*; is the server running.* \(tried 5 times in 0",
    ):
        rig.run()
    assert rig.engine.ran == []
    assert rig.engine.preflights == 10  # each time at both addresses
    assert rig.engine.pauses_s == [0.1, 0.2, 0.4, 0.8]


@pytest.mark.parametrize(
    ("failures", "message"),
    [
        ([RESET], "the first request failed 1 time: closed without response; it was sent again, and the run began 0.0"),
        ([RESET, RESET, TIMEOUT], "failed 3 times: closed without response (2), response timeout (1); it was sent"),
        # The first address is refused both times, and is tried again as the second does not answer.
        ([REFUSED, REFUSED, REFUSED], "the first request failed 1 time: connect refused; it was"),
    ],
)
def test_what_may_pass_is_tried_again_and_told(failures: list[Any], message: str) -> None:
    rig = Rig("persistent", *failures)
    rig.run()
    assert rig.engine.preflights == len(failures) + 1
    assert len(rig.engine.ran) == 2
    (warning,) = rig.reported("warning")
    assert warning["code"] == "first_request_failed"
    assert message in warning["message"]
    assert rig.reported("observed")[0]["server"] == "made-up"


@pytest.mark.parametrize(
    "kind",
    [ErrorKind.DNS_FAILED, ErrorKind.TLS_UNTRUSTED, ErrorKind.TLS_WRONG_NAME, ErrorKind.MALFORMED],
    ids=lambda kind: kind.label,
)
def test_what_can_not_pass_is_tried_once(kind: ErrorKind) -> None:
    rig = Rig("persistent", (kind, "so it is"))
    with pytest.raises(TargetError, match=r"so it is(?!.*tried)"):
        rig.run()
    assert rig.engine.preflights == 1
    assert rig.engine.pauses_s == []


def test_a_block_that_is_ended_early_is_not_waited_for() -> None:
    rig = Rig("persistent", *[TIMEOUT] * 5, must_answer=False)
    rig.engine.on_preflight = lambda: setattr(rig.engine, "whole", False)
    rig.runner.run(next(blocks(rig.plan)))
    assert rig.engine.preflights == 1


def test_no_try_begins_after_three_seconds() -> None:
    now_s = iter([0.0, 1.0, 2.2, 2.9, 2.9])  # tries that take a second: the third pause would end too late
    rig = Rig("persistent", *[TIMEOUT] * 5)
    check = TargetCheck(
        rig.plan, rig.route, rig.engine, rig.reports.append, must_answer=True, now_s=lambda: next(now_s)  # type: ignore[arg-type] # a fake engine
    )  # fmt: skip
    with pytest.raises(TargetError, match=r"tried 3 times in 2.9 s"):
        check.before_block(HTTP1)
    assert rig.engine.pauses_s == [0.1, 0.2]


def test_a_server_that_is_not_ready_is_asked_again_and_then_measured_as_it_is() -> None:
    rig = Rig("persistent")
    statuses = iter([503, 503, 200])
    rig.engine.on_preflight = lambda: rig.engine.observed.update(status=next(statuses))
    rig.run()
    (warning,) = rig.reported("warning")
    assert warning["message"].startswith("the first request failed 2 times: status 503; it was sent again")

    rig = Rig("persistent")
    rig.engine.observed["status"] = 503
    rig.run()
    assert rig.engine.preflights == 5
    assert len(rig.engine.ran) == 2
    (warning,) = rig.reported("warning")
    assert warning["message"].startswith("the first request failed 5 times: status 503; the run began all the same")


def test_tries_are_no_challenges_of_the_proxy() -> None:
    rig = Rig("websocket", RESET, (ErrorKind.PROXY_AUTHENTICATION, "407"), RESET, proxy="http://u:p@p:3128")
    rig.route.login.wanted = False

    def challenge() -> None:
        rig.route.login.wanted = rig.engine.preflights > 1

    rig.engine.on_preflight = challenge
    facts = rig.run()
    assert facts[0]["challenge"] == {"connections": 1, "errors": 1}
    assert rig.engine.preflights == 4


def test_the_next_address_is_tried_first() -> None:
    rig = Rig("persistent", REFUSED)
    rig.run()
    assert rig.engine.preflights == 2
    assert rig.route.addresses == [SECOND]
    assert rig.reported("observed")[0]["address"] == "192.0.2.2"


def test_an_address_that_is_silent_is_told_of() -> None:
    """A name whose IPv6 address leads nowhere: the run goes by IPv4, and clients that try IPv6 first wait."""
    rig = Rig("persistent,close", SILENT)
    rig.run()
    (warning,) = rig.reported("warning")
    assert warning["code"] == "first_request_failed"
    assert warning["message"].startswith("192.0.2.1 did not answer within 10.0 s, so connections go to 192.0.2.2: ")


@pytest.mark.parametrize("failure", [REFUSED, (ErrorKind.CONNECT_UNREACHABLE, "Network is unreachable")])
def test_an_address_that_fails_at_once_costs_nothing_to_tell_of(failure: Any) -> None:
    rig = Rig("persistent", failure)
    rig.run()
    assert rig.reported("warning") == []


def test_a_silent_address_that_is_used_again_is_not_told_of() -> None:
    """No address answered the first time; all are tried again."""
    rig = Rig("persistent", SILENT, REFUSED)
    rig.run()
    (warning,) = rig.reported("warning")
    assert warning["message"].startswith("the first request failed 1 time: connect refused; it was sent again")


def test_where_an_answer_is_not_needed_a_failure_is_a_warning() -> None:
    rig = Rig("persistent", *ALWAYS_REFUSED, must_answer=False)
    rig.run()
    (warning,) = rig.reported("warning")
    assert warning["code"] == "target_failed"
    assert len(rig.engine.ran) == 2


def test_a_refused_upgrade_says_nothing_about_other_protocols() -> None:
    rig = Rig("websocket,persistent", NO_UPGRADE, seed=_seed_with_first("websocket"))
    rig.run()
    (warning,) = rig.reported("warning")
    assert warning["message"].startswith("websocket: http://h:81/: upgrade refused: 404")
    assert rig.engine.preflights == 2  # the other protocol has one of its own


def test_a_refused_upgrade_ends_a_run_that_has_nothing_else() -> None:
    with pytest.raises(TargetError, match="does this path speak WebSocket"):
        Rig("websocket", NO_UPGRADE).run()


def test_a_failure_on_the_way_to_the_server_hits_every_protocol() -> None:
    rig = Rig("websocket,persistent", *ALWAYS_REFUSED, seed=_seed_with_first("websocket"))
    with pytest.raises(TargetError):
        rig.run()


def _seed_with_first(policy: str) -> int:
    """A seed under which this one of two policies has the run's first block."""
    for seed in range(100):
        plan = Plan(parse_target("http://h/"), parse_policies("websocket,persistent"), seed=seed)
        if next(blocks(plan)).cell.name == policy:
            return seed
    raise AssertionError


@pytest.mark.parametrize(
    ("failure", "blamed"),
    [
        (REFUSED, "the proxy p:3128, on the way to http://h:81/"),
        ((ErrorKind.RESPONSE_TIMEOUT, "no answer"), "http://h:81/ by way of p:3128"),
    ],
)
def test_with_a_proxy_between_the_right_one_is_blamed(failure: tuple[ErrorKind, str], blamed: str) -> None:
    rig = Rig("persistent", *[failure] * 10, proxy="http://p:3128")
    with pytest.raises(TargetError) as caught:
        rig.run()
    assert str(caught.value).startswith(f"{blamed}: ")


def test_a_proxy_is_asked_once_with_a_tunnel_and_once_without() -> None:
    rig = Rig("persistent,websocket", proxy="http://p:3128")
    rig.run()
    assert rig.engine.preflights == 2


def test_connections_that_only_carried_a_challenge_are_counted() -> None:
    rig = Rig("websocket", (ErrorKind.PROXY_AUTHENTICATION, "407"), proxy="http://u:p@p:3128")
    rig.route.login.wanted = False

    rig.engine.on_preflight = lambda: setattr(rig.route.login, "wanted", True)  # its 407 says so
    facts = rig.run()
    assert facts[0]["challenge"] == {"connections": 1, "errors": 1}
    assert "challenge" not in facts[1]


def test_an_interruption_during_the_first_request_is_no_failure() -> None:
    rig = Rig("persistent", REFUSED)

    def preflight() -> tuple[ErrorKind, str] | None:
        rig.engine.interrupted = True
        return REFUSED

    rig.engine.preflight = preflight  # type: ignore[method-assign] # Ctrl-C
    rig.run()
    assert rig.reported("warning") == []


def test_an_interruption_between_two_tries_does_not_say_that_the_run_began() -> None:
    rig = Rig("persistent", *[REFUSED] * 6)

    def interrupt() -> None:
        rig.engine.interrupted = rig.engine.preflights == 4  # the first two tries, each at both addresses, are over

    rig.engine.on_preflight = interrupt
    rig.run()
    assert rig.engine.preflights == 4
    assert rig.reported("warning") == []


def test_after_a_pilot_the_first_request_is_tried_once_and_any_status_will_do() -> None:
    rig = Rig("persistent", has_answered=True)
    rig.engine.observed = {"status": 503}
    rig.run()
    assert (rig.engine.preflights, rig.reported("warning")) == (1, [])
    gone = Rig("persistent", *ALWAYS_REFUSED, has_answered=True)
    with pytest.raises(TargetError, match="connect refused"):
        gone.run()
    assert gone.engine.pauses_s == []


@pytest.mark.parametrize(
    ("certificate", "status", "warns"), [("missing", 400, True), ("missing", 200, False), (None, 400, False)]
)
def test_a_server_that_asked_in_vain_for_a_client_certificate(
    certificate: str | None, status: int, warns: bool
) -> None:
    rig = Rig("persistent")
    rig.engine.observed = {"status": status, "tls": {"client_certificate": certificate}}
    rig.run()
    codes = [one["code"] for one in rig.reported("warning")]
    assert codes == (["client_certificate_missing"] if warns else [])
