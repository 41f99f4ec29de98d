"""The chain's numbers: what a mix of gaps loses, how well that is known, and which drive of requests is counted."""

from __future__ import annotations

import random
import socket
from dataclasses import replace
from math import exp, inf
from statistics import mean

import pytest

from loadgen.model.audit import Verdict
from loadgen.model.proxy import parse_proxy
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS, NS_PER_S
from loadgen.probe.audit import Audit
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.chain import PROBES
from loadgen.probe.chain.gap_cells import (
    GapCell,
    LossShare,
    agree,
    cells_around,
    counted,
    exponential_gaps,
    per_million,
    predicted,
)
from loadgen.probe.chain.gap_drive import GapDrive, OutOfTime
from loadgen.probe.chain.origin import no_chain
from loadgen.probe.finding import Finding
from loadgen.probe.probe import Probe
from loadgen.probe.session import AuditState, ProbeSession
from tests.support.audits import audit, finding
from tests.support.careless_proxy import careless_proxy
from tests.support.processes import read_request, scripted_server

MEAN_NS = 1_000
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"


def test_the_cells_have_every_gap() -> None:
    cells = cells_around(980, 1_020, 10)
    assert [cell.name for cell in cells] == ["before", "race", "after", "after", "after", "beyond"]
    assert (cells[0].low_ns, cells[0].high_ns, cells[1].high_ns, cells[-1].high_ns) == (0, 970, 1_030, inf)
    assert [cell.high_ns for cell in cells[:-1]] == [cell.low_ns for cell in cells[1:]]
    assert sum(cell.weight(MEAN_NS) for cell in cells) == pytest.approx(1)


def tried(tries: int, lost_after: int) -> list[GapCell]:
    cells = cells_around(MEAN_NS, MEAN_NS, 0)
    for cell in cells[:-1]:
        cell.tries = tries
        cell.lost = lost_after if cell.name == "after" else 0
    return cells


def test_losses_per_million_have_as_many_digits_as_are_known() -> None:
    assert per_million(LossShare(0.002_059_4, 0.000_375_5, 0.189_36)) == "2,100 (380 to 190,000)"
    assert per_million(LossShare(0.0, 0.0, 1.0)) == "0 (0 to 1,000,000)"


def test_a_prediction_weighs_what_each_gap_loses() -> None:
    share = predicted(tried(1_000, 1_000), MEAN_NS)
    assert share.middle == pytest.approx(exp(-1))  # the cell beyond is taken to be like the one before it,
    assert share.high == pytest.approx(exp(-1), abs=0.01)
    assert share.low < exp(-1) - exp(-3)  # and may be anything
    none = predicted(tried(1_000, 0), MEAN_NS)
    assert (none.middle, none.low) == (0, 0)
    assert predicted(tried(0, 0), MEAN_NS) == pytest.approx((0, 0, 1))


def test_intervals_hold_as_often_as_they_say() -> None:
    """A chain that loses 4 of 10 requests after the origin's timeout, predicted and counted 400 times."""
    chance = random.Random(5)  # a simulation
    truth = 0.4 * exp(-1)
    held = agreed = 0
    for _ in range(400):
        cells = cells_around(MEAN_NS, MEAN_NS, 0)
        for cell in cells:
            cell.tries = 20
            cell.lost = sum(cell.low_ns >= MEAN_NS and chance.random() < 0.4 for _ in range(cell.tries))
        forecast = predicted(cells, MEAN_NS)
        count = counted(sum(chance.random() < truth for _ in range(60)), 60)
        held += forecast.low <= truth <= forecast.high
        agreed += agree(forecast, count)
    assert held >= 376
    assert agreed >= 376
    assert not agree(predicted(tried(40, 40), MEAN_NS), counted(0, 40))


def test_gaps_are_spread_over_the_distribution() -> None:
    gaps_ns = exponential_gaps(200, NS_PER_S)
    assert mean(gaps_ns) == pytest.approx(NS_PER_S, rel=0.05)
    assert sum(gap_ns < 0.6931 * NS_PER_S for gap_ns in gaps_ns) in (99, 100, 101)
    assert gaps_ns != sorted(gaps_ns)
    assert exponential_gaps(0, NS_PER_S) == []


class Front:
    """Answers requests whose numbers are in `lost` with 502, and closes at those in `closed`."""

    def __init__(self, lost: set[int], closed: set[int]) -> None:
        self.requests = 0
        self._lost = lost
        self._closed = closed

    def __call__(self, connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            self.requests += 1
            if self.requests in self._closed:
                return
            connection.sendall(GATEWAY if self.requests in self._lost else HELLO)


def session_for(port: int) -> tuple[AuditState, ProbeSession]:
    state = AuditState.of(AuditPlan(target=parse_target(f"http://127.0.0.1:{port}/")))
    return state, ProbeSession(state, "test", 50, 50)


def test_a_drive_counts_what_came_instead_of_a_response() -> None:
    with scripted_server(Front(lost={1, 3}, closed={5, 7, 9})) as port:
        _, session = session_for(port)
        with GapDrive(session, session.until_ns(NS_PER_S)) as drive:
            # Each loss is followed by a request that has to be answered before the next gap begins.
            # A close is believed where it meets a new connection of the client's too: 5 with 7, but not 9 with 11.
            assert [drive.is_lost(NS_PER_MS) for _ in range(4)] == [True, True, False, False]
            with pytest.raises(OutOfTime):
                drive.is_lost(2 * NS_PER_S)
    assert (drive.requests, dict(drive.losses)) == (4, {"502": 1, "closed": 1})


def test_a_gap_that_another_request_disturbed_is_tried_again() -> None:
    front = Front(set(), set())
    with scripted_server(front) as port:
        state, session = session_for(port)
        state.last_sent_ns["other"] = session.now_ns() + 30 * NS_PER_MS
        with GapDrive(session, session.until_ns(NS_PER_S)) as drive:
            assert not drive.is_lost(20 * NS_PER_MS)
    assert front.requests > 2  # undisturbed: one before the gap, and the one that counts


def test_probes_that_keep_asking_begin_after_those_that_need_quiet() -> None:
    order: list[str] = []

    def probe(name: str, **fields: bool) -> Probe:
        def run(_session: ProbeSession) -> Finding:
            order.append(name)
            return Finding(verdict=Verdict.OK, measured="")

        return Probe(
            name=name, title="", question="?", method=".", section="", requests=0, connections=0, run=run, **fields
        )

    loud, usual = probe("loud", waits=True, keeps_asking=True), probe("usual", waits=True)
    with scripted_server(Front(set(), set())) as port:
        plan = AuditPlan(target=parse_target(f"http://127.0.0.1:{port}/"))
        Audit(plan, [loud, usual, probe("quick"), probe("quiet", needs_quiet=True)]).run()
        assert order[-1] == "loud"
        order.clear()
        Audit(plan, [loud, usual, probe("quick")]).run()
    assert order.index("loud") < order.index("usual")


def test_without_a_chain_there_is_nothing_to_ask() -> None:
    plan = AuditPlan(target=parse_target("https://h/"))
    assert "--origin" in no_chain(plan)
    itself = replace(plan, origin=parse_target("https://h/other"))
    assert "the target itself" in no_chain(itself)
    assert no_chain(replace(itself, origin=parse_target("https://h:444/"))) == ""
    assert "tunnel" in no_chain(replace(plan, proxy=parse_proxy("http://p:1")))
    assert all(probe.not_for is no_chain for probe in PROBES)


def test_an_origin_that_is_no_loadgen_target() -> None:
    """What only the target tells is unknown; its idle timeout and the losses are measured all the same."""

    def brief(connection: socket.socket, _number: int) -> None:
        connection.settimeout(0.05)
        while read_request(connection):
            connection.sendall(HELLO)

    with scripted_server(brief) as port, careless_proxy(port, repeats=1) as url:
        found = audit(
            url, "hop_by_hop_fields", "upstream_idle_timeout", "chain_losses",
            origin=parse_target(f"http://127.0.0.1:{port}/"), idle_max_ns=NS_PER_S // 5, max_time_ns=2 * NS_PER_S,
        )  # fmt: skip
    verdicts = {name: one["verdict"] for name, one in found["findings"].items()}
    assert verdicts == {
        "hop_by_hop_fields": "unknown",
        "upstream_reuse": "unknown",
        "origin_idle_timeout": "ok",
        "upstream_idle_timeout": "unknown",
        "chain_losses": "ok",
    }
    assert found["findings"]["chain_losses"]["values"]["way"] == "unseen"
    assert 45 * NS_PER_MS < found["findings"]["origin_idle_timeout"]["values"]["timeout_ns"] < 120 * NS_PER_MS  # type: ignore[operator] # a number


def test_an_origin_that_closes_after_each_response() -> None:
    def closes(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        connection.sendall(HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    with scripted_server(closes) as port, careless_proxy(port) as url:
        found = finding(url, "chain_losses", origin=parse_target(f"http://127.0.0.1:{port}/"))
    assert (found["verdict"], found["measured"][:15]) == ("ok", "nothing to lose")


def test_an_origin_whose_idle_timeout_is_not_known() -> None:
    """It answers once and no more: nothing is said then of what the chain loses."""

    def once(connection: socket.socket, number: int) -> None:
        if read_request(connection) and number == 0:
            connection.sendall(HELLO)

    with scripted_server(once) as origin, scripted_server(Front(set(), set())) as port:
        found = audit(
            f"http://127.0.0.1:{port}/", "chain_losses",
            origin=parse_target(f"http://127.0.0.1:{origin}/"), max_time_ns=2 * NS_PER_S,
        )["findings"]  # fmt: skip
    assert (found["origin_idle_timeout"]["verdict"], found["chain_losses"]["verdict"]) == ("unknown", "unknown")
    assert found["origin_idle_timeout"]["measured"] == "the server closed the connection instead of answering"
    assert found["chain_losses"]["measured"] == "the origin's idle timeout is not known"
