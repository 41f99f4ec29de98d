"""The plan's one request as a template, filled anew each time it is sent. Fills nothing itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loadgen.model.csv_values import NO_VALUES, CsvValues
from loadgen.model.exceptions import PlanError
from loadgen.model.options import default
from loadgen.model.planned_request import PlannedRequest
from loadgen.model.policy import WEBSOCKET, ConnectionPolicy
from loadgen.model.request_template import PLACE
from loadgen.model.template_check import checked_names

_BRACES = {"{": "%7B", "}": "%7D"}
HeaderFields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Templating:
    """What `--template` and `--template-csv` say."""

    is_on: bool = default("template")
    """URL, header fields and body hold templates (model/request_template.py)."""
    values: CsvValues | None = None
    """What they may take from a file."""

    def request(self, path: str, headers: HeaderFields, body: bytes) -> PlannedRequest:
        """The request that is to be filled."""
        values = self.values or NO_VALUES
        return PlannedRequest("", template_path(path), headers=headers, body=body, is_template=True, values=values)

    def check(
        self,
        paths: Iterable[str],
        headers: HeaderFields,
        body: bytes,
        policies: Iterable[ConnectionPolicy],
        others: str,
    ) -> None:
        """Raise PlanError where it can't be filled. others: an option that it can't be combined with, or nothing."""
        if self.values is not None and not self.is_on:
            raise PlanError("--template-csv is for templates; give --template too")
        if not self.is_on:
            return
        if others:
            raise PlanError(f"--template is for one request that may differ each time; leave out {others}")
        for policy in policies:
            if policy.protocol == WEBSOCKET:
                raise PlanError(f"--template fills requests, and the policy {policy.name} sends messages")
        for path in paths:
            try:
                names = checked_names(template_path(path), headers, body, self.values or NO_VALUES)
            except PlanError as error:
                raise PlanError(f"--template: {error}") from None
            if not names:
                raise PlanError("--template: URL, --header and --data hold no template; write one like {n}")


DEFAULT_TEMPLATING = Templating()


def template_path(path: str) -> str:
    """The path and query with their templates, whose braces were percent-encoded as the URL was read.

    Braces that begin and end no template stay so, and so does the text of one in double braces.
    """
    text = path
    for brace, encoded in _BRACES.items():
        text = text.replace(encoded, brace)
    pieces, begin = [], 0
    for found in PLACE.finditer(text):
        literal = found[1] is not None
        pieces += [_encoded(text[begin : found.start()]), _encoded(f"{{{found[1]}}}") if literal else found[0]]
        begin = found.end()
    return "".join([*pieces, _encoded(text[begin:])])


def _encoded(text: str) -> str:
    for brace, encoded in _BRACES.items():
        text = text.replace(brace, encoded)
    return text
