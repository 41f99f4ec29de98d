"""The report's tables and texts: what the sockets cost, how connections ended, who sent, and which charts are drawn."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from typing import Any

import pytest

from loadgen.measure.labels import labels
from loadgen.measure.summary.run import MAX_CURVES
from loadgen.show import tables
from loadgen.show.charts import CHARTS, charts_of
from loadgen.show.charts.style import MAX_SERIES, clear_ticks, spread, wrapped
from loadgen.show.export.html import render
from loadgen.show.export.markdown import render as markdown
from loadgen.show.formatting import load_text
from loadgen.show.ordering import in_order
from tests.support.synthetic import Link, RunWriter, full_run, plan_json, stamped_run, sweep_plan, sweep_run

Summary = dict[str, Any]
KERNEL = {
    "time_wait": {"before": 3, "peak": 4_321, "after": 40, "client": 1_234, "server": 56},
    "sockets_peak": 99, "syn_retransmits": 0, "listen_overflows": 0, "listen_drops": 0, "retransmits": 7,
    "ports": {"range": 28_232, "in_use": 2_000, "left": 26_232},
}  # fmt: skip
TCP = {"sampled": 10, "rtt_us_p50": 31, "cwnd_p50": 10, "retransmits": 2}


def summary_with(directory: Path, **facts: Any) -> Summary:
    writer = RunWriter(directory / "run", plan_json("close"))
    for number in range(5):
        writer.block("close", number, [Link()] * 4, **facts)
    return writer.summary()


def test_what_the_sockets_cost(tmp_path: Path) -> None:
    summary = summary_with(tmp_path, kernel=KERNEL, tcp=TCP)
    headings, (row,) = tables.sockets(summary)
    assert dict(zip(headings, row, strict=True)) == {
        "policy": "close", "TIME_WAIT peak": "4,321", "added by client": "1,234", "added by server": "56",
        "ports left": "26,232 of 28,232", "SYN retransmits": "0", "listen overflows": "0", "TCP rtt p50": "31.0 µs",
        "cwnd p50": "10", "TCP retransmits": "10",
    }  # fmt: skip
    page = render(summary, {})
    assert "What the sockets cost" in page
    assert "4,321" in page
    assert "What the server spent" not in page


def test_what_the_server_spent(tmp_path: Path) -> None:
    summary = summary_with(tmp_path, server={"cpu_ns": 80_000_000, "rss_bytes": 12_300_000, "sockets": 8})
    headings, (row,) = tables.server(summary)
    assert dict(zip(headings, row, strict=True)) == {
        "policy": "close", "CPU per request": "20.0 ms", "CPU share of a core": "10.0%", "memory": "12.3 MB",
        "open sockets": "8",
    }  # fmt: skip
    assert "What the server spent" in render(summary, {})


def test_a_server_that_can_t_be_read_is_a_dash(tmp_path: Path) -> None:
    summary = summary_with(tmp_path, server={"cpu_ns": None, "rss_bytes": None, "sockets": None})
    (row,) = tables.server(summary)[1]
    assert row == ("close", *["–"] * 4)


def test_table_and_verdict_say_the_same_number(tmp_path: Path) -> None:
    summary = full_run(tmp_path / "run", equivalent=0.02).summary()
    headings, (row,) = tables.differences(summary)
    found = dict(zip(headings, row, strict=True))
    amount, _, interval = found["mean difference"].replace("+", "").partition(" [")
    assert f" costs {amount} more per request on average [{interval}" in summary["verdict"]
    assert (found["certain"], found["equivalent within 2%"]) == ("yes", "not shown")
    for key in ("mean ratio", "p50 ratio", "p99 ratio", "throughput ratio"):
        assert found[key].endswith("]")
    for row in tables.policies(summary).rows:
        assert [" [" in cell for cell in row] == [False, False, True, True, True, False, False, False]
    summary["comparisons"][0]["is_certain"] = False
    assert tables.differences(summary).rows[0][3] == "no"


def test_sections_without_rows_are_left_out(tmp_path: Path) -> None:
    page = render(full_run(tmp_path / "run", "close").summary(), {})
    for title in (
        "Differences",
        "Arrivals",
        "What the sockets cost",
        "How the cost of a connection is shared",
        "Cells",
    ):
        assert f"<h2>{title}<" not in page
    assert "<h2>Policies<" in page
    assert "<h2>How connections ended<" in page


def test_how_connections_ended(tmp_path: Path) -> None:
    facts = {
        "keep_alive": {"timeout_s": 5, "max": 1_000}, "retried": 1, "after_close": {"tried": 2, "answered": 0},
        "idle_statuses": {"408": 1, "503": 2},
    }  # fmt: skip
    summary = summary_with(tmp_path, **facts)
    headings, (row,) = tables.endings(summary)
    assert dict(zip(headings, row, strict=True)) == {
        "policy": "close", "how connections ended": "20 client silent",
        "status sent on idle connections": "408: 5, 503: 10",
        "Keep-Alive of the server": "timeout 5 s, max 1,000",
        "requests sent once more": "5",
        "requests sent after an announced close": "10, of these 0 answered",
    }  # fmt: skip
    note = "client silent: the client closed it between two requests: abandoned, too old, or the block ended"
    assert tables.endings_note(summary) == note
    assert note in render(summary, {})


def test_what_no_policy_did_has_no_column(tmp_path: Path) -> None:
    summary = full_run(tmp_path / "run").summary()
    assert tables.endings(summary).headings == ("policy", "how connections ended")
    headings, rows = tables.phases(summary)
    assert headings == ("policy", "connect", "send", "wait", "receive")
    assert rows[0][:2] == ("persistent", "–")


def test_early_data_has_a_column_where_there_was_some(tmp_path: Path) -> None:
    summary = full_run(tmp_path / "run").summary()
    for one in summary["policies"].values():
        one["connections"]["early_data"] = {"accepted": 2_000, "rejected": 3, "replayed": 2}
    headings, *rows = tables.endings(summary)
    assert "early data" in headings
    assert "2,000 accepted, 3 rejected, 2 of these replayed" in str(rows)


def test_own_work_comes_after_the_phases(tmp_path: Path) -> None:
    headings, rows = tables.phases(stamped_run(tmp_path / "run").summary())
    assert headings == ("policy", "connect", "send", "wait", "receive", "beside them: the generator's own work")
    assert [row[-1] for row in rows] == ["12.0 µs", "60.0 µs"]


def test_the_generator_s_own_part(tmp_path: Path) -> None:
    summary = stamped_run(tmp_path / "run").summary()
    headings, rows = tables.generator(summary)
    assert [dict(zip(headings, row, strict=True)) for row in rows] == [
        {
            "policy": "persistent", "CPU per request": "1.00 ms", "CPU share of a core": "12.5%",
            "own work, mean": "12.0 µs", "own work p50, p99": "12.0 µs, 12.0 µs",
            "end of connect late by p50, p99": "–", "end of wait late by p50, p99": "14.0 µs, 14.0 µs",
        },
        {
            "policy": "close", "CPU per request": "1.00 ms", "CPU share of a core": "12.5%",
            "own work, mean": "60.0 µs", "own work p50, p99": "60.0 µs, 60.0 µs",
            "end of connect late by p50, p99": "25.0 µs, 25.0 µs", "end of wait late by p50, p99": "14.0 µs, 14.0 µs",
        },
    ]  # fmt: skip
    note = tables.generator_note(summary)
    assert note.endswith("It was measured on 750 of 1,000 requests.")
    assert note in unescape(render(summary, {}))


def test_a_generator_whose_stamps_nobody_compared_has_its_lag(tmp_path: Path) -> None:
    summary = full_run(tmp_path / "run").summary()
    for one in summary["policies"].values():
        for name in ("own_mean_ns", "own_p50_ns", "own_p99_ns", "stamp_delay_ns"):
            del one["generator"][name]
    headings, rows = tables.generator(summary)
    assert headings == ("policy", "CPU per request", "CPU share of a core", "lag p50, p99")
    assert rows[0] == ("persistent", "1.00 ms", "12.5%", "2.00 µs, 2.00 µs")
    assert tables.generator_note(summary).endswith("The lag is how late an event was handled at most.")


def test_without_a_phase_there_is_no_table_of_phases(tmp_path: Path) -> None:
    assert tables.phases(RunWriter(tmp_path / "run").summary()).rows == []


# A sweep's page


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    plan = sweep_plan(users=(10, 1), recycle=("inf", "10", "2", "1"), rounds=2)
    return sweep_run(tmp_path_factory.mktemp("swept") / "run", plan).summary()


def test_cells_are_sorted_by_their_axes(swept: Summary) -> None:
    wanted = [f"recycle:{k} · {users}" for users in ("1 user", "10 users") for k in ("1", "2", "10", "inf")]
    assert in_order(swept) == wanted
    assert [row[0] for row in tables.policies(swept).rows] == wanted


def test_a_sweep_has_its_curves_as_a_table(swept: Summary) -> None:
    headings, rows = tables.amortisation(swept)
    table = [dict(zip(headings, row, strict=True)) for row in rows]
    assert [row["cells that differ in K alone"] for row in table] == ["10 users", "1 user"]
    assert table[0]["handshake"].startswith("320 µs [")
    assert table[0]["by the model"] == "10.0"
    text = markdown(swept)
    assert text.count("\n| --- |") == 3  # the cells, the curves, the self-checks
    assert "| 10 users | 136 µs" in text
    page = render(swept, {})
    assert "<h2>Cells<" in page
    assert "<h2>How the cost of a connection is shared<" in page


def test_a_comparison_has_two_tables_in_markdown(tmp_path: Path) -> None:
    """The policies, and what the run checked of itself."""
    summary = full_run(tmp_path / "run").summary()
    text = markdown(summary)
    assert text.startswith("> close costs")
    assert text.count("\n| --- |") == 2
    del summary["checks"]
    assert markdown(summary).count("\n| --- |") == 1, "a summary of an earlier version has none"


def test_checks_have_an_answer_and_what_to_do(tmp_path: Path) -> None:
    summary = full_run(tmp_path / "run").summary()
    generator, stationarity = summary["checks"][:2]
    stationarity |= {"passed": False, "message": "close became slower", "action": "let it warm up"}
    headings, rows = tables.checks(summary)
    assert headings == ("question", "answer", "what was found", "false alarms")
    assert rows[0] == (
        "Is the generator's own part small against what it measured?", "passed", generator["message"], "a limit",
    )  # fmt: skip
    assert rows[1] == (
        "Does latency stay the same from the first round to the last?", "FAILED", "close became slower; let it warm up",
        "1%",
    )  # fmt: skip
    assert "<h2>Self-checks<" in render(summary, {})


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([{"base": "close", "users": 1}, {"base": "close", "users": 9}], ["1 user", "9 users"]),
        ([{"base": "a", "gap": "1s", "rate": 1e4}], ["a · 10,000/s · gap:1s"]),
        ([{"base": None, "size": None}], ["all"]),
        ([{"base": "a", "size": 5}, {"base": "b", "size": 2_000}], ["a · 5 B", "b · 2,000 B"]),
    ],
)
def test_places_are_named_by_what_they_differ_in(places: list[dict[str, Any]], expected: list[str]) -> None:
    assert labels(places) == expected


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (plan_json(), "2 users"),
        (plan_json(rate_rps=1_500.0), "1,500 arrivals/s (constant)"),
        (sweep_plan(users=(1, 20)), "users 1, 20"),
        (sweep_plan(rate=(10.0, 2_000.0)), "rate 10, 2,000"),
        (sweep_plan(recycle=("1", "inf")), "2 users; recycle 1, inf"),
        (sweep_plan("close", url="https://h/", tls_version=("1.2", "1.3")), "2 users; TLS 1.2, 1.3"),
        (plan_json() | {"think_ns": 5_000_000}, "2 users; think 5.00 ms"),
    ],
)
def test_who_sends(plan: dict[str, Any], expected: str) -> None:
    assert load_text(plan) == expected


# Which charts


def test_each_curve_that_is_worked_out_is_drawn_and_no_other() -> None:
    assert MAX_CURVES == MAX_SERIES


@pytest.mark.parametrize(
    ("axes", "with_charts", "without"),
    [
        ({"recycle": ("1", "2", "inf")}, {"amortisation", "by_position", "percentiles"}, {"heat_map"}),
        ({"users": (1, 2)}, {"throughput_by_users"}, {"amortisation", "heat_map"}),
        ({"users": (1, 2), "gap": ("1s", "2s")}, {"throughput_by_users", "latency_by_gap", "heat_map"}, set()),
        ({"users": (1, 2), "gap": ("1s", "2s"), "recycle": ("2", "3")}, {"phases"}, {"heat_map", "percentiles"}),
        ({"rate": (9.0,)}, {"throughput"}, {"latency_by_rate"}),
        ({"users": tuple(range(1, 31))}, {"throughput_by_users"}, {"throughput", "phases", "over_time", "extra_time"}),
    ],
)  # fmt: skip
def test_a_chart_is_drawn_where_it_says_something(
    tmp_path: Path, axes: dict[str, Any], with_charts: set[str], without: set[str]
) -> None:
    found = set(charts_of(sweep_run(tmp_path / "run", sweep_plan(rounds=2, **axes), 6).summary()))
    assert found >= with_charts
    assert not found & without
    assert found <= set(CHARTS)


def test_a_comparison_has_no_chart_of_a_sweep(tmp_path: Path) -> None:
    expected = [
        "extra_time", "percentiles", "phases", "throughput", "by_position", "over_time", "requests_per_connection",
    ]  # fmt: skip
    of_sweeps = {
        "amortisation", "throughput_by_users", "latency_by_rate", "latency_by_size", "latency_by_gap", "heat_map",
    }  # fmt: skip
    found = charts_of(full_run(tmp_path / "run").summary())
    assert [name for name in found if name in expected] == expected
    assert not of_sweeps & set(found)


@pytest.mark.parametrize(("size", "kept"), [(3, 3), (7, 7), (8, 7), (100, 7)])
def test_of_many_the_ends_and_some_between(size: int, kept: int) -> None:
    found = spread(list(range(size)))
    assert (len(found), found[0], found[-1]) == (kept, 0, size - 1)
    assert found == sorted(set(found))


def test_ticks_keep_apart() -> None:
    assert clear_ticks([1000, 1, 1001, 10, 10.1, 100]) == [1, 10, 100, 1000]
    assert clear_ticks([5]) == [5]


def test_long_names_break_between_their_parts() -> None:
    assert wrapped("recycle:10+lifetime:500ms+resume") == "recycle:10\n+lifetime:500ms\n+resume"
    assert wrapped("close") == "close"


def test_a_low_rate_is_no_rate_of_0(tmp_path: Path) -> None:
    summary = summary_with(tmp_path)
    rates = []
    for rps in (0.4, 40.23, 12345.6):
        summary["policies"]["close"]["throughput_rps"] = rps
        rates.append(tables.policies(summary).rows[0][1])
    assert rates == ["0.4", "40.2", "12,346"]
