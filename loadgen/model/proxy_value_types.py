"""Types of options about proxies. See value_types."""

from __future__ import annotations

from loadgen.model.no_proxy import parse_no_proxy
from loadgen.model.value_types import Texts, Words


class Hosts(Texts, Words):
    """Hosts that a proxy is not used for, with commas between them."""

    is_list = True

    def read(self, text: str) -> str:
        return ",".join(parse_no_proxy(super().read(text)))

    def make(self, value: str) -> tuple[str, ...]:
        return parse_no_proxy(value)

    def restore(self, value: list[str]) -> tuple[str, ...]:
        return self.make(",".join(value))
