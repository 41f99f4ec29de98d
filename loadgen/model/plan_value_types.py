"""Types of options whose values mean something in a plan: URLs, policies, header fields, a body. See value_types."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

from loadgen.model.exceptions import PlanError
from loadgen.model.file_value_types import FileName
from loadgen.model.headers import basic_authorization, parse_header
from loadgen.model.input_files import check_regular
from loadgen.model.json_types import JSON_BASE64, JSON_PAIR, JSON_TEXT, JSON_TEXTS, list_of, or_null
from loadgen.model.named_target import NamedTarget, split_name
from loadgen.model.policy import parse_policies
from loadgen.model.proxy import Proxy, parse_proxy
from loadgen.model.redaction import missing_in_url, missing_names, redact_bad_url, redact_body, redact_field
from loadgen.model.request_body import read_body
from loadgen.model.request_method import as_sent
from loadgen.model.target import Target, parse_target
from loadgen.model.value_types import Texts, ValueType, Words

_MAX_CERTIFICATES_BYTES = 64 << 20


class Method(Words):
    """A request method: any token; those of RFC 9110 are in upper case whatever was written."""

    def make(self, value: str) -> str:
        return as_sent(value)


class Certificates(FileName):
    """A file with authorities that are to be trusted, by its absolute path."""

    json = or_null(JSON_TEXT)

    def __init__(self, flag: str) -> None:
        self._flag = flag

    def from_folder(self, value: str, folder: Path) -> str:
        return str(folder / value)

    def make(self, value: str) -> str:
        check_regular(Path(value), self._flag, _MAX_CERTIFICATES_BYTES)
        return str(Path(value).resolve())


class Url(Words):
    """The target's URL."""

    holds_secrets = True

    def make(self, value: str) -> Target:
        target = parse_target(value)
        if missing := missing_in_url(target.path):
            raise PlanError(f"the URL's {_and(missing)} was not recorded; give the URL again with its value")
        return target

    def write(self, value: Target) -> str:
        return self.record(value, secrets=False)

    def record(self, value: Target, *, secrets: bool) -> str:
        return value.url(secrets=secrets)

    def restore(self, value: str) -> Target:
        return parse_target(value)


class NamedTargets(ValueType):
    """Several targets as `name=URL`; in a plan file they are a table."""

    name = "target"
    is_repeated = True
    holds_secrets = True
    file_words = 'a table of names and URLs, or a text like "new=http://127.0.0.1:8080/"'
    json = list_of(JSON_PAIR)

    def read(self, text: str) -> str:
        split_name(text)
        return text

    def of_table(self, table: dict[str, Any]) -> Any:
        return [f"{name}={url}" for name, url in table.items()] if _has_texts(table) else table

    def make(self, value: tuple[str, ...]) -> tuple[NamedTarget, ...]:
        found = []
        for text in value:
            try:
                name, url = split_name(text)
                found.append(NamedTarget(name, Url().make(url)))
            except ValueError as error:
                raise PlanError(f"--target {text.partition('=')[0][:40]}: {error}") from None
        return tuple(found)

    def write(self, value: tuple[NamedTarget, ...]) -> dict[str, str] | None:
        return {one.name: one.target.url(secrets=False) for one in value} or None

    def record(self, value: tuple[NamedTarget, ...], *, secrets: bool) -> list[list[str]]:
        return [[one.name, one.target.url(secrets=secrets)] for one in value]

    def restore(self, value: list[list[str]]) -> tuple[NamedTarget, ...]:
        return tuple(NamedTarget(split_name(f"{name}=")[0], parse_target(url)) for name, url in value)


class ProxyUrl(Words):
    """A proxy's URL, which may hold credentials."""

    holds_secrets = True
    json = or_null(JSON_TEXT)

    def make(self, value: str) -> Proxy:
        proxy = parse_proxy(value)
        proxy.check_credentials()
        return proxy

    def write(self, value: Proxy | None) -> str | None:
        return self.record(value, secrets=False)

    def record(self, value: Proxy | None, *, secrets: bool) -> str | None:
        return None if value is None else value.url(secrets=secrets)

    def redact(self, text: str) -> str:
        return redact_bad_url(text)

    def restore(self, value: str | None) -> Proxy | None:
        return parse_proxy(value) if value else None


class Credentials(Words):
    """A user and a password, which become the line of a header field."""

    holds_secrets = True

    def read(self, text: str) -> str:
        return basic_authorization(text)


class Policies(ValueType):
    """Connection policies, separated by commas."""

    is_list = True
    json = JSON_TEXTS

    def make(self, value: str) -> Any:
        return parse_policies(value)

    def write(self, value: Any) -> list[str]:
        return [policy.name for policy in value]

    def record(self, value: Any, *, secrets: bool) -> list[str]:  # policies hold none
        return self.write(value)

    def restore(self, value: list[str]) -> Any:
        return parse_policies(",".join(value))


class Header(ValueType):
    """A header field as `Name: value`."""

    holds_secrets = True
    is_repeated = True
    json = list_of(JSON_PAIR)

    def of_table(self, table: dict[str, Any]) -> Any:
        return [f"{name}: {text}" for name, text in table.items()] if _has_texts(table) else table

    def make(self, value: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        return tuple(parse_header(line) for line in value)

    def write(self, value: tuple[tuple[str, str], ...]) -> list[str]:
        return [f"{name}: {text}" for name, text in value]

    def record(self, value: tuple[tuple[str, str], ...], *, secrets: bool) -> list[list[str]]:
        return [[name, text if secrets else redact_field(name, text)] for name, text in value]

    def redact(self, text: str) -> str:
        name, colon, value = text.partition(":")
        shown = redact_field(name.strip(), value.strip())
        return text if shown == value.strip() else f"{name}{colon} {shown}"

    def restore(self, value: list[list[str]]) -> tuple[tuple[str, str], ...]:
        return tuple((name, text) for name, text in value)


class Address(Texts):
    """An IP address of this machine; the plan checks it."""

    is_repeated = True


class Gates(Texts):
    """Expressions of gates; which fields there are is checked once the whole plan is known."""

    name = "gate"
    is_repeated = True

    def read(self, text: str) -> str:
        from loadgen.model.gate.expression import parse_gate  # with patterns that few commands need

        return parse_gate(text).text

    def make(self, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(self.read, value))

    def restore(self, value: list[str]) -> tuple[str, ...]:
        return self.make(tuple(value))


class Body(ValueType):
    """A request body: a text, `@FILE`, or (from a plan file) bytes. It is read when the plan is made."""

    name = "data"
    json = JSON_BASE64
    holds_secrets = True

    def make(self, value: str | bytes) -> bytes:
        body = read_body(value)
        if missing := missing_names(body):
            raise PlanError(f"the body's {_and(missing)} was not recorded; give --data again")
        return body

    def items(self, key: str, value: bytes) -> dict[str, Any]:
        """As text where it is one, and where a plan file would not take it for the name of a file."""
        if not value:
            return {}
        value = redact_body(value)
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            text = "@"
        return {key: text} if not text.startswith("@") else {f"{key}-base64": self.record(value, secrets=True)}

    def redact(self, text: str) -> str:
        return text if text.startswith("@") else redact_body(os.fsencode(text)).decode("utf-8", "replace")

    def record(self, value: bytes, *, secrets: bool) -> str:
        return base64.b64encode(value if secrets else redact_body(value)).decode("ascii")

    def restore(self, value: str) -> bytes:
        return base64.b64decode(value)


def _has_texts(table: dict[str, Any]) -> bool:
    return all(isinstance(value, str) for value in table.values())


def _and(names: list[str]) -> str:
    """Names in a sentence: `token`, `token and password`."""
    return " and ".join(dict.fromkeys(names))
