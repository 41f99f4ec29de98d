"""Charts and report: every chart draws whatever a run holds, no text overlaps, the page escapes what others wrote."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from copy import deepcopy
from functools import cache, partial
from html.parser import HTMLParser
from io import BytesIO
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from loadgen.measure.data.store import RunStore
from loadgen.model.errors import ErrorKind
from loadgen.model.plan import Plan
from loadgen.model.records import Phase
from loadgen.show.charts import CHARTS, charts_of, draw
from loadgen.show.charts.style import STYLE, count_axis, policy_look
from loadgen.show.export import RunData, write_report
from loadgen.show.export.html import HTML, render
from tests.support.hostile_texts import without_scripts
from tests.support.synthetic import (
    CONNECT_DELAY_NS,
    MS,
    US,
    WAIT_DELAY_NS,
    Exchange,
    Link,
    RunWriter,
    cell_links,
    close_links,
    full_run,
    persistent_links,
    plan_json,
    stamped_run,
    sweep_plan,
    sweep_run,
)
from tests.support.synthetic_upgrades import every_phase, upgraded_run

# Each process of pytest would lay out every chart by itself.
pytestmark = pytest.mark.xdist_group("charts")
Summary = dict[str, Any]
ALL = "persistent,close,close-resume"
HTTPS = "https://localhost:8443/"
LONG_URL = "http://a-long-name.of-a-host.in-some-zone.example.com:18080/v1/collections/of/things?page=1&size=100"


def no_complete_request(directory: Path) -> RunWriter:
    writer = RunWriter(directory, plan_json(rounds=2))
    for number in range(2):
        for policy in ("persistent", "close"):
            writer.block(policy, number, [Link([Exchange(-1)])])
    return writer


def interrupted(directory: Path) -> RunWriter:
    writer = RunWriter(directory, plan_json())
    writer.block("persistent", 0, persistent_links(0))
    writer.block("close", 0, close_links(0), ended=False)
    return writer


def one_side_answers(directory: Path) -> RunWriter:
    writer = RunWriter(directory, plan_json(rounds=2))
    for number in range(2):
        writer.block("persistent", number, persistent_links(number))
        writer.block("close", number, [Link([Exchange(-1)])])
    return writer


def candidate_is_faster(directory: Path) -> RunWriter:
    """Slow reuse, and seconds of waiting: large numbers on every axis."""
    writer = RunWriter(directory, plan_json())
    for number in range(5):
        writer.block("persistent", number, [Link([Exchange(at, wait=2_000 * MS + at) for at in range(5_000)])])
        writer.block("close", number, [Link([Exchange(at, wait=9 * US)], connect=80 * US) for at in range(50)])
    return writer


def empty(directory: Path) -> RunWriter:
    return RunWriter(directory, plan_json())


def seven_policies(directory: Path) -> RunWriter:
    names = "persistent,close,recycle:2,recycle:10,recycle:10+lifetime:500ms,abandon,ignore-close"
    writer = RunWriter(directory, plan_json(names))
    for number in range(5):
        for cell in Plan.from_json(writer.plan).cells:
            writer.block(cell.name, number, cell_links(cell, number))
    return writer


def target_dies(directory: Path) -> RunWriter:
    writer = RunWriter(directory, plan_json(rounds=4))
    for number in range(4):
        failed = [Link([Exchange(outcome=-ErrorKind.RESPONSE_TIMEOUT)])]
        writer.block("persistent", number, persistent_links(number) if number < 3 else failed)
        writer.block("close", number, close_links(number) if number < 2 else failed)
    return writer


SIZED = "http://h/{size}"
SWEEPS: dict[str, dict[str, Any]] = {
    "K": {"recycle": ("1", "2", "5", "10", "inf")},
    "K and users": {"recycle": ("1", "2", "5", "10", "100", "inf"), "users": (1, 10, 100, 1_000)},
    "users of two": {"policies": "persistent,close", "users": (1, 2, 5, 10, 20, 50, 100, 200, 500)},
    "rates": {"policies": "persistent,close", "rate": (100.0, 1_000.0, 5_000.0, 10_000.0)},
    "sizes": {"policies": "persistent,close,pool:2", "size": (0, 1_000, 100_000), "url": SIZED},
    "gaps": {"policies": "persistent,http10-keepalive", "gap": ("10ms", "500ms", "1s", "5s")},
    "users and sizes": {"policies": "persistent,close", "users": (1, 10), "size": (0, 9, 99), "url": SIZED},
    "many groups": {"recycle": ("1", "2", "5"), "users": tuple(range(1, 11)), "rounds": 1},
}


MOST_CELLS = "many groups"
OF_SWEEPS = set(list(CHARTS)[: list(CHARTS).index("extra_time")])


def swept(case: str, directory: Path) -> RunWriter:
    return sweep_run(directory, sweep_plan(**SWEEPS[case]))


CASES: dict[str, Callable[[Path], RunWriter]] = {
    "normal": full_run,
    "one policy": lambda path: full_run(path, "close"),
    "three policies": lambda path: full_run(path, ALL, url=HTTPS),
    "no complete request": no_complete_request,
    "one round": lambda path: full_run(path, rounds=1),
    "interrupted": interrupted,
    "one side answers": one_side_answers,
    "candidate is faster": candidate_is_faster,
    "empty": empty,
    "seven policies": seven_policies,
    "the target dies": target_dies,
    "open loop": lambda path: full_run(path, rate_rps=2_000.0),
    "other protocols": upgraded_run,
    "every phase": every_phase,
    "stamped": lambda path: stamped_run(path, ALL, url=HTTPS),
    "stamped in clear": stamped_run,
    **{name: partial(swept, name) for name in SWEEPS},
}


@pytest.fixture(scope="module")
def summaries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Summary]:
    folder = tmp_path_factory.mktemp("runs")
    return {case: make(folder / case.replace(" ", "-")).summary() for case, make in CASES.items()}


@pytest.fixture
def normal(summaries: dict[str, Summary]) -> Summary:
    """The normal summary, free to be changed."""
    return with_plan(summaries["normal"])


def with_plan(summary: Summary, **changes: Any) -> Summary:
    return summary | {"plan": summary["plan"] | changes}


def laid_out(name: str, summary: Summary) -> tuple[Figure, Any]:
    """The figure after its layout, and the renderer that measures it."""
    with matplotlib.rc_context(STYLE):
        figure = CHARTS[name].draw(summary)
        canvas = FigureCanvasAgg(figure)
        figure.get_layout_engine().execute(figure)  # which drawing would do first
        return figure, canvas.get_renderer()


@pytest.fixture(scope="module")
def layout(summaries: dict[str, Summary]) -> Callable[[str, str], tuple[Figure, Any]]:
    """A chart of a case, laid out once for all tests."""
    return cache(lambda name, case: laid_out(name, summaries[case]))


def overlaps(one: Bbox, other: Bbox) -> bool:
    return one.padded(-0.5).overlaps(other.padded(-0.5))


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for axes in figure.axes for text in axes.texts)


Layout = Callable[[str, str], tuple[Figure, Any]]


def applying(layout: Layout, summaries: dict[str, Summary], case: str) -> list[tuple[Figure, Any]]:
    """Every chart that is drawn of a case, laid out; of sweeps those of sweeps, and all of that with the most cells."""
    names = charts_of(summaries[case])
    if case in SWEEPS and case != MOST_CELLS:
        names = [name for name in names if name in OF_SWEEPS]
    assert names
    return [layout(name, case) for name in names]


every_case = pytest.mark.parametrize("case", CASES)


# Files


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    """The folder of the normal run, with its report and all of its pictures, and the run's summary."""
    writer = full_run(tmp_path_factory.mktemp("reported") / "run")
    summary = writer.summary()
    write_report(writer.store, RunData(summary))
    return writer.store.directory, summary


def assert_drawn(files: dict[str, bytes]) -> None:
    assert set(files) == {"png", "svg"}
    assert files["png"].startswith(b"\x89PNG\r\n\x1a\n")
    assert files["png"].rstrip().endswith(b"IEND\xaeB`\x82")
    root = ElementTree.fromstring(files["svg"])
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) > 5


def files_of(folder: Path, name: str) -> dict[str, bytes]:
    """A chart's files in the run's folder."""
    return {path.suffix[1:]: path.read_bytes() for path in folder.glob(f"{name}.*")}


@pytest.mark.parametrize(
    "name", ["extra_time", "percentiles", "phases", "throughput", "by_position", "over_time", "requests_per_connection"]
)
def test_every_chart_of_a_report_is_drawn_as_png_and_svg(reported: tuple[Path, Summary], name: str) -> None:
    assert_drawn(files_of(reported[0], name))


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ("empty", "requests_per_connection"),
        ("K and users", "amortisation"),
        ("K and users", "heat_map"),
        ("K and users", "throughput_by_users"),
        ("rates", "latency_by_rate"),
        ("sizes", "latency_by_size"),
        ("gaps", "latency_by_gap"),
    ],
)
def test_every_chart_is_drawn_as_png_and_svg(summaries: dict[str, Summary], case: str, name: str) -> None:
    assert name in charts_of(summaries[case])
    assert_drawn(draw(name, summaries[case]))


def test_the_same_run_draws_the_same_file(reported: tuple[Path, Summary]) -> None:
    folder, summary = reported
    assert draw("extra_time", summary) == files_of(folder, "extra_time")


@pytest.mark.parametrize(
    "url",
    ["http://h/--%3E<script>&amp;--", "http://h/?a=$1", "http://h/?$filter=x&$top=1", r"http://h/?$\frac&_$", "http://h/?^$_$"],
)  # fmt: skip
def test_a_url_is_drawn_as_it_stands(normal: Summary, url: str) -> None:
    figure, _ = laid_out("throughput", with_plan(normal, url=url))
    written = BytesIO()
    figure.savefig(written, format="svg")
    ElementTree.fromstring(written.getvalue())
    footer = figure.texts[-1]
    assert url[:40] in footer.get_text()
    assert not footer.get_parse_math() or footer.get_text().count("$") < 2  # else it is set as a formula


# Layout


def assert_clear(figure: Figure, renderer: Any) -> None:
    """Title, subtitle and footer keep clear of each other and of everything that belongs to axes."""
    labels = [(text.get_text(), text.get_window_extent(renderer)) for text in figure.texts]
    for (one, box), (other, beside) in combinations(labels, 2):
        assert not overlaps(box, beside), f"{one!r} overlaps {other!r}"
    for axes in figure.axes:
        inside = axes.get_tightbbox(renderer)
        for text, box in labels:
            assert not overlaps(inside, box), f"the axes overlap {text!r}"


def assert_inside(figure: Figure, renderer: Any) -> None:
    """No text is cut off at the edge of the picture."""
    legends = [one for axes in figure.axes if (one := axes.get_legend())]
    for text in [*figure.texts, *(text for axes in figure.axes for text in axes.texts), *legends]:
        box = text.get_window_extent(renderer)
        said = text.get_text() if hasattr(text, "get_text") else "the legend"
        assert figure.bbox.x0 - 1 <= box.x0, f"{said!r} begins outside"
        assert box.x1 <= figure.bbox.x1 + 1, f"{said!r} ends outside"
        assert figure.bbox.y0 - 1 <= box.y0 <= box.y1 <= figure.bbox.y1 + 1, f"{said!r} is outside"


@every_case
def test_nothing_overlaps_title_or_footer(layout: Layout, summaries: dict[str, Summary], case: str) -> None:
    for figure, renderer in applying(layout, summaries, case):
        assert_clear(figure, renderer)


@every_case
def test_no_text_is_cut_off(layout: Layout, summaries: dict[str, Summary], case: str) -> None:
    for figure, renderer in applying(layout, summaries, case):
        assert_inside(figure, renderer)


@every_case
def test_texts_in_axes_do_not_overlap(layout: Layout, summaries: dict[str, Summary], case: str) -> None:
    for figure, renderer in applying(layout, summaries, case):
        for axes in figure.axes:
            assert_apart([text for text in axes.texts if text.get_text()], renderer)
            for axis in (axes.xaxis, axes.yaxis) if axes.axison else ():  # an empty chart says why in place of axes
                low, high = sorted(axis.get_view_interval())
                labels = [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
                shown = [label for label in labels if label.get_text() and label.get_visible()]
                for one, other in pairwise(shown):
                    assert_apart([one, other], renderer)


@pytest.mark.parametrize("case", ["three policies", "seven policies", "other protocols", "every phase"])
def test_names_under_a_waterfall_do_not_overlap(layout: Layout, case: str) -> None:
    figure, renderer = layout("extra_time", case)
    for axes in figure.axes:
        assert_apart(axes.get_xticklabels(), renderer)


def test_the_legend_names_every_phase_in_its_order(layout: Layout) -> None:
    figure, _ = layout("phases", "every phase")
    legend = figure.axes[0].get_legend()
    assert legend is not None
    named = [text.get_text() for text in legend.get_texts()]
    assert named[::2] + named[1::2] == [phase.value for phase in Phase]  # filled column by column, read row by row
    looks = {(patch.get_facecolor(), patch.get_hatch()) for patch in legend.get_patches()}
    assert len(looks) == len(named)


def assert_apart(texts: list[Any], renderer: Any) -> None:
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts]
    for (one, box), (other, beside) in combinations(boxes, 2):
        assert not overlaps(box, beside), f"{one!r} overlaps {other!r}"


@pytest.mark.parametrize(
    "changes",
    [{"url": LONG_URL}, {"users": 10_000, "think_ns": 1_500 * MS, "rounds": 100}, {"method": "OPTIONS"}],
    ids=["url", "load", "method"],
)
def test_a_long_footer_is_not_cut_off(normal: Summary, changes: dict[str, Any]) -> None:
    summary = with_plan(normal, **changes) | {"run": "a-name-that-somebody-gave-to-a-run"}
    assert_inside(*laid_out("throughput", summary))


# Contents


def test_an_empty_chart_says_why(layout: Layout) -> None:
    for name in ("percentiles", "over_time"):
        assert "no complete request" in words(layout(name, "no complete request")[0])
    assert "nothing to compare" in words(layout("extra_time", "one policy")[0])


def test_few_requests_are_not_called_none(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "run", plan_json(rounds=1))
    for policy in ("persistent", "close"):
        writer.block(policy, 0, [Link([Exchange(at)]) for at in range(8)])
    assert "no complete request" not in words(laid_out("percentiles", writer.summary())[0])


def test_two_policies_without_a_pair_are_not_called_one(layout: Layout) -> None:
    assert "one policy alone" not in words(layout("extra_time", "one side answers")[0])


def test_the_waterfall_goes_from_mean_to_mean(layout: Layout, normal: Summary) -> None:
    (axes,) = layout("extra_time", "normal")[0].axes
    bars = [(bar.get_y(), bar.get_height()) for bar in axes.patches]
    means = [normal["policies"][name]["latency_ns"]["mean"] for name in ("persistent", "close")]
    assert (bars[0][1], bars[-1][1]) == pytest.approx(means, abs=1)
    assert sum(height for _, height in bars[:-1]) == pytest.approx(means[1], abs=1)
    for (bottom, height), (following, _) in pairwise(bars[:-1]):
        assert bottom + height == pytest.approx(following)


def test_stacked_phases_add_up_to_the_mean(layout: Layout, normal: Summary) -> None:
    (axes,) = layout("phases", "normal")[0].axes
    for row, one in enumerate(normal["policies"].values()):
        widths = [bar.get_width() for bar in axes.patches if round(bar.get_y() + bar.get_height() / 2) == row]
        assert sum(widths) == pytest.approx(one["latency_ns"]["mean"], abs=len(widths))


def test_own_work_lies_beside_the_phases_and_late_stamps_within(layout: Layout, summaries: dict[str, Summary]) -> None:
    summary = summaries["stamped"]
    (axes,) = layout("phases", "stamped")[0].axes
    own = [bar for bar in axes.patches if bar.get_height() < 0.2]
    assert [bar.get_width() for bar in own] == [one["generator"]["own_mean_ns"] for one in summary["policies"].values()]
    stacked = [bar for bar in axes.patches if bar not in own]
    assert not any(overlaps(bar.get_window_extent(), other.get_window_extent()) for bar in own for other in stacked)
    (spans,) = (one.get_segments() for one in axes.collections)
    late = [round(end - begin) for (begin, _), (end, _) in spans]
    close_ns = WAIT_DELAY_NS + CONNECT_DELAY_NS
    assert late == [pytest.approx(WAIT_DELAY_NS, rel=0.1), close_ns, close_ns]
    assert [end for _, (end, _) in spans] == pytest.approx(
        [one["latency_ns"]["mean"] for one in summary["policies"].values()], abs=10
    )


@pytest.mark.parametrize(("case", "bands"), [("normal", 2), ("one round", 0), ("three policies", 3)])
def test_percentiles_show_bands_where_there_are_intervals(
    layout: Layout, summaries: dict[str, Summary], case: str, bands: int
) -> None:
    (axes,) = layout("percentiles", case)[0].axes
    assert len([one for one in axes.collections if isinstance(one, PolyCollection)]) == bands
    assert len(axes.containers) == bands  # the marks of the p99 with its interval
    policies = summaries[case]["policies"]
    assert [text.partition(": p99 ")[0] for text in axes.get_legend_handles_labels()[1]] == list(policies)


def test_a_summary_of_a_version_without_intervals_of_the_mean_is_drawn(summaries: dict[str, Summary]) -> None:
    """`load_run` gives an earlier run's summary as it was written."""
    earlier = deepcopy(summaries["normal"])
    for one in earlier["policies"].values():
        one["latency_ns"].pop("mean_ci95")
    for one in earlier["comparisons"]:
        for key in (
            "latency_mean_ratio",
            "latency_mean_ratio_ci95",
            "latency_mean_delta_ci95",
            "is_certain",
            "equivalence",
        ):
            del one[key]
    for block in earlier["blocks"]:
        del block["latency_mean_ns"]
    for name in charts_of(earlier):
        assert laid_out(name, earlier)[0].axes


def test_a_policy_looks_the_same_in_all_charts_and_unlike_others(layout: Layout, summaries: dict[str, Summary]) -> None:
    summary = summaries["three policies"]
    looks = [policy_look(summary, name) for name in summary["policies"]]
    for key in ("color", "marker", "linestyle"):
        assert len({one[key] for one in looks}) == 3
    (axes,) = layout("percentiles", "three policies")[0].axes
    lines = [line for line in axes.lines if ": p99 " in str(line.get_label())]
    assert [line.get_color() for line in lines] == [one["color"] for one in looks]


# The page

EVIL = "<script>alert('x')</script>"
QUOTES = """'"><img src=x onerror=alert(1)>"""


class Page(HTMLParser):
    """What a browser would make of the page: its elements with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}

    @property
    def scripts(self) -> list[dict[str, str | None]]:
        """Their attributes: none has a source."""
        return [attributes for tag, attributes in self.elements if tag == "script"]


PICTURES = dict.fromkeys(("extra_time", "percentiles"), b"<svg/>")


def hostile(summary: Summary, text: str) -> Summary:
    """The summary with `text` wherever a target or a user could have put it."""
    return with_plan(summary, url=f"http://h/{text}", headers=[["X-Evil", text]], method=text) | {
        "run": text,
        "verdict": text,
        "verdict_lines": [text],
        "environment": summary["environment"] | {"target": {"server": text, text: text}, text: text},
        "warnings": [{"code": text, "message": text}],
    }


@pytest.mark.parametrize("text", [EVIL, QUOTES, "</title><script>", "</style><script>", "<!--", "&lt;script&gt;"])
def test_what_others_wrote_stays_text(normal: Summary, text: str) -> None:
    plain, page = (Page(render(one, PICTURES)) for one in (normal, hostile(normal, text)))
    assert text in page.text
    assert page.tags == plain.tags
    assert page.scripts == plain.scripts
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


@pytest.mark.parametrize("where", ["url", "run", "verdict", "server", "code", "message"])
def test_each_place_is_escaped(normal: Summary, where: str) -> None:
    changed: dict[str, Summary] = {
        "url": with_plan(normal, url=f"http://h/{EVIL}"),
        "run": normal | {"run": EVIL},
        "verdict": normal | {"verdict": EVIL, "verdict_lines": [EVIL]},
        "server": normal | {"environment": normal["environment"] | {"target": {"server": EVIL}}},
        "code": normal | {"warnings": [{"code": EVIL, "message": ""}]},
        "message": normal | {"warnings": [{"code": "", "message": EVIL}]},
    }
    page = without_scripts(render(changed[where], PICTURES))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@every_case
def test_the_page_needs_nothing_beside_itself(summaries: dict[str, Summary], case: str) -> None:
    page = Page(render(summaries[case], PICTURES))
    links = [
        value or ""
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "data", "action", "poster", "background")
    ]
    assert len(links) == len(PICTURES)
    assert all(link.startswith("data:image/svg+xml;base64,") for link in links)
    assert page.tags.isdisjoint({"link", "iframe", "object", "embed", "base"})
    assert all(not attributes.keys() - {"type", "id"} for attributes in page.scripts)
    assert not re.search(r"url\(|@import", without_scripts(render(summaries[case], {})))


def test_the_page_shows_the_numbers(normal: Summary) -> None:
    text = Page(render(normal, PICTURES)).text
    (comparison,) = normal["comparisons"]
    assert normal["verdict"] in text
    assert "47.0 µs" in text
    for key in ("mean", "p50", "p99"):
        low, high = comparison[f"latency_{key}_ratio_ci95"]
        assert f"{comparison[f'latency_{key}_ratio']:.3f} [{low:.3f}, {high:.3f}]" in text
    assert all(name in text for name in ("persistent", "close", "40.0 µs", "7.00 µs", "2 users", "nginx"))


@pytest.mark.parametrize("case", ["one policy", "no complete request", "one round", "empty"])
def test_absent_is_a_dash_not_a_word(summaries: dict[str, Summary], case: str) -> None:
    text = Page(without_scripts(render(summaries[case], PICTURES))).text
    assert not re.search(r"\b(None|nan|inf)\b", text)


def test_write_report_puts_page_and_pictures_into_the_folder(reported: tuple[Path, Summary]) -> None:
    folder, names = reported[0], charts_of(reported[1])
    pictures = {f"{name}.{ending}" for name in names for ending in ("png", "svg")}
    assert {path.name for path in folder.iterdir()} >= pictures | {HTML.file_name}
    page = RunStore.open(folder).path(HTML.file_name).read_text(encoding="utf-8")
    shown = [base64.b64decode(data) for data in re.findall(r"base64,([^']+)'", page)]
    assert shown == [(folder / f"{name}.svg").read_bytes() for name in names]


def test_of_many_cells_those_are_shown_that_have_the_first_positions(tmp_path: Path) -> None:
    """Connections that are never replaced get past their first positions in the warm-up."""
    plan = sweep_plan(recycle=("2", "5", "inf"), users=(1, 2, 3), rounds=2)
    writer = RunWriter(tmp_path / "run", plan)
    for number in range(2):
        for cell in Plan.from_json(plan).cells:
            links = cell_links(cell, number)
            if cell.recycle == "inf":
                for at, exchange in enumerate(links[0].exchanges):
                    exchange.at_ns = (at - 20) * MS
            writer.block(cell.name, number, links)
    (axes,) = laid_out("by_position", writer.summary())[0].axes
    assert [line.get_label() for line in axes.lines] == [
        f"recycle:5 · {users}" for users in ("1 user", "2 users", "3 users")
    ]


def test_no_two_marks_of_a_count_axis_read_alike() -> None:
    axes = Figure().add_subplot()
    count_axis(axes.xaxis)
    write = axes.xaxis.get_major_formatter()
    assert [write(value) for value in (0, 0.5, 1, 1.5, 2.25, 12_000, 1_500_000)] == [
        "0", "0.5", "1", "1.5", "2.25", "12,000", "1,500,000",
    ]  # fmt: skip
