"""loadgen's own pages beside Locust's: live figures, charts, a run's files, and the scripts that show them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from flask import Blueprint, Response, request, send_file
from flask.typing import ResponseReturnValue

from loadgen.measure.data.npz import SAMPLES_FILE
from loadgen.show.export import EXPORTERS, Written
from loadgen.show.export.html import HTML
from loadgen.show.export.json import JSON
from loadgen.show.export.page import hash_source
from loadgen.show.export.scripts import scripted_policy
from loadgen.swarm.web_assets import LIBRARIES, LIBRARY_STYLE, MIMETYPES, assets

if TYPE_CHECKING:
    from flask import Flask

REPORT = HTML.file_name
_EXPORTS = {
    one.file_name: f"{'Open' if one is HTML else 'Download'} {one.title}"
    for one in EXPORTERS.values()
    if one.written is not Written.ON_REQUEST
}
FILES = {JSON.file_name: _EXPORTS[JSON.file_name], SAMPLES_FILE: "Download samples"} | _EXPORTS
"""The files of a run's folder that the web UI offers, with the names of their links."""

_CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PAGE_POLICY = (
    f"{_CLOSED}; script-src 'self'; style-src 'self' {hash_source(LIBRARY_STYLE)}; img-src 'self'; connect-src 'self'"
)
# Charts have their style inside, and no script. The report has scripts too: its own, and no other.
_DRAWN_POLICY = f"{_CLOSED}; script-src 'none'; style-src 'unsafe-inline'; img-src data:"


class View(Protocol):
    """A process's present run, or its last one, as the web UI shows it."""

    def live(self) -> dict[str, Any]:
        """The figures so far, for JSON.

        state: idle, running, finishing, finished or failed
        run, directory, url: str or None
        round: the present one, counted from 1; 0 before the first
        blocks, users: how many are done, and are there
        message: what went wrong
        warnings: [{code, message}]
        charts_version, plots_version: grow with newer pictures, and with newer data for the charts that the page draws
        exports: [{name, title, opens}], the formats that can be had now
        verdict, verdict_lines, cards, gates, balance: the answer; see `live_page.shown_figures`
        policies: [{name, requests, throughput_rps, mean_ns, mean_ci95, p50_ns, p50_ci95, p99_ns, p99_ci95,
            phases_ns: {phase: mean}, opened, ideal, reuse_ratio, errors: {kind: n}}], None for a value that is not
            there yet; after the end those of `summary.json`
        """

    def plots(self) -> dict[str, Any]:
        """What the page's charts are drawn from, for JSON; see `live_page.shown_charts`."""

    def charts(self) -> tuple[Path | None, list[str]]:
        """The folder and the file names of the charts that a run has left as pictures; none while it goes on."""

    def file(self, name: str) -> Path | None:
        """Where a file of FILES is; None while it isn't there."""

    def export(self, name: str) -> Path | None:
        """The run as it is now in a format, written for this; None where there is no such thing now.

        Raises ValueError with one line where it could not be written.
        """


class AuditView(Protocol):
    """The audit of the target, as the web UI shows and starts it."""

    record: Any
    """The record of the last one; None before that."""

    def start(self, host: str) -> str:
        """Start one; says why that can't be, empty where it has begun."""

    def stop(self) -> None:
        """End it with what is known."""

    def view(self) -> dict[str, Any]:
        """What to show of it, for JSON: see TargetAudit."""


def add_pages(app: Flask, web_ui: Any, view: View, audit: AuditView) -> None:
    """Add them below `loadgen` beside Locust's pages, whatever --web-base-path says."""
    prefix = (app.blueprints["locust"].url_prefix or "").rstrip("/") + "/loadgen"
    pages = Blueprint("loadgen", __name__, url_prefix=prefix)
    audits = _AuditHandlers(audit)
    handlers = _Handlers(view).by_path() | {"/audit": audits.audit, "/audit.json": audits.audit_record}
    for path, handler in handlers.items():
        # Behind the login as Locust's own pages are.
        pages.add_url_rule(path, handler.__name__, web_ui.auth_required_if_enabled(handler))
    pages.add_url_rule("/audit", "audit_asked", web_ui.auth_required_if_enabled(audits.audit_asked), methods=["POST"])
    pages.after_request(_harden)
    app.register_blueprint(pages)


class _Handlers:
    """Each gives the answer to one path."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._static = assets()

    def by_path(self) -> dict[str, Callable[..., ResponseReturnValue]]:
        return {
            "": self.page,
            "/live": self.live,
            "/plots": self.plots,
            "/charts": self.chart_names,
            "/charts/<name>": self.chart,
            "/files/<name>": self.file,
            "/exports/<name>": self.export,
            "/static/<name>": self.asset,
        }

    def page(self) -> Response:
        response = Response(self._static["page.html"], mimetype="text/html")
        response.headers["Content-Security-Policy"] = _PAGE_POLICY
        return response

    def live(self) -> Response:
        """The figures, and the files that are there. opens: to be shown by the browser, not saved."""
        files = [{"name": name, "opens": name == REPORT} for name in FILES if self._view.file(name) is not None]
        return _json({**self._view.live(), "files": files})

    def plots(self) -> Response:
        return _json(self._view.plots())

    def chart_names(self) -> Response:
        return _json(self._view.charts()[1])

    def chart(self, name: str) -> Response:
        folder, names = self._view.charts()
        path = folder / name if folder is not None and name in names else None
        return _file(path, f"There is no chart {name} yet.")

    def file(self, name: str) -> Response:
        path = self._view.file(name) if name in FILES else None
        as_attachment = name != REPORT or "download" in request.args
        return _file(path, f"There is no {name} yet: it is written when a run ends.", as_attachment)

    def export(self, name: str) -> Response:
        try:
            path = self._view.export(name)
        except ValueError as error:
            return Response(str(error), status=500, mimetype="text/plain")
        return _file(path, f"There is no export {name} now.", name != HTML.name or "download" in request.args)

    def asset(self, name: str) -> Response:
        content = self._static.get(name)
        if content is None:
            return _missing("There is no such file.")
        response = Response(content, mimetype=MIMETYPES[Path(name).suffix])
        if name in LIBRARIES:  # half a megabyte that says nothing of a run
            response.headers["Cache-Control"] = "private, max-age=86400"
        return response


class _AuditHandlers:
    """The same for the audit of the target."""

    def __init__(self, audit: AuditView) -> None:
        self._audit = audit

    def audit(self) -> Response:
        return _json(self._audit.view())

    def audit_record(self) -> Response:
        record = self._audit.record
        return _missing("There is no audit yet.") if record is None else _json(record)

    def audit_asked(self) -> Response:
        """Start one of `{"host": TEXT}`, or `{"stop": true}`. Pages of other sites can't send JSON here (CORS)."""
        asked = request.get_json(silent=True) if request.is_json else None
        if not isinstance(asked, dict) or not isinstance(asked.get("host", ""), str):
            return Response('Send {"host": "http://…"} as JSON.', status=415, mimetype="text/plain")
        if asked.get("stop"):
            self._audit.stop()
            return _json({"message": ""})
        return _json({"message": self._audit.start(asked.get("host", "").strip())})


def _json(value: Any) -> Response:
    return Response(json.dumps(value), mimetype="application/json")


def _file(path: Path | None, missing: str, as_attachment: bool = False) -> Response:
    """A file of a run's folder, or one line saying that it isn't there."""
    if path is None or not path.is_file():
        return _missing(missing)
    mimetype = MIMETYPES.get(path.suffix)
    response = send_file(path.resolve(), mimetype, as_attachment, download_name=path.name, conditional=False)
    of_file = f"{scripted_policy()}; frame-ancestors 'none'" if path.name == REPORT else _DRAWN_POLICY
    response.headers["Content-Security-Policy"] = of_file
    return response


def _missing(message: str) -> Response:
    return Response(message, status=404, mimetype="text/plain")


def _harden(response: Response) -> Response:
    """Our answers have the type that they name, show nothing from elsewhere, and are kept for no later request."""
    response.headers.setdefault("Content-Security-Policy", _CLOSED)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if response.cache_control.max_age is None:
        response.headers["Cache-Control"] = "no-store"
    return response
