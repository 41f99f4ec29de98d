"""Our fields of Locust's start form: what they are filled with, and what was meant by what comes back. Checks nothing.

People who see the form may be others than those who started Locust. So a field shows no secret of the command line;
what comes back as it was shown means what the command line says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypedDict

from werkzeug.datastructures import MultiDict

from loadgen.model.option import Option
from loadgen.swarm.option_texts import lines
from loadgen.swarm.options import IN_FORM, changed

_LISTS = ("urls",)
"""Fields whose one value is a list of lines."""
_TEXT_AREAS = ("data", *_LISTS)
"""Fields whose one value may have several lines."""


_LINE_END = "\u2028"
"""What ends a line in what the page's script gives to Locust (field_groups.js), which takes texts of one line."""


class FormField(TypedDict):
    """What the page's script has to know of a field."""

    group: str
    """The heading under which it stands."""
    has_lines: bool
    """Its value may have several lines."""


def form_fields() -> dict[str, FormField]:
    """Our fields by the names of their options, in the order of the form."""
    return {
        one.name: {"group": one.group.value, "has_lines": one.type.is_repeated or one.name in _TEXT_AREAS}
        for one in IN_FORM
    }


class FormTexts:
    """options: those of the command line, before any form."""

    def __init__(self, options: Any) -> None:
        self._given = {one.name: getattr(options, one.name) for one in IN_FORM}

    def fill(self, fields: Mapping[str, Any]) -> None:
        """Put what may be shown into Locust's description of the form's fields, by name."""
        for option in IN_FORM:
            if option.name in fields:
                fields[option.name]["default_value"] = self._shown(option)

    def taken(self, form: Mapping[str, str]) -> MultiDict[str, str]:
        """The form with our options by their own names, and with what the command line says where that is meant."""
        found: MultiDict[str, str] = MultiDict()
        for name, value in _items(form):
            option = _BY_POSTED_NAME.get(name)
            if option is None:
                found.add(name, value)
            else:
                found.add(option.name, self._meant(option, value.replace(_LINE_END, "\n")))
        return found

    def is_given(self, name: str, text: str) -> bool:
        """The command line said so, not the form."""
        return bool(text == self._given[name])

    def given_lines(self, name: str) -> list[str]:
        """The values of an option on the command line."""
        return lines(self._given[name])

    def _shown(self, option: Option) -> Any:
        given = self._given[option.name]
        if given is None:
            return ""
        return _change(option, given, option.type.redact) if isinstance(given, str) else given

    def _meant(self, option: Option, posted: str) -> str:
        given = self._given[option.name]
        if not isinstance(given, str) or not option.type.holds_secrets:
            return posted
        before = {option.type.redact(one): one for one in (lines(given) if _has_parts(option) else [given])}
        return _change(option, posted, lambda text: before.get(text, text))


def _has_parts(option: Option) -> bool:
    """Each line of it can be taken as it was given, or as it was written anew."""
    return option.type.is_repeated or option.name in _LISTS


def _change(option: Option, text: str, change: Callable[[str], str]) -> str:
    return "\n".join(map(change, lines(text))) if _has_parts(option) else change(text)


def without_ours(form: Mapping[str, str]) -> MultiDict[str, str]:
    """The form without our options."""
    return MultiDict([(name, value) for name, value in _items(form) if name not in _BY_POSTED_NAME])


def with_form(options: Any, form: Mapping[str, str]) -> Any:
    """The options as they will be once Locust has taken over what its start form says."""
    values = vars(options)
    return changed(
        options,
        **{
            name: value == "true" if isinstance(values[name], bool) else value
            for name, value in form.items()
            if name in values
        },
    )


def _items(form: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield from form.items(multi=True) if isinstance(form, MultiDict) else form.items()


def _posted_name(name: str) -> str:
    """What Locust's page makes of a name: `ipv4` comes back as `ipv_4`."""
    camel = re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)
    return re.sub(r"([a-z0-9])([A-Z0-9])", r"\1_\2", camel).lower()


_BY_POSTED_NAME = {_posted_name(one.name): one for one in IN_FORM} | {one.name: one for one in IN_FORM}
