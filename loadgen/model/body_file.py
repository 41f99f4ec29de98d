"""A request body that stays in its file until it is sent, as it is too long to be held. Reads none of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadgen.model.exceptions import PlanError
from loadgen.model.json_types import JSON_TEXT, JSON_WHOLE, object_of, or_null
from loadgen.model.policy import H2, H2_PRIOR, HTTP1, ConnectionPolicy
from loadgen.model.request_body import MAX_BODY_BYTES
from loadgen.model.value_types import ValueType

_MIN_STREAMED_BYTES = 1 << 20
"""A body up to this length is read when the plan is made, and recorded with it."""
_KEYS = {"file": JSON_TEXT, "size_bytes": JSON_WHOLE}


@dataclass(frozen=True, slots=True)
class BodyFile:
    """Its name, and how long it was when the plan was made."""

    path: str
    size_bytes: int

    def check(self) -> None:
        """Raise PlanError unless the file can be read and is as long as it was."""
        found = _regular_size(self.path)
        if found is None:
            raise PlanError(f"--data {self.path} can't be read as a regular file any more")
        if found != self.size_bytes:
            raise PlanError(f"--data {self.path} has {found:,} bytes and had {self.size_bytes:,} before; give it again")


class BodyFileType(ValueType):
    """The type of the value that --data has where it names a long file."""

    json = or_null(object_of("an object of a body's file", "objects of bodies' files", _KEYS))

    def items(self, _key: str, value: BodyFile | None) -> dict[str, Any]:
        return {} if value is None else {"data": f"@{value.path}"}

    def record(self, value: BodyFile | None, *, secrets: bool) -> dict[str, Any] | None:  # a file's name is none
        return None if value is None else {"file": value.path, "size_bytes": value.size_bytes}

    def restore(self, value: dict[str, Any] | None) -> BodyFile | None:
        return None if value is None else BodyFile(value["file"], value["size_bytes"])


def can_stream(policy: ConnectionPolicy) -> bool:
    """The policy can send a body piece by piece."""
    return policy.protocol in (HTTP1, H2, H2_PRIOR) and not policy.pipelines and not policy.early_data


def with_body_file(values: Mapping[str, Any], policies: Iterable[ConnectionPolicy]) -> dict[str, Any]:
    """The values of options, where --data names a file that is to stay there: with `body_file` in its place."""
    found = None if values.get("template") else long_file(values.get("data"))
    if found is None or (found.size_bytes <= MAX_BODY_BYTES and not all(map(can_stream, policies))):
        return dict(values)
    return {**values, "data": b"", "body_file": found}


def long_file(data: Any) -> BodyFile | None:
    """The file that `@FILE` names, where it is a long regular one."""
    if not isinstance(data, str) or not data.startswith("@"):
        return None
    path = os.path.abspath(data[1:])  # noqa: PTH100 # a name that no path can hold is read_body's to refuse
    size = _regular_size(path)
    return BodyFile(path, size) if size is not None and size > _MIN_STREAMED_BYTES else None


def _regular_size(path: str) -> int | None:
    """The length of a regular file that can be read; None for anything else."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) and os.access(path, os.R_OK) else None
