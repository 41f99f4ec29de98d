"""Types of options about proxies. See value_types."""

from __future__ import annotations

from loadgen.model.json_types import JSON_TEXTS
from loadgen.model.no_proxy import parse_no_proxy
from loadgen.model.value_types import Words


class Hosts(Words):
    """Hosts that a proxy is not used for, with commas between them."""

    is_list = True
    json = JSON_TEXTS

    def read(self, text: str) -> str:
        return ",".join(parse_no_proxy(super().read(text)))

    def make(self, value: str) -> tuple[str, ...]:
        return parse_no_proxy(value)

    def write(self, value: tuple[str, ...]) -> list[str]:
        return list(value)

    def record(self, value: tuple[str, ...], *, secrets: bool) -> list[str]:  # hosts are none
        return list(value)

    def restore(self, value: list[str]) -> tuple[str, ...]:
        return self.make(",".join(value))
