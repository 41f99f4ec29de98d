"""The verdict of runs that met redirects and errors instead of answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadgen.model.errors import ErrorKind
from loadgen.model.proxy import parse_proxy
from tests.support.synthetic import MS, OPEN, US, Exchange, Link, RunWriter, plan_json
from tests.support.synthetic_upgrades import UPGRADED

ROUNDS = 2


def answered(
    directory: Path, policies: str, *outcomes: int, proxy: str = "", url: str = "http://h/", to: str = ""
) -> str:
    """The verdict where the policies were given these statuses, in turns."""
    plan = plan_json(policies, ROUNDS, url, proxy=parse_proxy(proxy) if proxy else None)
    writer = RunWriter(directory / "run", plan)
    facts = {"redirected_to": to} if to else {}
    for number in range(ROUNDS):
        for turn, name in enumerate(policies.split(",")):
            exchanges = [
                Exchange(at * MS, wait=(100 + at) * US, outcome=outcomes[turn % len(outcomes)]) for at in range(9)
            ]
            writer.block(name, number, [Link(exchanges, flags=UPGRADED if name.startswith("h2") else OPEN)], **facts)
    said: str = writer.summary()["verdict"]
    return said


PROXY = "http://user:password@127.0.0.1:3128"


@pytest.mark.parametrize(
    ("proxy", "url", "policies", "outcomes", "said"),
    [
        ("", "http://h/", "persistent,close", (404,), "every response was an error (404)"),
        ("", "http://h/", "persistent,close", (503, 404), "every response was an error (404, 503)"),
        ("", "http://h/", "persistent", (500,), "every response was an error (500)"),
        (
            "",
            "http://h/",
            "persistent",
            (400,),
            "every response was an error (400) (does this port speak TLS? Then use https://)",
        ),
        ("", "https://h/", "persistent", (400,), "every response was an error (400)"),
        (PROXY, "http://h/", "persistent,close", (401,), "every response was an error (401), perhaps the proxy's own"),
        (PROXY, "https://h/", "persistent,close", (404,), "every response was an error (404)"),
        (PROXY, "http://h/", "persistent,h2-prior", (404,), "every response was an error (404)"),
    ],
)
def test_nothing_but_errors(
    tmp_path: Path, proxy: str, url: str, policies: str, outcomes: tuple[int, ...], said: str
) -> None:
    verdict = answered(tmp_path, policies, *outcomes, proxy=proxy, url=url)
    assert verdict.startswith(f"{said}, so all figures are those of errors; ")
    assert verdict.count("every response") == 1


@pytest.mark.parametrize(
    ("outcomes", "to", "said"),
    [
        ((301,), "https://h/", "every response was a 301 to https://h/, which loadgen does not follow, so all"),
        ((308,), "", "every response was a 308, which loadgen does not follow, so all figures are those of redirects"),
        (
            (302, 301), "/login",
            "every response was a redirect (301, 302 to /login), which loadgen does not follow, so all figures are "
            "those of redirects; ",
        ),
        (
            (301, 503), "/",
            "every response was an error (503) or a redirect (301 to /), which loadgen does not follow, so all figures "
            "are those of redirects and errors; ",
        ),
    ],
)  # fmt: skip
def test_nothing_but_redirects(tmp_path: Path, outcomes: tuple[int, ...], to: str, said: str) -> None:
    assert answered(tmp_path, "persistent,close", *outcomes, to=to).startswith(said)


@pytest.mark.parametrize("outcomes", [(304,), (200,), (200, 304), (101, 200)])
def test_other_statuses_are_answers(tmp_path: Path, outcomes: tuple[int, ...]) -> None:
    assert "respon" not in answered(tmp_path, "persistent,close", *outcomes)


def test_of_many_statuses_the_first(tmp_path: Path) -> None:
    names = "persistent,close,recycle:2,recycle:3,recycle:4"
    said = answered(tmp_path, names, 400, 401, 402, 403, 404)
    assert said.startswith("every response was an error (400, 401, 402, 403, …), so all figures")


@pytest.mark.parametrize("fine", [200, 304])
def test_a_policy_that_met_errors_alone_is_compared_with_none(tmp_path: Path, fine: int) -> None:
    said = answered(tmp_path, "persistent,close", fine, 503, proxy=PROXY)
    assert said == (
        "every response of close was an error (503), so it is compared with no other; persistent answered 18 requests"
    )


def test_the_others_are_still_compared(tmp_path: Path) -> None:
    said = answered(tmp_path, "persistent,close,recycle:2", 200, 301, 200)
    assert said.startswith(
        "every response of close was a 301, which loadgen does not follow, so it is compared with no"
    )
    assert "recycle:2 and persistent show no certain difference" in said
    assert "close and persistent" not in said

    said = answered(tmp_path / "two", "persistent,close,recycle:2", 200, 404, 500)
    assert said.startswith(
        "every response of close was an error (404) and every response of recycle:2 was an error (500), so they are "
        "compared with no other; persistent answered"
    )
    many = "persistent,close,recycle:2,recycle:3,recycle:4"
    assert answered(tmp_path / "many", many, 200, 500, 500, 500, 500).startswith(
        "in 4 of 5, every response was an error (500), so they are compared with no other; "
    )


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (8, ""),
        (9, "50% of the responses were errors (500), so the figures mix errors with other responses; persistent "),
        (17, "94% of the responses were errors (500), so"),
    ],
)  # fmt: skip
def test_a_mixture(tmp_path: Path, bad: int, said: str) -> None:
    writer = RunWriter(tmp_path / "run", plan_json("persistent", 1))
    outcomes = [500] * bad + [200] * (18 - bad)
    writer.block("persistent", 0, [Link([Exchange(at * MS, outcome=one) for at, one in enumerate(outcomes)])])
    verdict = writer.summary()["verdict"]
    assert verdict.startswith(said or "persistent answered")


LOST = -ErrorKind.TRUNCATED
FEW = Link([Exchange(at * MS, outcome=200 if at < 4 else LOST) for at in range(9)])


@pytest.mark.parametrize(
    ("policies", "lost", "said"),
    [
        ("persistent,close", {"close"}, "most requests failed (10 of 18 with close), so the figures are those of the"),
        ("close,gap:1ms,http10,recycle:2", {"close", "gap:1ms", "http10", "recycle:2"}, "most requests of 4 of 4"),
        ("persistent,close", set(), "close "),
    ],
)  # fmt: skip
def test_most_requests_failed(tmp_path: Path, policies: str, lost: set[str], said: str) -> None:
    writer = RunWriter(tmp_path / "run", plan_json(policies, ROUNDS))
    for number in range(ROUNDS):
        for name in policies.split(","):
            writer.block(name, number, [FEW if name in lost else Link([Exchange(at * MS) for at in range(9)])])
    assert writer.summary()["verdict"].startswith(said)
