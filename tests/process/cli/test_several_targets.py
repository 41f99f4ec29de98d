"""`loadgen compare URL URL`: targets take turns, each has its own account, and what differs between them is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import loadgen
from loadgen.measure.data.store import RunStore
from tests.support.processes import QUICK, SHORT_BLOCKS, Nginx, compare, wait_until
from tests.support.processes import loadgen as run_loadgen
from tests.support.proxies import USER, fake_proxy
from tests.support.runs import Start, check_account
from tests.support.targets import Target

DELAY_NS = 20_000_000


def of_target(summary: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The connections of each policy on one target."""
    return [one["connections"] for one in summary["policies"].values() if one["target"] == name]


def check_target(summary: dict[str, Any], name: str, target: Target) -> None:
    """Both sides counted the same, warm-up included."""
    account, connections = target.stats(), of_target(summary, name)
    assert account["accepted"] == sum(one["opened"] for one in connections) > 0
    assert account["requests"] == sum(one["exchanges_with_warmup"] for one in connections)
    assert account["open"] == 0


def check_connections(folder: Path, summary: dict[str, Any]) -> None:
    """A connection's number is its own, whichever target it leads to."""
    columns = RunStore.open(folder).load_samples(tuple(summary["policies"])).columns
    owners: dict[tuple[int, int], set[int]] = {}
    for worker, number, policy in zip(columns["worker"], columns["connection"], columns["policy"], strict=True):
        owners.setdefault((int(worker), int(number)), set()).add(int(policy))
    assert {len(found) for found in owners.values()} == {1}


def pairs(summary: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["baseline"], one["candidate"]) for one in summary["comparisons"]]


def test_three_targets_count_what_the_run_counts_of_each(
    share_target: Start, start_target: Start, nginx: Nginx, no_drawing: None, tmp_path: Path
) -> None:
    """Two embedded ones, of which one is slow, and nginx over TLS, whose log has a line a request."""
    plain, slow, folder = share_target(), start_target("--delay", "20ms"), tmp_path / "run"
    more = ["--target", f"slow={slow.url}", "--target", f"tls={nginx.https}", "--cacert", str(nginx.ca_file)]
    gates = ["--fail-if", "errors > 0", "--fail-if", "slow.close.errors > 0", "--fail-if", "slow/A.mean.ratio < 1"]
    summary = compare(plain.url, folder, *more, *gates, "--users", "3", "--rounds", "5", "--block", "100ms")
    check_account(summary)
    check_target(summary, "A", plain)
    check_target(summary, "slow", slow)
    requests = sum(one["exchanges_with_warmup"] for one in of_target(summary, "tls"))
    wait_until(lambda: len(nginx.log()) >= requests)
    assert len(nginx.log()) == requests
    assert len({line[0] for line in nginx.log()}) == sum(one["opened"] for one in of_target(summary, "tls"))
    check_connections(folder, summary)

    assert all(one["passed"] for one in summary["gates"])
    assert [one[0] for one in summary["plan"]["targets"]] == ["A", "slow", "tls"]
    assert summary["plan"]["url"] == plain.url
    found = summary["environment"]["targets"]
    assert {name: one["tls"] is not None for name, one in found.items()} == {"A": False, "slow": False, "tls": True}
    assert summary["environment"]["target"] == found["A"]
    assert pairs(summary) == [
        ("persistent · A", "persistent · slow"), ("persistent · A", "persistent · tls"),
        ("close · A", "close · slow"), ("close · A", "close · tls"),
        ("persistent · A", "close · A"), ("persistent · slow", "close · slow"), ("persistent · tls", "close · tls"),
    ]  # fmt: skip
    # A server that waits for 20 ms is slower by that, as exactly as its timer and a busy machine let it.
    for one in (summary["comparisons"][0], summary["comparisons"][2]):
        low, high = one["latency_mean_delta_ci95"]
        assert one["p_value"] < 0.05
        assert low > 0
        assert high > 0.75 * DELAY_NS
        assert low < 1.25 * DELAY_NS
    # Among seven comparisons it may be no certain difference, on a busy machine.
    assert summary["verdict_lines"][0].startswith("persistent: slow ")
    assert any(line.startswith(("on slow: close ", "on tls: close ")) for line in summary["verdict_lines"])

    shown = run_loadgen("report", str(folder))
    assert (shown.returncode, "close · slow" in shown.stdout) == (0, True)
    changed = run_loadgen("diff", str(folder), str(folder))
    assert changed.returncode == 0, changed.stderr


def test_workers_and_arrivals_go_to_each_target_until_it_is_known_well_enough(
    share_target: Start, start_target: Start, tmp_path: Path
) -> None:
    old, new = share_target(), start_target("--delay", "5ms")
    more = ["--target", f"new={new.url}", "--rate", "600", "--processes", "2", "--policies", "persistent,recycle:5"]
    precise = ["--rounds", "5", "--until-precision", "100%", "--max-time", "4s"]
    summary = compare(old.url, tmp_path / "run", *more, *precise)
    check_account(summary)
    check_target(summary, "A", old)
    check_target(summary, "new", new)
    check_connections(tmp_path / "run", summary)
    assert summary["precision"]["rounds"] >= 5
    assert {one["arrivals"]["rate_rps"] for one in summary["policies"].values()} == {600.0}


def test_the_same_target_twice_shows_no_difference_and_python_has_it_too(share_target: Start, tmp_path: Path) -> None:
    """A probability of one in a thousand: the run's own claim, at 95 %, would be wrong in one of twenty."""
    target = share_target()
    run = loadgen.compare(
        [target.url, target.url], policies="persistent", users=2, rounds=8, block="100ms", warmup="20ms",
        out=tmp_path / "run", no_charts=True,
    )  # fmt: skip
    (pair,) = run.summary["comparisons"]
    assert (pair["baseline"], pair["candidate"]) == ("persistent · A", "persistent · B")
    assert pair["p_value"] > 0.001
    assert 0.5 < pair["latency_mean_ratio"] < 2
    assert set(run.samples["target"]) == {"A", "B"}
    assert list(run.policies) == ["persistent · A", "persistent · B"]
    connections = of_target(run.summary, "A") + of_target(run.summary, "B")
    assert target.stats()["requests"] == sum(one["exchanges_with_warmup"] for one in connections)
    assert target.stats()["accepted"] == sum(one["opened"] for one in connections)


def test_a_proxy_is_on_the_way_to_each(share_target: Start, tmp_path: Path) -> None:
    """It forwards what goes to the one in clear, and gives tunnels to the other; each way has its own login."""
    secure, plain = share_target("--tls"), share_target()
    with fake_proxy(password="password") as (proxy, port):
        way = ["--proxy", f"http://{USER}:password@127.0.0.1:{port}", "--cacert", str(secure.ca_file)]
        more = ["--target", f"plain={plain.url}", "--users", "2", "--policies", "close"]
        summary = compare(secure.url, tmp_path / "run", *more, *way)
    check_account(summary)
    check_target(summary, "A", secure)
    # The proxy answered one request itself: it asked for the credentials.
    assert plain.stats()["requests"] == of_target(summary, "plain")[0]["exchanges_with_warmup"] - 1
    assert summary["policies"]["close · A"]["phases_ns"]["tunnel"]["count"] > 0
    assert summary["policies"]["close · plain"]["phases_ns"]["tunnel"]["count"] == 0
    kinds = {head.partition(b" ")[0] for head in proxy.heads}
    assert kinds == {b"CONNECT", b"GET"}
    assert "password" not in (tmp_path / "run" / "summary.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("load", [["--users", "1"], []])
def test_a_target_that_does_not_answer_is_named_and_ends_the_run(
    share_target: Start, closed_port: int, tmp_path: Path, load: list[str]
) -> None:
    """With a load that is given, and with a pilot, which asks each target first."""
    absent = f"http://127.0.0.1:{closed_port}/"
    quick = QUICK if load else SHORT_BLOCKS
    done = run_loadgen("compare", share_target().url, absent, "--out", str(tmp_path / "run"), *quick, *load)
    assert done.returncode == 3
    assert f"target B: {absent}: connect refused" in done.stderr
    assert not (tmp_path / "run").exists()
