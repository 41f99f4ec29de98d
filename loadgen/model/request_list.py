"""A list of requests: JSON lines, one request each, from a file or a text. Sends nothing.

{"url": "/cart", "method": "POST", "weight": 3, "name": "add", "headers": {"X-A": "b"}, "body": "text or @FILE"}
{"url": "/item/{id}?user={user}", "csv": "items.csv"}
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from loadgen.model.csv_values import NO_VALUES, read_csv
from loadgen.model.exceptions import PlanError
from loadgen.model.headers import check_headers
from loadgen.model.input_files import read_input
from loadgen.model.planned_request import PlannedRequest
from loadgen.model.redaction import HIDDEN, redact_body, redact_field, redact_url
from loadgen.model.request_body import read_body
from loadgen.model.request_method import as_sent, check_method
from loadgen.model.request_template import PLACE, Template, literal
from loadgen.model.target import parse_target
from loadgen.model.template_check import checked_names, decoded

MAX_REQUESTS = 1_000
MAX_WEIGHT = 1_000_000
_MAX_FILE_BYTES = 64 << 20
_MAX_NAME = 80
_MARK = "~.{}.~"
_KEYS = ("url", "method", "weight", "name", "headers", "body", "csv", "chunked")


def is_text(value: str) -> bool:
    """Whether it is the list itself, and not the name of its file."""
    return value.lstrip().startswith("{")


def read_requests(value: str) -> tuple[PlannedRequest, ...]:
    """The requests that the text, or the file of this name, lists. Raises PlanError, which names file and line."""
    if is_text(value):
        where, folder, text = "--urls", Path(), value
    else:
        path = Path(value)
        where, folder = f"--urls {value}", path.parent
        try:
            text = read_input(path, "--urls", _MAX_FILE_BYTES).decode("utf-8")
        except UnicodeDecodeError:
            raise PlanError(f"{where} is not in UTF-8") from None
    found: list[PlannedRequest] = []
    names: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            request = _request(line, folder, f"{where}, line {number}")
            if request.name in names:
                raise PlanError(
                    f"{where}, line {number}: the name {request.name!r} stands in line {names[request.name]} too; "
                    "give each request a name of its own"
                )
            names[request.name] = number
            found.append(request)
    if not found:
        raise PlanError(f'{where} lists no request; write a line like {{"url": "/"}} for each')
    if len(found) > MAX_REQUESTS:
        raise PlanError(f"{where} lists {len(found):,} requests; {MAX_REQUESTS:,} is the most")
    return tuple(found)


def as_lines(requests: tuple[PlannedRequest, ...]) -> str:
    """The inverse, without credentials."""
    return "".join(f"{json.dumps(dict(_line(request)), ensure_ascii=False)}\n" for request in requests)


def redact_line(line: str) -> str:
    """A line without credentials, as it stands where it has none; HIDDEN for one that can't be read."""
    try:
        keys = _object(line)
        shown = dict(_shown(keys))
    except (PlanError, ValueError):
        return HIDDEN if line.strip() else line
    return line if shown == keys else json.dumps(shown, ensure_ascii=False)


def _shown(keys: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The keys of a line without credentials. Raises ValueError."""
    for key, value in keys.items():
        if key == "headers" and isinstance(value, dict):
            yield key, {name: redact_field(name, str(text)) for name, text in value.items()}
        elif key == "body_base64":
            yield key, b64encode(redact_body(b64decode(str(value), validate=True))).decode("ascii")
        elif key == "body" and not names_file(keys):
            yield key, redact_body(str(value).encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
        else:
            yield key, redact_url(value) if isinstance(value, str) else value


def names_file(keys: Mapping[str, Any]) -> bool:
    """Whether a line with these keys is read with another file."""
    return bool(keys.get("csv")) or str(keys.get("body", "")).startswith("@")


def has_file(line: str) -> bool:
    """Whether a line is read with another file; False for one that can't be read."""
    try:
        return names_file(_object(line))
    except PlanError:
        return False


def _line(request: PlannedRequest) -> Iterator[tuple[str, Any]]:
    record = request.record(secrets=False)
    yield "url", request.origin + record["path"]
    yield from ((key, record[key]) for key in ("name", "weight"))
    if request.method:
        yield "method", request.method
    if request.headers:
        # Lines are read as templates, and what is none may look like one.
        yield "headers", {name: text if request.is_template else literal(text) for name, text in record["headers"]}
    if request.values.columns:
        yield "csv", HIDDEN
    if request.chunked:
        yield "chunked", True
    if request.body:
        body = redact_body(request.body)
        yield "body_base64", b64encode(body if request.is_template else _literal(body)).decode("ascii")


def _request(line: str, folder: Path, where: str) -> PlannedRequest:
    try:
        return _of_keys(_object(line), folder)
    except PlanError as error:
        raise PlanError(f"{where}: {error}") from None


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise PlanError('it is not JSON; write it like {"url": "/cart", "method": "POST"}') from None
    if not isinstance(found, dict):
        raise PlanError('it is no JSON object; write it like {"url": "/cart", "method": "POST"}')
    for key in found:
        if key not in (*_KEYS, "body_base64"):
            raise PlanError(f"the key {key[:_MAX_NAME]!r} is unknown; use {', '.join(_KEYS)}")
    return found


def _of_keys(keys: dict[str, Any], folder: Path) -> PlannedRequest:
    origin, path = _place(_text(keys, "url", ""))
    file = _text(keys, "csv", "")
    if file == HIDDEN:
        raise PlanError("what its csv holds was not recorded; give --urls again")
    values = read_csv(folder / file) if file else NO_VALUES
    method = as_sent(_text(keys, "method", ""))
    if "method" in keys:
        check_method(method)
    headers = _headers(keys.get("headers", {}))
    body = _body(keys, folder)
    names = checked_names(path, headers, body, replace(values, file=file))
    if not names:
        headers = tuple((name, _plain(text)) for name, text in headers)
        body = _plain(decoded(body)).encode("utf-8", "surrogateescape")
    found = PlannedRequest(
        name=_name(keys, f"{method or ''} {redact_url(path)}".strip()),
        path=path,
        weight=_weight(keys.get("weight", 1)),
        method=method,
        origin=origin,
        headers=headers,
        body=body,
        is_template=bool(names),
        values=values,
        chunked=_is_chunked(keys),
    )
    if found.missing:
        raise PlanError(f"{found.missing} was not recorded; give --urls again")
    return found


def _text(keys: dict[str, Any], key: str, default: str) -> str:
    value = keys.get(key, default)
    if not isinstance(value, str):
        raise PlanError(f"{key} is not a text in quotes")
    return value


def _place(url: str) -> tuple[str, str]:
    """The origin, empty for the target's, and the path with its query."""
    if not url:
        raise PlanError('it has no url; write it like {"url": "/cart"}')
    # A URL can't hold braces: marks of characters that it can hold stand for them while it is read.
    if not url.startswith("/") and (found := PLACE.search(url.partition("://")[2].partition("/")[0])):
        raise PlanError(f"the template {found[0]} does not stand in the URL's path or query")
    url = PLACE.sub(lambda found: found[0] if found[1] is None else quote(f"{{{found[1]}}}", safe=":"), url)
    places = [found[0] for found in PLACE.finditer(url)]
    for number, place in enumerate(places):
        url = url.replace(place, _MARK.format(number), 1)
    target = parse_target(f"http://target{url}" if url.startswith("/") else url)
    path = target.path
    for number, place in enumerate(places):
        path = path.replace(_MARK.format(number), place, 1)
    return "" if url.startswith("/") else target.base_url, path


def _name(keys: dict[str, Any], usual: str) -> str:
    name = _text(keys, "name", usual[:_MAX_NAME])
    if not name or len(name) > _MAX_NAME or not name.isprintable():
        raise PlanError(f"the name {name[:_MAX_NAME]!r} can't be used; write up to {_MAX_NAME} characters on one line")
    return name


def _weight(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= MAX_WEIGHT:
        raise PlanError(f"the weight is {json.dumps(value)[:_MAX_NAME]}; write a whole number from 1 to {MAX_WEIGHT:,}")
    return value


def _is_chunked(keys: dict[str, Any]) -> bool:
    value = keys.get("chunked", False)
    if not isinstance(value, bool):
        raise PlanError("chunked is neither true nor false")
    return value


def _headers(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise PlanError('headers is no object of texts; write it like {"X-Name": "value"}')
    fields = tuple(value.items())
    check_headers(fields)
    return fields


def _body(keys: dict[str, Any], folder: Path) -> bytes:
    if "body_base64" in keys:
        try:
            return b64decode(_text(keys, "body_base64", ""), validate=True)
        except ValueError:
            raise PlanError("body_base64 is not base64") from None
    text = _text(keys, "body", "")
    if text.startswith("@"):
        return _literal(read_body(text, folder, "body"))
    return text.encode("utf-8", "surrogatepass")


def _literal(body: bytes) -> bytes:
    """The template that is always this body."""
    return literal(decoded(body)).encode("utf-8", "surrogateescape")


def _plain(text: str) -> str:
    """What a template without places says."""
    return Template(text).pieces[0]
