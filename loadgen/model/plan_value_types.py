"""Types of options whose values mean something in a plan: URLs, policies, header fields, a body. See value_types."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from loadgen.model.headers import SECRET_FIELDS, parse_header
from loadgen.model.json_types import JSON_BASE64, JSON_PAIR, JSON_TEXT, JSON_TEXTS, list_of, or_null
from loadgen.model.policy import parse_policies
from loadgen.model.proxy import HIDDEN, Proxy, parse_proxy
from loadgen.model.request_body import check_readable, read_body
from loadgen.model.target import Target, parse_target
from loadgen.model.value_types import ValueType, Words


class Method(Words):
    """A request method, in upper case whatever was written."""

    def make(self, value: str) -> str:
        return value.upper()


class Certificates(Words):
    """A file with authorities that are to be trusted, by its absolute path."""

    json = or_null(JSON_TEXT)

    def make(self, value: str) -> str:
        check_readable(Path(value), "--cacert")
        return str(Path(value).resolve())


class Url(Words):
    """The target's URL."""

    def make(self, value: str) -> Target:
        return parse_target(value)

    def write(self, value: Target) -> str:
        return str(value)

    def record(self, value: Target, *, secrets: bool) -> str:  # a target's URL holds none
        return str(value)

    def restore(self, value: str) -> Target:
        return parse_target(value)


class ProxyUrl(Words):
    """A proxy's URL, which may hold credentials."""

    json = or_null(JSON_TEXT)

    def make(self, value: str) -> Proxy:
        proxy = parse_proxy(value)
        proxy.check_credentials()
        return proxy

    def write(self, value: Proxy | None) -> str | None:
        return self.record(value, secrets=False)

    def record(self, value: Proxy | None, *, secrets: bool) -> str | None:
        return None if value is None else value.url(secrets=secrets)

    def restore(self, value: str | None) -> Proxy | None:
        return parse_proxy(value) if value else None


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

    is_repeated = True
    json = list_of(JSON_PAIR)

    def make(self, value: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        return tuple(parse_header(line) for line in value)

    def write(self, value: tuple[tuple[str, str], ...]) -> list[str]:
        return [f"{name}: {text}" for name, text in value]

    def record(self, value: tuple[tuple[str, str], ...], *, secrets: bool) -> list[list[str]]:
        return [[name, text if secrets or name.lower() not in SECRET_FIELDS else HIDDEN] for name, text in value]

    def restore(self, value: list[list[str]]) -> tuple[tuple[str, str], ...]:
        return tuple((name, text) for name, text in value)


class Address(ValueType):
    """An IP address of this machine; the plan checks it."""

    is_repeated = True
    json = JSON_TEXTS

    def write(self, value: tuple[str, ...]) -> list[str]:
        return list(value)

    def record(self, value: tuple[str, ...], *, secrets: bool) -> list[str]:  # addresses are none
        return list(value)

    def restore(self, value: list[str]) -> tuple[str, ...]:
        return tuple(value)


class Body(ValueType):
    """A request body: a text, `@FILE`, or (from a plan file) bytes. It is read when the plan is made."""

    name = "data"
    json = JSON_BASE64

    def make(self, value: str | bytes) -> bytes:
        return read_body(value)

    def items(self, key: str, value: bytes) -> dict[str, Any]:
        """As text where it is one, and where a plan file would not take it for the name of a file."""
        if not value:
            return {}
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            text = "@"
        return {key: text} if not text.startswith("@") else {f"{key}-base64": self.record(value, secrets=True)}

    def record(self, value: bytes, *, secrets: bool) -> str:  # a body counts as none
        return base64.b64encode(value).decode("ascii")

    def restore(self, value: str) -> bytes:
        return base64.b64decode(value)
