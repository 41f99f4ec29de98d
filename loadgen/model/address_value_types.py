"""Types of options that say where connections go. See value_types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loadgen.model.endpoint import parse_connect_rule, parse_dns_server, parse_resolve_rule
from loadgen.model.exceptions import PlanError
from loadgen.model.headers import check_header
from loadgen.model.json_types import JSON_TEXT, JSON_WHOLE, or_null
from loadgen.model.value_types import Duration, Texts, Words

RECORD_TTL = 0
_RECORD = "record"


class Rules(Texts):
    """Rules that `parse` reads, each given by an option of its own."""

    is_repeated = True

    def __init__(self, flag: str, parse: Callable[[str], Any]) -> None:
        self._flag = flag
        self._parse = parse

    def read(self, text: str) -> str:
        self._parse(text)
        return text

    def make(self, value: tuple[str, ...]) -> tuple[Any, ...]:
        try:
            return tuple(map(self._parse, value))
        except ValueError as error:  # not read before: Locust's arguments, a recorded run
            raise PlanError(f"{self._flag}: {error}") from None

    def restore(self, value: list[str]) -> tuple[Any, ...]:
        return self.make(tuple(value))


class OptionalDuration(Duration):
    """A duration, or None where none was given."""

    json = or_null(JSON_WHOLE)

    def complaint(self, value: Any) -> str:
        return "" if value is None else super().complaint(value)

    def write(self, value: Any) -> Any:
        return None if value is None else super().write(value)


class DnsTtl(OptionalDuration):
    """A duration, or `record`: as the records of DNS say, which is 0."""

    def read(self, text: str) -> int:
        if text == _RECORD:
            return RECORD_TTL
        duration_ns = super().read(text)
        if duration_ns == RECORD_TTL:
            raise ValueError(
                "no address is kept for 0 s; at least 1 ms is needed, or write record for the records' TTLs"
            )
        return duration_ns

    def complaint(self, value: Any) -> str:
        return "" if value == RECORD_TTL else super().complaint(value)

    def write(self, value: Any) -> Any:
        return _RECORD if value == RECORD_TTL else super().write(value)


class DnsServer(Words):
    """A DNS server's IP address, with a port or without."""

    json = or_null(JSON_TEXT)

    def read(self, text: str) -> str:
        parse_dns_server(text)
        return text


class FieldName(Words):
    """The name of a header field; None where none was given."""

    json = or_null(JSON_TEXT)

    def make(self, value: str) -> str:
        try:
            check_header(value, "")
        except PlanError as error:
            raise PlanError(f"--backend-header: {error}") from None
        return value

    def restore(self, value: str | None) -> str | None:
        return self.make(value) if value else None


CONNECT_RULES = Rules("--connect-to", parse_connect_rule)
RESOLVE_RULES = Rules("--resolve", parse_resolve_rule)
