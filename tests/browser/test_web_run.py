"""Real runs in Locust's web UI, in a real browser: from the start form to the files that a run leaves."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadgen.model.records import Phase
from loadgen.model.request_target import origin_form
from loadgen.show.formatting import duration, estimate
from loadgen.swarm.live_page import shown_charts
from tests.support.browser import (
    FACTS,
    FAILURE,
    PHASES,
    POLICIES,
    SECTION,
    TAB,
    VERDICT,
    WARNING,
    Browser,
    WebUI,
    locust_web_ui,
)
from tests.support.drawn_charts import figure
from tests.support.locusts import LOCUSTFILES, check_sums, counts
from tests.support.processes import HELLO, await_port, free_port, read_request, scripted_server
from tests.support.summary_schema import check_audit

pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("browser")]

# Users that pause leave the processor to the browser.
FORM = {
    "userCount": "4", "spawnRate": "4", "host": "", "policies": "persistent,close", "block": "150ms", "warmup": "30ms",
    "think": "2ms", "cacert": "", "path": "/",
}  # fmt: skip
LOCUSTS = {"userCount", "spawnRate", "host"}
"""Of these, Locust's own."""
HOSTILE = "<script>window.hacked=1</script>\"'<img/src=x/onerror=window.hacked=1>"
ENCODED = origin_form(f"/{HOSTILE}")


class Lab:
    """A browser before Locust's web UI with compare.py; results/ is in `folder`."""

    def __init__(self, browser: Browser, ui: WebUI, folder: Path) -> None:
        self.browser = browser
        self.ui = ui
        self.folder = folder

    def start(self, **fields: str) -> None:
        """Start a run from the form, and go to our tab. Fields that aren't given are as in FORM."""
        self.browser.start(**{**FORM, **fields})
        self.browser.show_tab()

    def stop(self, state: str = "finished") -> dict[str, Any]:
        """Stop the run; gives its summary when the tab shows its end."""
        # Locust's page waits for ever where it is stopped before it has seen a user.
        self.browser.wait(lambda: "Users\n0" not in self.browser.text("header"))
        self.browser.click("button", "Stop")
        self.browser.wait_text(FACTS, state)
        return self.summary()

    def live(self) -> dict[str, Any]:
        live: dict[str, Any] = json.loads(self.ui.get("loadgen/live").body)
        return live

    def run(self) -> Path:
        """The folder of the run that the tab shows."""
        return self.folder / self.browser.text(FACTS).split(" · ")[-1]

    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.run() / "summary.json").read_text(encoding="utf-8"))
        return found

    def requests(self) -> int:
        """All requests that the tab shows."""
        return sum(int(row[1].replace(",", "")) for row in self.browser.table(POLICIES))

    def wait_for_more(self) -> None:
        before = self.requests()
        self.browser.wait(lambda: self.requests() > before)

    def shows(self, found: dict[str, Any]) -> None:
        """Every figure of the tab is the summary's."""
        assert self.browser.table(POLICIES) == [policy_row(name, one) for name, one in found["policies"].items()]
        assert self.browser.table(PHASES) == phase_rows(found["policies"])
        assert self.browser.text(VERDICT).splitlines() == found["verdict_lines"]
        warnings = [f"{one['code']}: {one['message']}" for one in found["warnings"]]
        assert self.browser.text(WARNING).splitlines() == warnings


def phase_rows(policies: dict[str, Any]) -> list[list[str]]:
    """The phases of each policy as the tab writes them: those that some request had."""
    means = {name: [one["phases_ns"][phase.value]["mean"] for phase in Phase] for name, one in policies.items()}
    had = [any(mean is not None for mean in column) for column in zip(*means.values(), strict=True)]
    return [[name, *map(duration, compress(found, had))] for name, found in means.items()]


def policy_row(name: str, one: dict[str, Any]) -> list[str]:
    """A policy as the tab writes it."""
    latency, connections = one["latency_ns"], one["connections"]
    kinds = sorted(one["errors"].items(), key=lambda kind: -kind[1])
    ratio = connections["reuse_ratio"]
    return [
        name,
        f"{one['requests']:,}",
        f"{one['throughput_rps']:,.0f}",
        *(estimate(latency[key], latency[f"{key}_ci95"]) for key in ("mean", "p50", "p99")),
        f"opened {connections['opened']:,} (ideal {connections['ideal']:,})",
        ("100%" if ratio == 1 else f"{int(ratio * 1000) / 10:.1f}%") if one["requests"] else "–",
        ", ".join(f"{number:,} {kind.replace('_', ' ')}" for kind, number in kinds) or "0",
    ]


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WebUI, Path]]:
    """One Locust for all tests that need no charts: each run is a new one in it, as for people."""
    folder = tmp_path_factory.mktemp("locust")
    with locust_web_ui(LOCUSTFILES / "compare.py", folder=folder) as ui:
        yield ui, folder


@pytest.fixture
def lab(browser: Browser, running: tuple[WebUI, Path]) -> Iterator[Lab]:
    """At the start form."""
    ui, folder = running
    with at_start_form(Lab(browser, ui, folder)) as lab:
        yield lab


@pytest.fixture
def drawing_lab(browser: Browser, tmp_path: Path) -> Iterator[Lab]:
    """The same, with a Locust of its own whose reports have charts."""
    with (
        locust_web_ui(LOCUSTFILES / "compare.py", folder=tmp_path, draws=True) as ui,
        at_start_form(Lab(browser, ui, tmp_path)) as lab,
    ):
        yield lab


@contextmanager
def at_start_form(lab: Lab) -> Iterator[Lab]:
    lab.browser.open(lab.ui.url)
    lab.browser.show_start_form()
    yield lab
    lab.ui.post("stop")
    lab.browser.wait(lambda: lab.live()["state"] not in ("running", "finishing"))


def test_the_tab_follows_a_run_and_ends_with_the_figures_of_its_files(drawing_lab: Lab) -> None:
    lab, browser = drawing_lab, drawing_lab.browser
    lab.start(policies="persistent,close,recycle:10", userCount="3", spawnRate="3")
    browser.wait(lambda: lab.requests() > 0)
    lab.wait_for_more()
    assert [row[0] for row in browser.table(POLICIES)] == ["persistent", "close", "recycle:10"]
    assert browser.text(FACTS).startswith("running · round ")
    assert " · 3 users · http://127.0.0.1:" in browser.text(FACTS)
    charts_while_it_goes_on(lab)
    browser.wait_text(VERDICT, "[")  # an interval: it takes several rounds
    browser.wait(lambda: browser.all(f"{figure('differences')} .drawn svg"))
    report_so_far(lab)

    found = lab.stop()
    lab.shows(found)
    assert json.loads(lab.ui.get("loadgen/plots").body) == json.loads(json.dumps(shown_charts(found)))  # type: ignore[arg-type] # as read back
    assert found["plan"]["users"] == 3
    assert found["environment"]["embedded_target"]["requests"] >= lab.requests()
    downloads(lab)
    charts_at_the_end(lab, found)

    first = lab.run()
    browser.click("button", "New")
    fields = "X-A: 1, 2\nX-B: 3"
    lab.start(policies="close,recycle:5", userCount="2", header=fields, data='{"one":\n"two"}')
    browser.wait(lambda: [row[0] for row in browser.table(POLICIES)] == ["close", "recycle:5"])
    assert lab.run() != first
    found = lab.stop()
    lab.shows(found)
    assert list(found["policies"]) == ["close", "recycle:5"]
    assert found["plan"]["users"] == 2
    assert (found["plan"]["method"], found["plan"]["headers"]) == ("POST", [["X-A", "1, 2"], ["X-B", "3"]])
    assert base64.b64decode(found["plan"]["body_base64"]) == b'{"one":\n"two"}'
    assert "users_changed" not in {one["code"] for one in found["warnings"]}
    assert len(list((lab.folder / "results").iterdir())) == 2
    assert browser.complaints() == []


def report_so_far(lab: Lab) -> None:
    """While the run goes on it can be had as a report, and in each format that needs no samples."""
    browser, main = lab.browser, lab.browser.driver.current_window_handle
    browser.click(f"{SECTION} a", "Report so far")
    in_new_window(browser, main)
    browser.wait(lambda: browser.all(".drawn svg"))
    assert browser.complaints() == []
    back(browser, main)
    browser.click(f"{SECTION} summary", "Exports")
    offered = {one.text.partition(":")[0] for one in browser.all(f"{SECTION} details a")}
    assert {"json", "junit", "prometheus"} <= offered
    assert not offered & {"csv", "ndjson", "hdr"}
    assert json.loads(lab.ui.get("loadgen/exports/json?download").body)["policies"]["close"]["requests"] > 0
    assert browser.text(FACTS).startswith("running")


def downloads(lab: Lab) -> None:
    """What the browser saves is what lies in the run's folder."""
    browser = lab.browser
    for name in ("summary.json", "samples.npz"):
        (browser.downloads / name).unlink(missing_ok=True)
        browser.click(f"{SECTION} a", name)
        browser.wait((browser.downloads / name).exists)
        assert (browser.downloads / name).read_bytes() == (lab.run() / name).read_bytes()
    with np.load(browser.downloads / "samples.npz") as samples:
        assert whole_rounds(samples, lab.summary()) == lab.requests()
    assert lab.ui.get("loadgen/exports/csv").body.count(b"\n") == lab.requests() + 1
    assert lab.ui.get("loadgen/files/report.html?download").body == (lab.run() / "report.html").read_bytes()
    lines, main = lab.summary()["verdict_lines"], browser.driver.current_window_handle
    browser.click(f"{SECTION} a", "report.html")
    in_new_window(browser, main)
    # Cards say it on the first screen; the verdict itself may be folded up below them.
    browser.wait(lambda: all(line in whole_text(browser) for line in lines))
    assert browser.all(".drawn svg")
    assert browser.complaints() == []
    back(browser, main)


def whole_rounds(samples: Any, found: dict[str, Any]) -> int:
    """How many samples are of whole rounds; those of a round that was cut short are in the file, and in no figure."""
    incomplete = found.get("incomplete_rounds", {"rounds": []})["rounds"]
    return int(np.isin(samples["round"], incomplete, invert=True).sum())


def whole_text(browser: Browser) -> str:
    """The text of the page, also where it is folded up."""
    text: str = browser.driver.execute_script("return document.body.textContent")
    return text


def in_new_window(browser: Browser, main: str) -> None:
    (new,) = browser.wait(lambda: [one for one in browser.driver.window_handles if one != main])
    browser.driver.switch_to.window(new)


def back(browser: Browser, main: str) -> None:
    browser.driver.close()
    browser.driver.switch_to.window(main)


def pictures(browser: Browser) -> list[str]:
    """The addresses of the charts that are loaded."""
    found: list[str] = browser.driver.execute_script(
        "return [...document.querySelectorAll('#charts img')].filter(one => one.complete && one.naturalWidth)"
        ".map(one => one.src)"
    )
    return found


def charts_while_it_goes_on(lab: Lab) -> None:
    """On a page of its own too. That they are drawn anew is tested elsewhere, without the wait."""
    browser, main = lab.browser, lab.browser.driver.current_window_handle
    browser.click(f"{SECTION} a", "A page of its own")
    in_new_window(browser, main)
    for name in ("differences", "round_p50", "extra_time", "percentiles"):
        browser.wait(lambda name=name: browser.all(f"{figure(name)} .drawn svg"))
    assert browser.text(FACTS).startswith("running")
    assert not pictures(browser)
    assert browser.complaints() == []
    back(browser, main)


def charts_at_the_end(lab: Lab, found: dict[str, Any]) -> None:
    """The page shows all that lie in the folder, and the same figures as the tab."""
    browser, main, folder = lab.browser, lab.browser.driver.current_window_handle, lab.run()
    browser.click(f"{SECTION} a", "A page of its own")
    in_new_window(browser, main)
    drawn = {path.stem.replace("_", " ") for path in folder.glob("*.svg")}
    browser.wait(lambda: {one.get_attribute("alt") for one in browser.all("#charts img")} == drawn)
    browser.wait(lambda: len(pictures(browser)) == len(drawn))
    lab.shows(found)
    assert browser.complaints() == []
    back(browser, main)


def inert_fields(browser: Browser) -> set[str]:
    """Fields of a form that can't be changed: what a run reads when it starts alone, in the form that edits a test."""
    names: list[str] = browser.driver.execute_script(
        "return [...document.querySelectorAll('[inert] [name]')].map(one => one.name)"
    )
    return set(names)


def test_reset_and_edit_leave_the_comparison_going(lab: Lab) -> None:
    browser = lab.browser
    lab.start()
    browser.wait(lambda: lab.requests() > 0)
    run, before = lab.run(), lab.requests()

    def locusts_own() -> int:
        number: int = json.loads(lab.ui.get("stats/requests").body)["stats"][-1]["num_requests"]
        return number

    counted = browser.wait(locusts_own)
    browser.click("button", "Reset")
    browser.wait(lambda: lab.requests() > before)

    browser.click("button", "Edit")
    browser.wait(lambda: len(inert_fields(browser)) >= len(FORM) - len(LOCUSTS))
    assert not inert_fields(browser) & LOCUSTS
    browser.type("userCount", "6")
    browser.click("button[type=submit]", "Update")
    browser.wait_text(FACTS, "6 users")
    browser.wait_text(WARNING, "users_changed: there were from 4 to 6 users, last changed in round ")
    lab.wait_for_more()
    assert lab.run() == run

    # Without any user there is no round; with the next one it goes on.
    lab.ui.post("swarm", "user_count=0&spawn_rate=10")
    browser.wait_text(FACTS, "0 users")
    lab.ui.post("swarm", "user_count=1&spawn_rate=10")
    browser.wait_text(FACTS, "1 user ")
    lab.wait_for_more()
    assert browser.text(WARNING).count("users_changed: there were from 1 to 6 users") == 1
    assert browser.text(WARNING).count("users_changed") == 1
    assert "users_missing" not in browser.text(WARNING)

    browser.click("button", "Stop")
    browser.wait(lambda: lab.live()["state"] == "finishing")
    refused = json.loads(lab.ui.post("swarm", "user_count=1&spawn_rate=1"))
    assert refused["success"] is False
    assert "the results of the last run are still being written" in refused["message"]
    browser.wait_text(FACTS, "finished")
    found = lab.summary()
    lab.shows(found)
    assert len(found["blocks"]) >= 2 * (found["plan"]["rounds"] - 1)
    # Locust's own figures are of what came after the reset, ours of the whole run.
    assert 0 < locusts_own() <= counts(found)[0] - counted
    assert browser.complaints() == []


def test_the_form_says_what_is_wrong(lab: Lab) -> None:
    """All that can be wrong is in tests/unit/swarm/test_start_form.py."""
    runs = len(list(lab.folder.glob("results/*")))
    for wrong, message in (
        ({"host": "https://localhost", "cacert": __file__}, "no PEM certificate can be read from it"),
        ({**FORM, "block": "20ms"}, "--warmup is 30.0 ms, a part of each block of 20.0 ms"),
    ):
        lab.browser.start(**{**FORM, **wrong})
        lab.browser.wait_text("[role=alert]", message)
        assert lab.live()["state"] in ("idle", "finished", "failed")
        assert lab.browser.all("input[name=userCount]")
    for name in ("results",):
        refused = json.loads(lab.ui.post("swarm", f"user_count=1&spawn_rate=1&host=&{name}=elsewhere"))
        assert refused["success"] is False
        assert "is set on the command line, not here" in refused["message"]
    assert len(list(lab.folder.glob("results/*"))) == runs
    assert not (lab.folder / "elsewhere").exists()


def test_the_form_has_all_options_under_headings_and_fits_a_phone(lab: Lab) -> None:
    browser = lab.browser
    phone = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        browser.wait(lambda: browser.all("input[name='userCount']"))
        browser.show_fields()
        headings = ["Target", "TLS", "Load", "Connections", "Statistics", "Output"]
        browser.wait(lambda: browser.text(".loadgen-group").splitlines() == headings)  # Locust unfolds its own slowly
        names = "return [...document.querySelectorAll('form [name]')].map(one => one.name)"
        shown = set(browser.driver.execute_script(names))
        assert {"proxy", "retryStale", "sourceIp", "ipv4", "policies", "method"} <= shown
        lines = {one.get_attribute("aria-label") for one in browser.all("form textarea")}
        assert {"header", "data", "source ip", "connect to", "cert", "fail if", "export"} <= lines
        # No label is cut off, and nothing is wider than the screen.
        labels = "document.querySelectorAll('[data-loadgen-group] > label')"
        cut = f"return [...{labels}].filter(one => one.scrollWidth > one.clientWidth)"
        assert [one.text for one in browser.driver.execute_script(cut)] == []
        assert browser.driver.execute_script("return document.documentElement.scrollWidth") == 360
        browser.click(".loadgen-group", "TLS")
        assert not browser.all("input[name='cacert']")
        assert browser.all("input[name='policies']")
        browser.click(
            "label",
            "Retry Stale (Repeat a request once: an idempotent one that met a stale connection, an "
            "unprocessed stream of HTTP/2)",
        )
        browser.start(**FORM)
        browser.wait(lambda: lab.live()["state"] == "running")
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    (run,) = [path for path in lab.folder.glob("results/*/run.json") if path.parent.name == lab.live()["run"]]
    plan = json.loads(run.read_text(encoding="utf-8"))["plan"]
    assert (plan["retry_stale"], plan["cookies"]) == (True, True)
    assert browser.complaints() == []


class Serving:
    """The embedded target on a port of the test's, ended by being killed."""

    def __init__(self, port: int, *options: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "loadgen", "target", "--port", str(port), "--until-eof", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        await_port(port)

    def __enter__(self) -> Serving:
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.communicate(timeout=20)


def test_https_without_trust_says_what_to_do_and_counts(lab: Lab, tmp_path: Path) -> None:
    browser, port = lab.browser, free_port()
    with Serving(port, "--tls", "--ca-file", str(tmp_path / "ca.pem")):
        lab.start(host=f"https://127.0.0.1:{port}")
        browser.wait_text(WARNING, "give the authority's certificate with --cacert FILE")
        browser.wait(lambda: all(row[-1].endswith(" tls untrusted") for row in browser.table(POLICIES)))
        assert browser.text(FACTS).startswith("running")
        found = lab.stop("failed")
    assert "every request that ended in a measured window failed" in browser.text(FAILURE)
    assert browser.table(POLICIES) == [policy_row(name, one) for name, one in found["policies"].items()]
    assert found["policies"]["close"]["errors"]["tls_untrusted"] > 0
    assert lab.ui.get("loadgen/files/report.html").status == 200  # of a run that failed too there is a report


def test_a_target_that_dies_and_comes_back(lab: Lab) -> None:
    browser, port = lab.browser, free_port()
    with Serving(port):
        lab.start(host=f"http://127.0.0.1:{port}/")
        browser.wait(lambda: browser.table(POLICIES) and all(row[1] != "0" for row in browser.table(POLICIES)))
    browser.wait(lambda: all("connect refused" in row[-1] for row in browser.table(POLICIES)))
    with Serving(port):
        before = [row[1] for row in browser.table(POLICIES)]
        browser.wait(lambda: not set(before) & {row[1] for row in browser.table(POLICIES)})
        assert browser.text(FACTS).startswith("running")
        found = lab.stop()
    lab.shows(found)
    check_sums(found)
    for one in found["policies"].values():
        assert one["errors"]["connect_refused"] > 0
        assert one["requests"] > 0
    assert browser.complaints() == []


def hostile_server(connection: socket.socket, number: int) -> None:
    """Script in whatever a server may say: in reason and header fields, and once where the status belongs."""
    while read_request(connection):
        if number == 1:
            connection.sendall(f"HTTP/1.1 {HOSTILE}\r\n\r\n".encode())
            return
        fields = f"Server: {HOSTILE}\r\nContent-Type: {HOSTILE}\r\nSet-Cookie: a={HOSTILE}\r\nContent-Length: 2\r\n"
        connection.sendall(f"HTTP/1.1 500 {HOSTILE}\r\n{fields}\r\nhi".encode())


def test_nothing_that_a_target_says_runs_as_script(lab: Lab) -> None:
    browser = lab.browser
    with scripted_server(hostile_server) as port:
        lab.start(host=f"http://127.0.0.1:{port}", path=f"/{HOSTILE}")
        browser.wait(lambda: lab.requests() > 0)
        assert ENCODED in browser.text(FACTS)
        browser.wait_text(WARNING, "http_errors")
        is_harmless(browser)
        for tab in ("Statistics", "Failures", "Exceptions"):
            browser.click("[role=tab]", tab)
        browser.show_tab()
        lab.stop()
    is_harmless(browser)
    browser.open((lab.run() / "report.html").as_uri())  # no policy of ours keeps it from running what is in it
    browser.wait_text("body", HOSTILE)
    is_harmless(browser)
    for path in ("loadgen", "loadgen/files/report.html", "stats/report", TAB):
        browser.open(lab.ui.url + path)
        browser.wait(lambda: any(said in browser.text("body") for said in (HOSTILE, ENCODED)))
        is_harmless(browser)


def is_harmless(browser: Browser) -> None:
    assert browser.driver.execute_script("return window.hacked") is None
    assert not browser.driver.find_elements("css selector", "img[src=x]")
    assert browser.complaints() == []


def test_several_processes_show_one_result(browser: Browser, tmp_path: Path) -> None:
    with locust_web_ui(LOCUSTFILES / "compare.py", "--processes", "2", folder=tmp_path) as ui:
        lab = Lab(browser, ui, tmp_path)
        browser.wait(lambda: json.loads(ui.get("worker-count").body)["worker_count"] == 2)
        browser.open(ui.url)
        lab.start(policies="persistent,recycle:10")
        browser.wait(lambda: lab.requests() > 0)
        found = lab.stop()
        lab.shows(found)
        with np.load(lab.run() / "samples.npz") as samples:
            assert set(samples["worker"]) == {0, 1}
            assert whole_rounds(samples, found) == lab.requests()
        assert found["plan"]["users"] == 4
        assert browser.complaints() == []


def test_make_ui_starts_it_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    port = free_port()
    # What is installed stays as it is, wherever this Python is.
    make = ["make", "--no-print-directory", f"VENV={sys.prefix}", f"--old-file={sys.prefix}/.installed", "ui"]
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*make, f"ARGS=--web-port {port} --results {tmp_path}"],
            cwd=LOCUSTFILES.parent, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        )  # fmt: skip
    try:
        await_port(port)
        ui = WebUI(f"http://127.0.0.1:{port}/")
        assert log.read_text(encoding="utf-8").splitlines()[0].startswith(f"Locust's web UI: {ui.url} ")
        assert json.loads(ui.get("loadgen/live").body)["state"] == "idle"
        assert b"connection-reuse" in ui.get("").body
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        process.wait(timeout=30)
    said = log.read_text(encoding="utf-8")
    assert "Shutting down" in said
    assert "Traceback" not in said
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port))


def test_a_target_is_audited_at_the_press_of_a_button(browser: Browser, running: tuple[WebUI, Path]) -> None:
    ui, _ = running

    def serve(connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            connection.sendall(HELLO)

    with scripted_server(serve) as port:
        browser.open(ui.url + "loadgen")
        browser.type("audit-host", f"http://127.0.0.1:{port}")
        browser.click("button", "Audit the target")
        browser.wait(lambda: re.search(r": ([5-9]|\d\d) of \d+ known", browser.text("#audit")))
        assert b"an audit of the target is on" in ui.post("swarm", "user_count=1&spawn_rate=1&host=")
        browser.click("button", "Stop the audit")
        browser.wait_text("#audit .loadgen-facts", "interrupted: it says what was known by then")
    rows = {row[0]: row for row in browser.table("Findings") if len(row) > 1}
    assert rows["HTTP/1.1 stays open"][3] == "ok"
    check_audit(json.loads(ui.get("loadgen/audit.json").body))

    browser.type("audit-host", "ftp://files")
    browser.click("button", "Audit the target")
    browser.wait_text("#audit [role=alert]", "'ftp' is unknown")
    assert browser.complaints() == []
