"""Our share of Locust's web UI: a tab with live figures, a page with charts, downloads, a look at the start form.

Knows the run through a `View` alone; measures and draws nothing. Its handlers run on the hub that makes the load, so
each does as little as it can. What is asked for by name is looked up in a list, and never becomes a part of a path.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from flask import Blueprint, Response, jsonify, request, send_file
from flask.typing import ResponseReturnValue
from locust.runners import STATE_RUNNING, STATE_SPAWNING

if TYPE_CHECKING:
    from flask import Flask
    from locust.env import Environment
    from locust.web import WebUI

TAB_KEY = "connection-reuse"
TAB_TITLE = "Connection reuse"  # tab.js knows the tab by it
FILES = {"summary.json": "Download summary", "samples.npz": "Download samples", "report.html": "Open report"}

_STATIC = Path(__file__).parent / "static"
_MIMETYPES = {
    ".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml", ".png": "image/png",
}  # fmt: skip
_CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PAGE_POLICY = f"{_CLOSED}; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
# Charts and the report carry their style, and the report its pictures, inside; neither has a script.
_DRAWN_POLICY = f"{_CLOSED}; script-src 'none'; style-src 'unsafe-inline'; img-src data:"
_INDEX_TAGS = (
    '<link rel="stylesheet" href="./loadgen/static/style.css">'
    '<script type="module" src="./loadgen/static/tab.js"></script>'
)


class View(Protocol):
    """A process's present run, or its last one, as the web UI shows it."""

    def live(self) -> dict[str, Any]:
        """The figures so far.

        state: idle, running, finishing, finished or failed; run, directory, url: str or None; round: the present one,
        counted from 1, and 0 before it; blocks: how many are done; users; message: what went wrong; verdict: one
        sentence, empty while there is none; warnings: [{code, message}]; charts_version: grows with each redraw;
        policies: [{name, requests, throughput_rps, p50_ns, p99_ns, phases_ns: {phase: mean}, opened, ideal,
        reuse_ratio, errors: {kind: n}}], None where there is nothing yet. After the end they are `summary.json`'s.
        """

    def charts(self) -> tuple[Path | None, list[str]]:
        """The folder and the file names (SVG or PNG) of the charts drawn so far; asks for newer ones."""

    def file(self, name: str) -> Path | None:
        """Where a file of FILES lies; None while it isn't there."""

    def refuse(self, form: Mapping[str, str]) -> str | None:
        """Why a run can't start with what the form says, in one line; None if it can."""


def install(environment: Environment, view: View) -> None:
    """Add tab, page, downloads and the look at the start form; for Locust's `init` event, before the server starts.

    Raises ValueError when the environment has no web UI.
    """
    web_ui = environment.web_ui
    if web_ui is None or web_ui.app is None:
        raise ValueError("there is no web UI to add anything to")
    app = web_ui.app
    _add_pages(app, web_ui, view)
    _wrap(app, "locust.index", lambda index: _with_tab(index, web_ui, app))
    _wrap(app, "locust.swarm", lambda swarm: _behind_login(web_ui, _checked(swarm, environment, view)))


def _wrap(app: Flask, endpoint: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    inner = app.view_functions[endpoint]
    app.view_functions[endpoint] = wraps(inner)(wrapper(inner))


def _behind_login(web_ui: WebUI, handler: Callable[..., Any]) -> Callable[..., Any]:
    """As Locust's own pages are, where --web-login is given."""
    guarded: Callable[..., Any] = web_ui.auth_required_if_enabled(handler)
    return guarded


# Locust's own pages


def _with_tab(index: Callable[[], Any], web_ui: WebUI, app: Flask) -> Callable[[], Response]:
    """Locust's page with our tab in it. Without a table of Locust's the tab is empty: tab.js fills it."""

    def page() -> Response:
        _list_tab(web_ui.template_args)
        response: Response = app.make_response(index())
        head, end, tail = response.get_data(as_text=True).rpartition("</body>")
        if response.status_code == 200 and end:
            response.set_data(head + _INDEX_TAGS + end + tail)
        return response

    return page


def _list_tab(template_args: dict[str, Any]) -> None:
    """Tell Locust's page of our tab and downloads, beside what others have told it. Twice is the same as once."""
    tabs = template_args.get("extended_tabs") or []
    if not any(tab["key"] == TAB_KEY for tab in tabs):
        template_args["extended_tabs"] = [*tabs, {"title": TAB_TITLE, "key": TAB_KEY}]
    files = template_args.get("extended_csv_files") or []
    known = {file["href"] for file in files}
    ours = [{"href": f"./loadgen/files/{name}", "title": f"{title} ({name})"} for name, title in FILES.items()]
    template_args["extended_csv_files"] = [*files, *(one for one in ours if one["href"] not in known)]


def _checked(swarm: Callable[[], Any], environment: Environment, view: View) -> Callable[[], ResponseReturnValue]:
    """Locust's start of a run, behind a look at its form. The same form edits a run's users, which is not ours."""

    def start() -> ResponseReturnValue:
        running = environment.runner is not None and environment.runner.state in (STATE_SPAWNING, STATE_RUNNING)
        message = None if running else view.refuse(request.form)
        if message is not None:  # as Locust itself refuses
            return jsonify({"success": False, "message": message, "host": environment.host})
        started: ResponseReturnValue = swarm()
        return started

    return start


# Pages of ours


def _add_pages(app: Flask, web_ui: WebUI, view: View) -> None:
    # Beside Locust's pages, whatever --web-base-path says.
    prefix = (app.blueprints["locust"].url_prefix or "").rstrip("/") + "/loadgen"
    pages = Blueprint("loadgen", __name__, url_prefix=prefix)
    static = {path.name: path.read_bytes() for path in _STATIC.iterdir() if path.suffix in _MIMETYPES}
    charts = _Charts(view)

    def route(path: str, handler: Callable[..., ResponseReturnValue]) -> None:
        pages.add_url_rule(path, handler.__name__, _behind_login(web_ui, handler))

    def page() -> Response:
        return _page(static["page.html"])

    def live() -> Response:
        return _json({**view.live(), "files": [name for name in FILES if view.file(name) is not None]})

    def chart_names() -> Response:
        return _json(charts.names())

    def chart(name: str) -> Response:
        return _file(charts.find(name), f"There is no chart {name} yet.")

    def file(name: str) -> Response:
        path = view.file(name) if name in FILES else None
        as_attachment = name != "report.html" or "download" in request.args
        return _file(path, f"There is no {name} yet: it is written when a run ends.", as_attachment)

    def asset(name: str) -> Response:
        return _asset(name, static.get(name))

    for path, handler in (
        ("", page), ("/live", live), ("/charts", chart_names), ("/charts/<name>", chart), ("/files/<name>", file),
        ("/static/<name>", asset),
    ):  # fmt: skip
        route(path, handler)
    pages.after_request(_harden)
    app.register_blueprint(pages)


class _Charts:
    """The charts that a page was last told of: fetching a picture must not ask for the next one to be drawn."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._told: dict[str, Path] = {}

    def names(self) -> list[str]:
        """What there is to show now; asks for newer charts."""
        folder, names = self._view.charts()
        self._told = {} if folder is None else {name: folder / name for name in names}
        return list(self._told)

    def find(self, name: str) -> Path | None:
        if name not in self._told:  # a page that was open before this process began
            self.names()
        return self._told.get(name)


def _page(content: bytes) -> Response:
    response = Response(content, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _PAGE_POLICY
    return response


def _asset(name: str, content: bytes | None) -> Response:
    if content is None:
        return _missing("There is no such file.")
    return Response(content, mimetype=_MIMETYPES[Path(name).suffix])


def _json(value: Any) -> Response:
    return Response(json.dumps(value), mimetype="application/json")


def _file(path: Path | None, missing: str, as_attachment: bool = False) -> Response:
    """A file of a run's folder, or one line saying that it isn't there."""
    if path is None or not path.is_file():
        return _missing(missing)
    mimetype = _MIMETYPES.get(path.suffix)
    response = send_file(path.resolve(), mimetype, as_attachment, download_name=path.name, conditional=False)
    response.headers["Content-Security-Policy"] = _DRAWN_POLICY
    return response


def _missing(message: str) -> Response:
    return Response(message, status=404, mimetype="text/plain")


def _harden(response: Response) -> Response:
    """Whatever we answer is what it says it is, shows nothing of elsewhere, and answers no later request."""
    response.headers.setdefault("Content-Security-Policy", _CLOSED)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
