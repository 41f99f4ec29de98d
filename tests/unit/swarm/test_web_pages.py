"""loadgen's pages and its check of the start form, asked by Flask's own client: no Locust, no browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from flask import Blueprint, Flask, jsonify, redirect, request
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from loadgen.show.export import EXPORTERS, Written
from loadgen.swarm.web import TAB_KEY, install

INDEX = "<html><body>theirs</body></html>"


class FolderView:
    """Shows what lies in a folder. asked: how often charts were asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked = 0
        for name in ("charts", "files"):
            (folder / name).mkdir()

    def live(self) -> dict[str, Any]:
        return {"state": "idle"}

    def plots(self) -> dict[str, Any]:
        return {"policies": ["close"]}

    def charts(self) -> tuple[Path | None, list[str]]:
        self.asked += 1
        folder = self.folder / "charts"
        return folder, sorted(path.name for path in folder.iterdir())

    def export(self, name: str) -> Path | None:
        if name == "otlp":
            raise ValueError("the export otlp could not be made: no room")
        return self.folder / "report.html" if name == "html" else None

    def file(self, name: str) -> Path | None:
        path = self.folder / "files" / name
        return path if path.exists() else None

    def write(self, name: str, text: str = "<svg/>") -> None:
        (self.folder / name).write_text(text, encoding="utf-8")


class ScriptedForm:
    """Shows `***`, which means something else."""

    def fill(self, fields: Mapping[str, Any]) -> None:
        for field in fields.values():
            field["default_value"] = "***"

    def taken(self, form: Mapping[str, str]) -> Mapping[str, str]:
        return MultiDict({name: "secret" if value == "***" else value for name, value in form.items()})

    def refusal(self, form: Mapping[str, str]) -> str | None:
        return "'ftp://files' is no target" if form.get("host", "").startswith("ftp") else None


class ScriptedAudit:
    """Starts an audit of every host but `busy`. asked: what it was asked to do."""

    def __init__(self) -> None:
        self.record: Any = None
        self.asked: list[str] = []

    def start(self, host: str) -> str:
        self.asked.append(f"start {host}")
        return "a run is on" if host == "busy" else ""

    def stop(self) -> None:
        self.asked.append("stop")

    def view(self) -> dict[str, Any]:
        return {"state": "idle"}


class Locust:
    """As much of Locust's web UI as is used. started: how many runs it has started."""

    def __init__(self, view: FolderView, prefix: str | None = None, login: bool = False) -> None:
        self.audit = ScriptedAudit()
        self.app = Flask(__name__)
        self.started = 0
        self.form: Mapping[str, str] = {}
        self.template_args: dict[str, Any] = {}
        self.is_logged_in = not login
        self.runner = SimpleNamespace(state="ready")
        pages = Blueprint("locust", __name__, url_prefix=prefix)
        pages.add_url_rule("/", "index", self.auth_required_if_enabled(self._index))
        pages.add_url_rule("/swarm", "swarm", self.auth_required_if_enabled(self._swarm), methods=["POST"])
        self.state = "running"
        pages.add_url_rule("/stats/requests", "request_stats", lambda: jsonify(state=self.state, total_rps=7))
        self.app.register_blueprint(pages)
        environment = SimpleNamespace(web_ui=self, runner=self.runner, host="http://127.0.0.1:9")
        install(environment, view, ScriptedForm(), self.audit)
        self.client: FlaskClient = self.app.test_client()

    def get(self, path: str) -> Any:
        """The whole answer, its file closed."""
        return self.client.get(path, buffered=True)

    def auth_required_if_enabled(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        return lambda **values: handler(**values) if self.is_logged_in else redirect("/login")

    def _index(self) -> str:
        self.update_template_args()
        return INDEX

    def update_template_args(self) -> None:
        self.template_args["extra_options"] = {"header": {"default_value": "secret"}}

    def _swarm(self) -> dict[str, bool]:
        self.started += 1
        self.form = request.form
        return {"success": True}


@pytest.fixture
def view(tmp_path: Path) -> FolderView:
    return FolderView(tmp_path)


@pytest.fixture
def locust(view: FolderView) -> Locust:
    return Locust(view)


def test_without_a_web_ui_there_is_nothing_to_add_to(view: FolderView) -> None:
    with pytest.raises(ValueError, match="there is no web UI"):
        install(SimpleNamespace(web_ui=None), view, ScriptedForm(), ScriptedAudit())


def test_locust_s_page_gets_the_tab_and_the_downloads_once(locust: Locust) -> None:
    locust.template_args["extended_tabs"] = [{"title": "Theirs", "key": "theirs"}]
    for _ in range(2):
        page = locust.get("/").text
    assert page.startswith("<html><body>theirs<link")
    assert page.endswith('tab.js"></script></body></html>')
    assert [tab["key"] for tab in locust.template_args["extended_tabs"]] == ["theirs", TAB_KEY]
    titles = [file["title"] for file in locust.template_args["extended_csv_files"]]
    assert titles[:4] == [
        "Download summary (summary.json)", "Download samples (samples.npz)", "Open report (report.html)",
        "Download report in Markdown (report.md)",
    ]  # fmt: skip
    offered = [one for one in EXPORTERS.values() if one.written is not Written.ON_REQUEST]
    assert len(titles) == len(offered) + 1  # the samples


def test_the_files_that_are_there_are_listed_with_the_figures(locust: Locust, view: FolderView) -> None:
    assert locust.get("/loadgen/live").json == {"state": "idle", "files": []}
    for name in ("report.html", "summary.json", "run.json"):
        view.write(f"files/{name}")
    live = locust.get("/loadgen/live").json
    assert live is not None
    assert live["files"] == [{"name": "summary.json", "opens": False}, {"name": "report.html", "opens": True}]


def test_a_report_opens_unless_it_is_to_be_saved(locust: Locust, view: FolderView) -> None:
    view.write("files/report.html", "<p>all of it</p>")
    view.write("files/summary.json", "{}")
    opened, saved = (locust.get(f"/loadgen/files/report.html{query}") for query in ("", "?download"))
    assert opened.data == saved.data == b"<p>all of it</p>"
    assert "attachment" not in opened.headers["Content-Disposition"]
    assert saved.headers["Content-Disposition"] == "attachment; filename=report.html"
    summary = locust.get("/loadgen/files/summary.json")
    assert summary.headers["Content-Disposition"] == "attachment; filename=summary.json"


def test_a_picture_is_found_by_its_name_in_the_list(locust: Locust, view: FolderView) -> None:
    view.write("charts/phases.svg")
    assert locust.get("/loadgen/charts").json == ["phases.svg"]
    assert locust.get("/loadgen/charts/phases.svg").mimetype == "image/svg+xml"
    view.write("charts/late.svg")
    assert locust.get("/loadgen/charts/late.svg").status_code == 200  # it was in no list


def test_a_file_that_is_not_there_is_named(locust: Locust) -> None:
    missing = locust.get("/loadgen/files/samples.npz")
    assert missing.status_code == 404
    assert missing.text == "There is no samples.npz yet: it is written when a run ends."
    assert locust.get("/loadgen/charts/phases.svg").text == "There is no chart phases.svg yet."


def test_only_what_is_listed_is_served(locust: Locust, view: FolderView) -> None:
    view.write("live.json", "{}")
    view.write("files/run.json", "{}")
    for folder, name in (
        *(("files", "run.json"), ("files", "../live.json"), ("charts", "../live.json")),
        *(("static", "../web.py"), ("static", "web.py")),
    ):
        assert locust.get(f"/loadgen/{folder}/{quote(name, safe='')}").status_code == 404
        assert locust.get(f"/loadgen/{folder}/{name}").status_code == 404


def test_every_answer_of_ours_is_closed_to_scripts_of_others(locust: Locust, view: FolderView) -> None:
    view.write("charts/phases.svg")
    view.write("files/summary.json", "{}")
    for path in ("", "/live", "/charts", "/charts/phases.svg", "/files/summary.json", "/static/tab.js", "/static/no"):
        answer = locust.get(f"/loadgen{path}")
        assert answer.status_code == (404 if path == "/static/no" else 200)
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none';")
        assert "script-src 'unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
    assert locust.get("/loadgen/static/d3.min.js").headers["Cache-Control"] == "private, max-age=86400"


def test_a_refused_form_starts_nothing_and_the_form_that_edits_a_test_is_not_checked(locust: Locust) -> None:
    def start(**form: str) -> dict[str, Any]:
        answer: dict[str, Any] = locust.client.post("/swarm", data=form).get_json()
        return answer

    refused = {"success": False, "message": "'ftp://files' is no target", "host": "http://127.0.0.1:9"}
    assert start(host="ftp://files") == refused
    assert (start(host="http://files"), locust.started) == ({"success": True}, 1)
    for state in ("spawning", "running"):
        locust.runner.state = state
        assert start(host="ftp://files") == {"success": True}
        assert start(user_count="2", header="***", ipv_4="true") == {"success": True}
        assert dict(locust.form) == {"user_count": "2"}  # a run has read our options
    locust.runner.state = "stopped"
    assert start(host="ftp://files") == refused
    assert locust.started == 5
    start(host="http://files", header="***")
    assert dict(locust.form) == {"host": "http://files", "header": "secret"}


def test_locust_s_page_shows_what_the_form_lets_it(locust: Locust) -> None:
    locust.get("/")
    assert locust.template_args["extra_options"] == {"header": {"default_value": "***"}}


def test_pages_are_beside_locust_s_under_a_base_path(view: FolderView) -> None:
    locust = Locust(view, prefix="/load")
    assert locust.get("/load/loadgen").status_code == 200
    assert locust.get("/loadgen").status_code == 404


def test_behind_a_login_nothing_of_ours_is_open(view: FolderView) -> None:
    locust = Locust(view, login=True)
    for path in ("", "/live", "/charts", "/charts/x.svg", "/files/summary.json", "/static/tab.js"):
        assert locust.get(f"/loadgen{path}").location == "/login"
    assert locust.client.post("/swarm", data={"host": "ftp://files"}).location == "/login"
    assert view.asked == 0


def test_an_audit_is_started_and_stopped_by_json_alone(view: FolderView) -> None:
    locust = Locust(view)
    assert locust.client.post("/loadgen/audit", json={"host": " http://a/ "}).get_json() == {"message": ""}
    assert locust.client.post("/loadgen/audit", json={"host": "busy"}).get_json() == {"message": "a run is on"}
    assert locust.client.post("/loadgen/audit", json={"stop": True}).status_code == 200
    asked = ["start http://a/", "start busy", "stop"]
    assert locust.audit.asked == asked
    for wrong in ({"data": {"host": "http://a/"}}, {"json": ["x"]}, {"json": {"host": 1}}, {"data": "{"}):
        assert locust.client.post("/loadgen/audit", **wrong).status_code == 415
    assert locust.audit.asked == asked


def test_an_audit_is_shown_and_its_record_is_there_once_it_has_ended(view: FolderView) -> None:
    locust = Locust(view)
    assert locust.get("/loadgen/audit").get_json() == {"state": "idle"}
    assert locust.get("/loadgen/audit.json").status_code == 404
    locust.audit.record = {"schema": 1}
    assert locust.get("/loadgen/audit.json").get_json() == {"schema": 1}


def test_an_audit_is_behind_the_login(view: FolderView) -> None:
    locust = Locust(view, login=True)
    assert locust.client.post("/loadgen/audit", json={"host": ""}).status_code == 302
    assert locust.get("/loadgen/audit").status_code == locust.get("/loadgen/audit.json").status_code == 302
    assert locust.audit.asked == []


def test_what_charts_are_drawn_from_and_with_is_there(locust: Locust) -> None:
    assert locust.get("/loadgen/plots").json == {"policies": ["close"]}
    assert locust.get("/loadgen/static/plots.js").mimetype == "text/javascript"
    assert locust.get("/loadgen/static/colours.css").mimetype == "text/css"


@pytest.mark.parametrize(
    ("state", "read"), [("running", "running"), ("cleanup", "running"), ("stopping", "running"), ("stopped", "stopped")]
)
def test_locust_s_page_goes_on_asking_while_users_are_being_stopped(locust: Locust, state: str, read: str) -> None:
    """It asks for nothing more once it has read a state between, and then shows no button for a new run."""
    locust.state = state
    assert locust.get("/stats/requests").json == {"state": read, "total_rps": 7}


def test_an_export_is_saved_unless_it_is_a_report(locust: Locust, view: FolderView) -> None:
    view.write("report.html", "<p>so far</p>")
    opened, saved = (locust.get(f"/loadgen/exports/html{query}") for query in ("", "?download"))
    assert opened.data == saved.data == b"<p>so far</p>"
    assert "attachment" not in opened.headers["Content-Disposition"]
    assert saved.headers["Content-Disposition"] == "attachment; filename=report.html"
    assert "script-src 'sha256-" in opened.headers["Content-Security-Policy"]
    assert locust.get("/loadgen/exports/csv").status_code == 404
    failed = locust.get("/loadgen/exports/otlp")
    assert (failed.status_code, failed.text) == (500, "the export otlp could not be made: no room")
