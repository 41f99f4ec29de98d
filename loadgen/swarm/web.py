"""loadgen in Locust's web UI: a tab with live figures, a page with charts and an audit, downloads, a check of the form.

Knows the run through a `View` alone; measures and draws nothing. Its handlers run in the process that makes the load,
so each does as little as it can. Names in a request are looked up in a list, and never become a part of a path.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol

from flask import jsonify, make_response, request
from flask.typing import ResponseReturnValue

from loadgen.swarm.form_fields import form_fields, without_ours
from loadgen.swarm.locust_states import ENDING, LOADING, RUNNING
from loadgen.swarm.web_pages import FILES, AuditView, View, add_pages

if TYPE_CHECKING:
    from flask import Flask, Response

TAB_KEY = "connection-reuse"
TAB_TITLE = "Connection reuse"  # tab.js finds the tab by it

_INDEX_TAGS = (
    '<link rel="stylesheet" href="./loadgen/static/colours.css">'
    '<link rel="stylesheet" href="./loadgen/static/style.css">'
    f'<script type="application/json" id="loadgen-options">{json.dumps(form_fields())}</script>'
    '<script type="module" src="./loadgen/static/tab.js"></script>'
)


class Form(Protocol):
    """Locust's start form, as loadgen fills, reads and checks it."""

    def fill(self, fields: Mapping[str, Any]) -> None:
        """Put what our fields show into Locust's description of them, by name."""

    def taken(self, form: Mapping[str, str]) -> Mapping[str, str]:
        """What was meant by a form that came back."""

    def refusal(self, form: Mapping[str, str]) -> str | None:
        """Why a form, as `taken` gives it, can't start a run, in one line; None if it can."""


def install(environment: Any, view: View, form: Form, audit: AuditView) -> None:
    """Add all of it; for Locust's `init` event, before the server starts.

    Raises ValueError when the environment has no web UI.
    """
    web_ui = environment.web_ui
    if web_ui is None or web_ui.app is None:
        raise ValueError("there is no web UI to add anything to")
    app = web_ui.app
    add_pages(app, web_ui, view, audit)
    _wrap(app, "locust.index", lambda index: _with_tab(index, web_ui, app))
    _wrap(app, "locust.request_stats", _still_asked_for)
    # Behind the login as Locust's own start of a run is.
    _wrap(app, "locust.swarm", lambda swarm: web_ui.auth_required_if_enabled(_checked(swarm, environment, form)))
    _fill(web_ui, form)


def _wrap(app: Flask, endpoint: str, wrapper: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    inner = app.view_functions[endpoint]
    app.view_functions[endpoint] = wraps(inner)(wrapper(inner))


def _with_tab(index: Callable[[], Any], web_ui: Any, app: Flask) -> Callable[[], Response]:
    """Locust's page with our tab in it. The tab has no table of Locust's, so it is empty: tab.js fills it."""

    def page() -> Response:
        _list_tab(web_ui.template_args)
        response: Response = app.make_response(index())
        head, end, tail = response.get_data(as_text=True).rpartition("</body>")
        if response.status_code == 200 and end:
            response.set_data(head + _INDEX_TAGS + end + tail)
        return response

    return page


def _still_asked_for(request_stats: Callable[[], Any]) -> Callable[[], Response]:
    """Locust's figures for its page, which asks for no newer ones, and so never offers a new run, once it has read that
    the users are being stopped: it reads that they run until they are."""

    def stats() -> Response:
        response = make_response(request_stats())
        if any(f'"{state}"'.encode() in response.data for state in ENDING):
            figures = response.get_json(silent=True)
            if isinstance(figures, dict) and figures.get("state") in ENDING:
                return jsonify({**figures, "state": RUNNING})  # the answer itself is kept by Locust for a while
        return response

    return stats


def _list_tab(template_args: dict[str, Any]) -> None:
    """Add our tab and downloads to those of others in Locust's page. A second call changes nothing."""
    tabs = template_args.get("extended_tabs") or []
    if not any(tab["key"] == TAB_KEY for tab in tabs):
        template_args["extended_tabs"] = [*tabs, {"title": TAB_TITLE, "key": TAB_KEY}]
    files = template_args.get("extended_csv_files") or []
    known = {file["href"] for file in files}
    ours = [{"href": f"./loadgen/files/{name}", "title": f"{title} ({name})"} for name, title in FILES.items()]
    template_args["extended_csv_files"] = [*files, *(one for one in ours if one["href"] not in known)]


def _fill(web_ui: Any, form: Form) -> None:
    """Let Locust's description of its form, which it makes anew for each page, hold what our fields are to show."""
    web_ui.app.jinja_env.policies["json.dumps_kwargs"] = {"sort_keys": False}  # the form has the order of its fields
    describe = web_ui.update_template_args

    def describe_and_fill() -> None:
        describe()
        form.fill(web_ui.template_args.get("extra_options") or {})

    web_ui.update_template_args = describe_and_fill


def _checked(swarm: Callable[[], Any], environment: Any, form: Form) -> Callable[[], ResponseReturnValue]:
    """Locust's start of a run, behind a check of its form. The form that edits a running test changes none of our
    options: a run has read them."""

    def start() -> ResponseReturnValue:
        is_edit = environment.runner is not None and environment.runner.state in LOADING
        taken = without_ours(request.form) if is_edit else form.taken(request.form)
        message = None if is_edit else form.refusal(taken)
        if message is not None:  # in the shape of Locust's own refusals
            return jsonify({"success": False, "message": message, "host": environment.host})
        request.form = taken  # type: ignore[assignment] # Locust's handler reads it there
        started: ResponseReturnValue = swarm()
        return started

    return start
