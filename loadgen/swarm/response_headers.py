"""A response's header fields as scenarios read them. Knows no response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from loadgen.wire.http1.head import ResponseHead


class Headers(Mapping[str, str]):
    """A response's fields. The case of names does not matter; lines of one name are joined (RFC 9110 §5.3)."""

    def __init__(self, head: ResponseHead | None) -> None:
        self._fields: dict[str, tuple[str, list[str]]] = {}
        for raw_name, raw_value in head.headers if head is not None else ():
            name = raw_name.decode("latin-1")
            _, values = self._fields.setdefault(name.lower(), (name, []))
            values.append(raw_value.decode("latin-1"))

    def __getitem__(self, name: str) -> str:
        return ", ".join(self._fields[name.lower()][1])

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def get_all(self, name: str) -> list[str]:
        """The values of all lines of that name, in order: needed for Set-Cookie, whose lines can't be joined."""
        return list(self._fields.get(name.lower(), ("", []))[1])
