"""A locustfile whose users do nothing and whose web UI shows what a test has written into a folder.

The folder (LOADGEN_TEST_VIEW): `live.json`, `plots.json`, charts/, files/.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from locust import User, constant, events, task
from locust.env import Environment

from loadgen.swarm import web


class WrittenView:
    """What a test says that a run has come to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def live(self) -> dict[str, Any]:
        figures: dict[str, Any] = json.loads((self._folder / "live.json").read_text(encoding="utf-8"))
        return figures

    def plots(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((self._folder / "plots.json").read_text(encoding="utf-8"))
        return data

    def charts(self) -> tuple[Path | None, list[str]]:
        folder = self._folder / "charts"
        return folder, sorted(path.name for path in folder.iterdir())

    def export(self, name: str) -> Path | None:
        return self.file(f"export.{name}")

    def file(self, name: str) -> Path | None:
        path = self._folder / "files" / name
        return path if path.exists() else None


class NoAudit:
    """There is none, and none can be started."""

    record = None

    def start(self, host: str) -> str:
        return f"no audit of {host!r} here"

    def stop(self) -> None: ...

    def view(self) -> dict[str, Any]:
        return {
            "state": "idle", "message": "", "progress": "", "url": "", "facts": "", "counts": "", "headings": [],
            "groups": [],
        }  # fmt: skip


class AnyForm:
    """Refuses one kind of host."""

    def fill(self, fields: Mapping[str, Any]) -> None: ...

    def taken(self, form: Mapping[str, str]) -> Mapping[str, str]:
        return form

    def refusal(self, form: Mapping[str, str]) -> str | None:
        host = form.get("host", "")
        return f"'{host}' is no target: use http:// or https://" if host.startswith("ftp") else None


class Idle(User):
    """Sends nothing; there is only a run for Locust to start and stop."""

    host = "http://127.0.0.1:9"
    wait_time = constant(1)

    @task
    def rest(self) -> None: ...


@events.init.add_listener
def add_ours(environment: Environment, **_others: Any) -> None:
    web_ui = environment.web_ui
    assert web_ui is not None
    assert web_ui.app is not None
    if web_ui.web_login:
        web_ui.app.secret_key = "of this test"
        web_ui.login_manager.user_loader(lambda _name: None)
    # As another plugin's listener may have added before.
    web_ui.template_args["extended_tabs"] = [{"title": "Theirs", "key": "theirs"}]
    web_ui.template_args["extended_csv_files"] = [{"href": "/theirs", "title": "Theirs too"}]
    web.install(environment, WrittenView(Path(os.environ["LOADGEN_TEST_VIEW"])), AnyForm(), NoAudit())
