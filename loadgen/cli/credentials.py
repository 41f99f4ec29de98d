"""What a run did not record because it is secret, given again where the run goes on. Knows no file.

What is given fits if it would be recorded as the run has it: --resume changes nothing of a plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadgen.model.csv_values import read_csv
from loadgen.model.exceptions import PlanError
from loadgen.model.headers import parse_header
from loadgen.model.plan import Plan
from loadgen.model.planned_request import PlannedRequest
from loadgen.model.proxy import Proxy, parse_proxy
from loadgen.model.redaction import is_redacted_field, missing_in_url, missing_names, redact_body
from loadgen.model.request_body import read_body
from loadgen.model.request_list import read_requests
from loadgen.model.target import Target, parse_target
from loadgen.model.templating import Templating

GIVEN_AGAIN = frozenset({"url", "data", "header", "proxy", "urls"})
"""The options that may hold what was not recorded."""

_STANDS = "--resume goes on with the plan as it stands;"


def with_secrets(plan: Plan, options: Mapping[str, Any]) -> Plan:
    """The recorded plan with its secrets, as the options give them. Raises PlanError unless just those are given."""
    return replace(
        plan,
        headers=_headers(plan, options["header"]),
        proxy=_proxy(plan.proxy, options["proxy"]),
        target=_target(plan.target, options["url"]),
        body=_body(plan.body, options["data"]),
        templating=_templating(plan.templating),
        requests=_requests(plan.requests, options["urls"]),
    )


def _headers(plan: Plan, lines: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    given = {name.lower(): value for name, value in map(parse_header, lines)}
    hidden = {name.lower(): name for name, value in plan.headers if is_redacted_field(value)}
    for low, name in hidden.items():
        if low not in given:
            raise PlanError(f"the run did not record its credential {name}; give it again with -H '{name}: ...'")
    for low in given:
        if low not in hidden:
            raise PlanError(f"{_STANDS} the header {low!r} can't be added to it")
    return tuple((name, given[name.lower()] if name.lower() in hidden else value) for name, value in plan.headers)


def _proxy(recorded: Proxy | None, given: str | None) -> Proxy | None:
    if given is None:
        if recorded is not None:
            recorded.check_credentials()
        return recorded
    proxy = parse_proxy(given)
    fits = recorded is not None and recorded.is_hidden and recorded.url(secrets=False) == proxy.url(secrets=False)
    if not fits or proxy.user is None or proxy.is_hidden:
        raise PlanError(f"{_STANDS} --proxy can only give its credentials again")
    return proxy


def _target(recorded: Target, given: str | None) -> Target:
    missing = missing_in_url(recorded.path)
    if given is None:
        if missing:
            raise PlanError(f"the run did not record its URL's {missing[0]}; give the URL again: {recorded}")
        return recorded
    target = parse_target(given)
    if not missing or str(target) != str(recorded) or missing_in_url(target.path):
        raise PlanError(f"{_STANDS} a URL can only give the run's own again, with what was not recorded of it")
    return target


def _requests(recorded: tuple[PlannedRequest, ...], given: str | None) -> tuple[PlannedRequest, ...]:
    """Several requests, with their credentials and with the rows of their files."""
    lacking = next((one for one in recorded if one.missing), None)
    if not given:
        if lacking is not None:
            raise PlanError(
                f"the run did not record {lacking.missing}, of the request {lacking.name!r}; give --urls again"
            )
        return recorded
    requests = read_requests(given)
    if lacking is None or _as_recorded(requests) != _as_recorded(recorded):
        raise PlanError(f"{_STANDS} --urls can only give the run's own list again, with what was not recorded of it")
    return requests


def _as_recorded(requests: tuple[PlannedRequest, ...]) -> list[dict[str, Any]]:
    return [one.record(secrets=False) for one in requests]


def _templating(recorded: Templating) -> Templating:
    """With the rows of its file, which are never recorded."""
    values = recorded.values
    if values is None or values.rows:
        return recorded
    found = read_csv(Path(values.file))
    if found.columns != values.columns:
        raise PlanError(f"csv {values.file} has other columns than the run, which had {', '.join(values.columns)}")
    return replace(recorded, values=found)


def _body(recorded: bytes, given: str | bytes | None) -> bytes:
    missing = missing_names(recorded)
    if given is None:
        if missing:
            raise PlanError(f"the run did not record its body's {missing[0]}; give --data again")
        return recorded
    body = read_body(given)
    if not missing or redact_body(body) != recorded or missing_names(body):
        raise PlanError(f"{_STANDS} --data can only give the run's own again, with what was not recorded of it")
    return body
