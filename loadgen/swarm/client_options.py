"""Types of the options that a scenario's requests take. `ReuseClient.request` says what each means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from loadgen.swarm.scenario_request import Auth, Pairs, Timeout


class Options(TypedDict, total=False):
    """Options of every request; see `ReuseClient.request`."""

    name: str | None
    catch_response: bool
    context: Mapping[str, Any] | None
    params: Pairs | str | bytes | None
    headers: Mapping[str, str | bytes | None] | None
    cookies: Any
    files: Any
    auth: Auth | None
    timeout: Timeout | None
    allow_redirects: bool
    stream: bool | None
    verify: bool | str | None
    cert: str | tuple[str, str] | None
    hooks: Mapping[str, Any] | None
    proxies: Mapping[str, str] | None


class BodyOptions(Options, total=False):
    """Options of a request that seldom has a body."""

    data: Any
    json: Any


class JsonOptions(Options, total=False):
    """Options of a request whose body is an argument of its own, unless it is JSON."""

    json: Any
