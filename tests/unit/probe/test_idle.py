"""Idle timeouts: what closes say together, and what the probes make of servers by script."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import gevent
import pytest

from loadgen.model.audit import FindingRecord, Verdict
from loadgen.model.proxy import parse_proxy
from loadgen.model.target import parse_target
from loadgen.model.units import NS_PER_MS, NS_PER_S
from loadgen.probe.audit import Audit
from loadgen.probe.audit_plan import AuditPlan
from loadgen.probe.finding import Finding, unknown
from loadgen.probe.idle import held_up, idle_timeout, stale_window
from loadgen.probe.idle.close_text import ending_text, status_of
from loadgen.probe.idle.closes import Close, idle_times
from loadgen.probe.idle.idle_finding import Watched, finding_of_closes, never_idle, times_text
from loadgen.probe.idle.partial_request import PartialEnd, partial_finding
from loadgen.probe.idle.stale_tries import StaleOutcome, StaleRange, StaleTry, limit_text, stale_finding
from loadgen.probe.idle.timeout_owner import with_owner
from loadgen.probe.registry import PROBES, choose
from loadgen.probe.session import AuditState, ProbeSession
from tests.support.audits import audit, finding, findings_of
from tests.support.processes import BYE, HELLO, Script, read_request, scripted_server
from tests.support.secure_servers import SecureServer, in_turns, server_context, trust
from tests.support.violations.idle import IdleServer, OneAtATime, StopsReading
from tests.support.violations.persistence import keeps, serves

TIMEOUT_408 = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def ms(value: float) -> int:
    return int(value * NS_PER_MS)


def closes(*pairs: tuple[float, float]) -> list[Close]:
    """Pairs of milliseconds: since when a connection was idle, and when it was closed."""
    return [Close(ms(idle), ms(closed), "fin") for idle, closed in pairs]


def found_by(name: str, scripts: Mapping[str, Script], **plan: int) -> dict[str, FindingRecord]:
    """What one probe finds out about several servers at the same time."""
    with ExitStack() as stack:
        ports = {one: stack.enter_context(scripted_server(script)) for one, script in scripts.items()}
        return findings_of({one: f"http://127.0.0.1:{port}/" for one, port in ports.items()}, name, **plan)


# What closes say together


def test_a_timer_closes_at_one_idle_time() -> None:
    found = idle_times(closes(*((60 * one, 60 * one + 2_000 + one % 3) for one in range(20))))
    assert (found.shape, found.period_ns) == ("timer", 0)
    assert (found.timeout_ns, found.min_ns, found.max_ns) == (ms(2_001), ms(2_000), ms(2_002))
    assert found.low_ns <= found.timeout_ns <= found.high_ns
    assert times_text(found) == "2.00 s [2.00, 2.00]"


def test_a_response_that_may_have_been_read_late_shortens_no_idle_time() -> None:
    late = [Close(ms(60 * one + 150), ms(60 * one + 2_000), "fin", asked_ns=ms(60 * one - 60)) for one in range(6)]
    prompt = [Close(ms(60 * one), ms(60 * one + 2_000), "fin", asked_ns=ms(60 * one - 1)) for one in range(6, 20)]
    found = idle_times([*late, *prompt])
    assert (found.shape, found.timeout_ns, found.min_ns) == ("timer", ms(2_000), ms(2_000))
    assert idle_times(late).min_ns == ms(1_850)  # they are all that there is


def test_one_stall_is_no_sweep() -> None:
    found = idle_times(closes(*((60 * one, 60 * one + 2_000 + (200 if one == 7 else 0)) for one in range(20))))
    assert (found.shape, found.timeout_ns) == ("timer", ms(2_000))


@pytest.mark.parametrize("period", [100, 500, 1_000])
@pytest.mark.parametrize("phase", [0, 0.37, 0.9])
def test_a_sweep_shows_its_period_and_the_time_before_which_it_closes_none(period: int, phase: float) -> None:
    timeout, begun = 5_000, [61 * one for one in range(20)]
    swept = [(one, ((one + timeout) / period - phase).__ceil__() * period + phase * period) for one in begun]
    found = idle_times(closes(*swept))
    assert found.shape == "sweep"
    assert found.low_ns <= ms(timeout) <= found.high_ns
    assert abs(found.timeout_ns - ms(timeout)) <= ms(61)
    assert found.period_ns == pytest.approx(ms(period), rel=0.01)
    assert times_text(found).endswith(f"swept every {'1.00 s' if period == 1_000 else f'{period} ms'}")


def test_sweeps_at_uneven_times_have_no_period() -> None:
    early, late = [(60 * one, 2_180) for one in range(3)], [(1_380 + one, 3_417) for one in range(14)]
    found = idle_times(closes(*early, *((60 * one, 2_402) for one in range(3, 6)), *late))
    assert (found.shape, found.period_ns) == ("sweep", 0)
    assert times_text(found) == "2.01 s to 2.22 s"


def test_one_sweep_alone_has_no_period() -> None:
    found = idle_times(closes(*((60 * one, 7_000) for one in range(20))))
    assert (found.shape, found.period_ns, found.timeout_ns) == ("sweep", 0, ms(5_860))
    assert times_text(found) == "5.86 s to 7.00 s"


def test_idle_times_without_order_are_given_as_a_range() -> None:
    found = idle_times(closes(*((60 * one, 60 * one + 1_000 + 37 * (one * 7 % 20)) for one in range(20))))
    assert found.shape == "scattered"
    assert (found.timeout_ns, found.min_ns, found.max_ns) == (ms(1_000), ms(1_000), ms(1_703))
    assert times_text(found) == "between 1.00 s and 1.70 s"


@pytest.mark.parametrize(
    ("ends", "words", "text"),
    [
        (["fin"], [b""], ""),
        (["reset", "reset"], [b"", b""], ", by RST"),
        (["fin", "reset"], [b"HTTP/1.1 408 Request Timeout\r\n\r\n"], ", by FIN or RST, after a 408"),
        (["fin"], [b"bye"], ", after unasked bytes"),
    ],
)
def test_how_it_ended(ends: list[str], words: list[bytes], text: str) -> None:
    assert ending_text(ends, words) == text


def test_a_status_code() -> None:
    assert [status_of(one) for one in (b"HTTP/1.1 408 Timeout\r\n", b"HTTP/1.1 4", b"", b"HTTP/2 408")] == [
        408,
        0,
        0,
        0,
    ]


# The idle timeout


def keeps_longer_after_two(connection: socket.socket, _number: int) -> None:
    for timeout_s in (20, 0.2, 0.5):
        connection.settimeout(timeout_s)
        if not read_request(connection):
            return
        connection.sendall(HELLO)


def test_the_idle_timeout_and_how_it_ends() -> None:
    found = found_by(
        "idle_timeout",
        {
            "plain": IdleServer(0.3),
            "announced": IdleServer(1.05, keep_alive="timeout=1"),
            "reset": IdleServer(0.3, resets=True),
            "408": IdleServer(0.3, last_words=TIMEOUT_408),
            "two": keeps_longer_after_two,
            "never idle": serves(BYE),
            "at once": serves(HELLO),
        },
    )
    verdicts = {one: record["verdict"] for one, record in found.items()}
    assert verdicts == {
        "plain": "ok", "announced": "ok", "reset": "note", "408": "note", "two": "ok", "never idle": "note",
        "at once": "warning",
    }  # fmt: skip
    for name, timeout_s in (("plain", 0.3), ("announced", 1.05), ("reset", 0.3), ("408", 0.3)):
        timeout_ns = found[name]["values"]["timeout_ns"]
        assert isinstance(timeout_ns, int)
        assert abs(timeout_ns - timeout_s * NS_PER_S) < ms(100), name
    assert found["announced"]["announced"] == "Keep-Alive: timeout=1"
    assert found["reset"]["values"]["ended_by"] == "reset"
    assert found["408"]["values"]["last_status"] == 408
    assert found["408"]["measured"].endswith(", after a 408")
    assert {"after_one_response_ns", "after_two_responses_ns"} <= found["two"]["values"].keys()
    assert re.fullmatch(r"(19|2\d)\d ms after one response, (49|5\d)\d ms after two", found["two"]["measured"])
    assert found["at once"]["measured"].startswith("closed at once, ")
    assert found["never idle"]["measured"] == "never idle: each response ends its connection"


def test_a_server_that_never_closes_and_a_way_that_forgets_connections() -> None:
    over = threading.Event()

    def forgets(connection: socket.socket, _number: int) -> None:
        for _ in range(2):
            if read_request(connection):
                connection.sendall(HELLO)
        over.wait(10)

    scripts = {"keeps": IdleServer(20), "forgets": forgets}
    found = found_by("idle_timeout", scripts, idle_max_ns=ms(200), timeout_ns=ms(150))
    over.set()
    assert (found["keeps"]["verdict"], found["forgets"]["verdict"]) == ("note", "warning")
    assert found["keeps"]["measured"].startswith("longer than 20")
    assert found["forgets"]["measured"].endswith("but dead by then")
    assert found["forgets"]["values"]["dead"]


_WATCHES = ("idle_timeout", "header_timeout")


@pytest.mark.parametrize(
    ("timeout_s", "announced_s", "verdict"),
    [(6, 5, "ok"), (60, 65, "warning"), (60, 61, "ok"), (75, 60, "ok"), (20, 5, "note"), (4.95, 5, "ok")],
)
def test_what_is_announced_against_what_is_done(timeout_s: float, announced_s: int, verdict: str) -> None:
    seen = Watched(closes(*((60 * one, 60 * one + 1_000 * timeout_s) for one in range(20))))
    seen.announced_ns = announced_s * NS_PER_S
    assert finding_of_closes(seen).verdict.value == verdict


def test_a_response_that_was_read_late_accuses_no_server() -> None:
    """This machine was busy: 150 ms of the idle time were over when it read the responses."""
    seen = Watched([Close(ms(one), ms(one + 2_900), "fin", asked_ns=ms(one - 150)) for one in range(20)])
    seen.announced_ns = 3 * NS_PER_S
    assert finding_of_closes(seen).verdict.value == "ok"


def test_the_end_of_the_audit_and_an_interruption_leave_what_is_known() -> None:
    with scripted_server(IdleServer(20)) as port:
        plan = AuditPlan(target=parse_target(f"http://127.0.0.1:{port}/"), max_time_ns=ms(800))
        over, interrupted = Audit(plan, choose(_WATCHES, ())), Audit(plan, choose(_WATCHES, ()))
        gevent.spawn_later(0.3, interrupted.interrupt)
        at_work = [gevent.spawn(one.run) for one in (over, interrupted)]
        first, second = ([one.get()["findings"][name] for name in _WATCHES] for one in at_work)
    assert [one["verdict"] for one in (*first, *second)] == ["note", "ok", "unknown", "unknown"]
    assert all(one["measured"].endswith("then interrupted") for one in second)
    for one in (*first, *second):
        longer_ns = one["values"]["longer_than_ns"]
        assert isinstance(longer_ns, int)
        assert 0 < longer_ns < ms(800)


# Requests that stop half way


@pytest.mark.parametrize("name", ["first_request_timeout", "header_timeout"])
def test_a_request_that_does_not_come(name: str) -> None:
    scripts = {
        "408": IdleServer(0.3, last_words=TIMEOUT_408),
        "reset": IdleServer(0.3, resets=True),
        "never": IdleServer(20),
    }
    found = found_by(name, scripts, idle_max_ns=ms(500))
    assert [one["verdict"] for one in found.values()] == ["ok", "ok", "ok"]
    for one in (found["408"], found["reset"]):
        assert isinstance(one["values"]["timeout_ns"], int)
        assert abs(one["values"]["timeout_ns"] - ms(300)) < ms(100)
    assert found["408"]["values"]["last_status"] == 408
    assert found["408"]["measured"].endswith(", after a 408")
    assert found["reset"]["measured"].endswith(", by RST")
    assert re.match(r"longer than 5\d\d ms", found["never"]["measured"])


def test_a_body_that_stops_half_way() -> None:
    def waits_for_the_body(connection: socket.socket, number: int) -> None:
        data = read_request(connection)
        if b"Content-Length: 13" in data and not data.endswith(b"probe"):
            IdleServer(0.3, last_words=TIMEOUT_408)(connection, number)
        elif data:
            connection.sendall(BYE)

    found = found_by("body_timeout", {"waits": waits_for_the_body, "answers": keeps(HELLO)}, idle_max_ns=ms(800))
    assert found["waits"]["values"]["last_status"] == 408
    assert found["answers"]["values"] == {"answered_status": 200}
    assert found["answers"]["measured"] == "answered 200 at once, without the rest of the body"


def test_a_server_that_one_silent_client_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_up, "_MIN_WAIT_NS", ms(150))
    found = found_by("first_request_timeout", {"one": OneAtATime(), "many": keeps(HELLO)}, idle_max_ns=ms(300))
    assert (found["one"]["verdict"], found["many"]["verdict"]) == ("warning", "ok")
    assert found["one"]["values"] == {"held_up_by": 1}


def test_a_silent_client_that_stops_even_handshakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(held_up, "_MIN_WAIT_NS", ms(150))
    server = OneAtATime(SecureServer(in_turns(server_context())).script)
    with scripted_server(server) as port:
        found = finding(f"https://127.0.0.1:{port}/", "header_timeout", **trust(tmp_path))
    assert (found["verdict"], found["values"]) == ("warning", {"held_up_by": 1})


def test_a_limit_that_is_missing_is_worth_a_note_after_a_minute() -> None:
    verdicts = [
        partial_finding([PartialEnd(after_s * NS_PER_S, "", b"")], "the rest", "").verdict for after_s in (8, 80)
    ]
    assert verdicts == ["ok", "note"]


def test_a_server_with_few_places_leaves_room_for_other_probes() -> None:
    places = threading.Semaphore(4)

    def crowded(connection: socket.socket, _number: int) -> None:
        with places:
            while read_request(connection):
                connection.sendall(HELLO)

    found = found_by("idle_timeout", {"crowded": crowded}, timeout_ns=ms(300), idle_max_ns=ms(900))["crowded"]
    assert found["values"]["served_at_once"] == 4
    assert found["values"]["kept"] == 2


def test_an_end_with_the_second_response_is_no_idle_timeout() -> None:
    at_once = [Close(ms(one), ms(one) + 1_000, "fin", responses=2) for one in range(10)]
    kept = Watched(at_once, kept_ns=[ms(4_000)] * 10)
    kept.forget_second_responses()
    assert kept.closes == []
    timed = Watched([*at_once, *closes(*((one, one + 2_000) for one in range(10)))])
    timed.forget_second_responses()
    assert idle_times(timed.closes).timeout_ns == ms(2_000)
    each = Watched([*at_once, *(Close(ms(one), ms(one) + 1_000, "fin") for one in range(10))])
    each.forget_second_responses()
    assert idle_times(each.closes).shape == "at once"


def test_without_place_for_idle_connections_nothing_is_said_of_them() -> None:
    found = never_idle(Watched(served_at_once=1))
    assert (found.verdict, "serves 1 connection at once" in found.measured) == ("unknown", True)
    assert never_idle(Watched(served_at_once=1, not_kept=5)).verdict == "note"


# Requests that meet the idle timeout

IDLE_3_S = {"shape": "timer", "timeout_low_ns": ms(3_000), "timeout_high_ns": ms(3_002), "min_ns": ms(2_999)}
AROUND_3_S = StaleRange.around(IDLE_3_S | {"max_ns": ms(3_020)}, rtt_ns=ms(1))


def tries(closed_from_ms: float, died: Collection[int] = (), refused: Collection[int] = ()) -> list[StaleTry]:
    """40 tries at a server that closes at that idle time."""
    found: list[StaleTry] = []
    for number in range(40):
        idle_ns = AROUND_3_S.part(number, 40)
        outcome = StaleOutcome.CLOSED_BEFORE if idle_ns >= ms(closed_from_ms) else StaleOutcome.ANSWERED
        if outcome is StaleOutcome.ANSWERED and number in died:
            outcome = StaleOutcome.DIED
        found.append(StaleTry(idle_ns, StaleOutcome.REFUSED if number in refused else outcome))
    return found


def test_the_idle_times_that_are_tried_lie_evenly_around_the_timeout() -> None:
    assert (AROUND_3_S.first_ns, AROUND_3_S.last_ns) == (ms(2_950), ms(3_052))
    parts = sorted(AROUND_3_S.part(number, 40) for number in range(40))
    assert parts[0] - ms(2_950) == ms(3_052) - parts[-1] == ms(102) / 80
    assert {later - earlier for earlier, later in pairwise(parts)} == {ms(102) // 40}
    far = StaleRange.around({"shape": "sweep", "min_ns": ms(2_000), "max_ns": ms(2_900)}, rtt_ns=ms(100))
    assert (far.first_ns, far.last_ns) == (ms(1_700), ms(3_200))


def test_each_idle_time_is_tried_once() -> None:
    counts = range(1, 41)
    assert [len({AROUND_3_S.part(number, count) for number in range(count)}) for count in counts] == list(counts)


def test_nothing_is_lost() -> None:
    found = stale_finding(tries(3_001), IDLE_3_S, AROUND_3_S, rtt_ns=ms(1))
    assert found.verdict == "ok"
    assert found.measured == "0 of 20 died (0% to 16%); safe up to 2.89 s"
    assert found.values.items() >= {"tries": 40, "sent": 20, "died": 0, "closed_before": 20, "rate": 0.0}.items()
    assert found.advice == "set the client's idle limit to 2.89 s or less"


def test_an_early_loss_may_only_be_a_response_that_was_read_late() -> None:
    early = min(range(40), key=lambda one: AROUND_3_S.part(one, 40))
    found = [replace(one, late_ns=ms(40)) for one in tries(3_001, died=[early])]
    assert stale_finding(tries(3_001, died=[early]), IDLE_3_S, AROUND_3_S, rtt_ns=ms(1)).verdict == "warning"
    assert stale_finding(found, IDLE_3_S, AROUND_3_S, rtt_ns=ms(1)).verdict == "note"


def test_losses_at_the_close_are_what_tcp_allows_and_earlier_ones_are_not() -> None:
    last = max(
        (one for one in range(40) if AROUND_3_S.part(one, 40) < ms(3_001)), key=lambda one: AROUND_3_S.part(one, 40)
    )
    first = min(range(40), key=lambda one: AROUND_3_S.part(one, 40))
    at_close = stale_finding(tries(3_001, died=[last]), IDLE_3_S, AROUND_3_S, rtt_ns=ms(1))
    early = stale_finding(tries(3_001, died=[first]), IDLE_3_S, AROUND_3_S, rtt_ns=ms(1))
    assert (at_close.verdict, early.verdict) == ("note", "warning")
    for one in (at_close, early):
        assert one.values["window_ns"] == ms(102) // 40
        assert one.values["rate"] == 1 / 20
        assert one.advice is not None
        assert one.advice.endswith(
            "whether a lost request reached the application can't be known, so retry only idempotent ones"
        )
    assert isinstance(early.values["safe_idle_ns"], int)
    assert early.values["safe_idle_ns"] < AROUND_3_S.first_ns - ms(98)


def test_a_408_is_a_loss_that_is_known() -> None:
    found = stale_finding(tries(3_001, refused=[0]), IDLE_3_S, AROUND_3_S, rtt_ns=ms(1))
    assert (found.verdict, found.values["refused"], found.values["died"]) == ("note", 1, 0)


@pytest.mark.parametrize(
    ("value_ms", "text"), [(73_450, "73.4 s"), (3_899, "3.89 s"), (1_900, "1.90 s"), (190.9, "190 ms")]
)
def test_a_limit_is_rounded_down(value_ms: float, text: str) -> None:
    assert limit_text(ms(value_ms)) == text


def test_requests_around_the_idle_timeout_of_servers() -> None:
    scripts = {
        "closes": IdleServer(0.4),
        "resets": IdleServer(0.4, resets=True),
        "keeps": IdleServer(20),
        "ends": serves(BYE),
        "ends unsaid": serves(HELLO),
        "stops reading": StopsReading(0.35, 0.4),
    }
    found = found_by("stale_window", scripts, idle_max_ns=ms(1_000))
    for name in ("closes", "resets"):
        values = found[name]["values"]
        assert isinstance(values["safe_idle_ns"], int)
        assert ms(200) <= values["safe_idle_ns"] < ms(400)
        assert isinstance(values["answered"], int)
        assert isinstance(values["closed_before"], int)
        assert values["answered"] >= 1 <= values["closed_before"]
    window = found["stops reading"]["values"]
    assert isinstance(window["window_low_ns"], int)
    assert isinstance(window["window_high_ns"], int)
    assert window["window_low_ns"] <= ms(50) <= window["window_high_ns"]
    assert found["keeps"]["measured"].startswith("no idle connection was closed within 1.0")
    assert found["ends"]["measured"] == found["ends unsaid"]["measured"] == "no connection is ever idle"
    assert {found["keeps"]["verdict"], found["ends"]["verdict"]} == {"ok"}


def test_a_long_timeout_does_not_pass_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle_timeout, "_STAGGER_S", 0.01)
    monkeypatch.setattr(stale_window, "_PATIENCE_NS", ms(250))
    monkeypatch.setattr(stale_window, "_SPREAD_S", 0.2)
    with scripted_server(IdleServer(0.8)) as port:
        record = audit(f"http://127.0.0.1:{port}/", "stale_window")
    assert record["duration_ns"] < ms(2 * 800)
    assert 35 < record["findings"]["stale_window"]["values"]["tries"] <= 40  # a busy machine misses the moment of some
    assert record["requests"] <= record["max_requests"]


def test_a_proxy_that_forwards_has_timeouts_of_its_own() -> None:
    with scripted_server(IdleServer(0.3)) as port:
        proxy = parse_proxy(f"http://127.0.0.1:{port}")
        record = audit("http://test.invalid/", "idle_timeout", "header_timeout", proxy=proxy)
    for found in record["findings"].values():
        assert found["measured"].startswith("the proxy's: 30")


@pytest.mark.parametrize(("status", "verdict"), [(b"200 OK", "warning"), (b"503 Service Unavailable", "ok")])
def test_a_response_before_any_request(status: bytes, verdict: str) -> None:
    def greets(connection: socket.socket, number: int) -> None:
        if number:
            connection.sendall(HELLO.replace(b"200 OK", status))
        keeps(HELLO)(connection, number)

    with scripted_server(greets) as port:
        found = finding(f"http://127.0.0.1:{port}/", "first_request_timeout", idle_max_ns=ms(200))
    assert found["verdict"] == verdict
    assert found["measured"].endswith("at once, without a first request")


def test_a_timeout_that_is_not_known_has_no_owner() -> None:
    target, proxy = parse_target("http://test.invalid/"), parse_proxy("http://127.0.0.1:9")
    session = ProbeSession(AuditState.of(AuditPlan(target=target, proxy=proxy)), "idle_timeout", 1, 1)
    assert with_owner(session, unknown("interrupted")).measured == "interrupted"
    direct = ProbeSession(AuditState.of(AuditPlan(target=target)), "idle_timeout", 1, 1)
    assert with_owner(direct, Finding(verdict=Verdict.OK, measured="5 s")).measured == "5 s"


def test_a_timeout_is_cited_from_the_section_on_timeouts() -> None:
    """RFC 9112 §9.5 is "Failures and Timeouts", §9.8 "TLS Connection Closure"."""
    cited = {probe.name: probe.section for probe in PROBES if "idle" in probe.name and "9112" in probe.section}
    assert set(cited) >= {"idle_timeout", "origin_idle_timeout", "upstream_idle_timeout", "idle_mismatch"}
    assert set(cited.values()) == {"RFC 9112 §9.5"}
