"""Reads policies as people write them: parts joined by `+`, each a name and its parameter. Knows no part by name."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from loadgen.model.exceptions import PlanError
from loadgen.model.policy.exclusions import check_parts
from loadgen.model.policy.part import Part
from loadgen.model.policy.parts import PARTS
from loadgen.model.policy.policy import ConnectionPolicy, ReuseLimit
from loadgen.model.policy.socket_option import SocketOption

RENAMED = {"idle": "gap", "stubborn": "ignore-close"}
"""Words of earlier versions, which are refused, and what they are called now."""

_MAX_POLICIES = 500
_MAX_CHARACTERS = 200  # of a policy: all parts together are shorter
# What tells equal policies of one run apart, as in close#2; the first has no number.
_COPY = re.compile(r"#([2-9]|[1-9][0-9]{1,2})$", re.ASCII)


def parse_policy(text: str) -> ConnectionPolicy:
    """Read one policy. Raises PlanError with one line for people, naming the nearest known part."""
    name = "".join(text.split())
    if len(name) > _MAX_CHARACTERS:
        raise PlanError(f"the policy {name[:40]!r}… has {len(name):,} characters; {_MAX_CHARACTERS} is the most")
    written_parts, number = _without_number(name)
    words: dict[str, Part] = {}
    set_by: dict[str, str] = {}
    fields: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    limits: list[ReuseLimit] = []
    socket_options: list[SocketOption] = []
    for written in written_parts.split("+"):
        word, _, parameter = written.partition(":")
        part = PARTS.get(word)
        if part is None:
            raise PlanError(f"the policy {name!r} is unknown; {_hint(word, name)}")
        if word in words:
            raise PlanError(f"policy {name!r}: {word} and {word} exclude each other")
        words[word] = part
        found = {**part.sets, **_parse(name, word, part, parameter)}
        limits += found.pop("limits", ())  # these add up, and so do the next
        socket_options += found.pop("socket_options", ())
        for field in found:
            if field in set_by:
                raise PlanError(f"policy {name!r}: {set_by[field]} and {word} exclude each other")
            set_by[field] = word
        fields |= found
        defaults |= part.defaults
    # In one order, so that policies are equal however they are written.
    fields["limits"] = tuple(sorted(limits, key=lambda limit: limit.noun))
    fields["socket_options"] = tuple(sorted(socket_options, key=lambda one: (one.level, one.option)))
    policy = ConnectionPolicy(name, copy=number, **{**defaults, **fields})
    check_parts(policy, words)
    return policy


def parse_policies(text: str) -> tuple[ConnectionPolicy, ...]:
    """Read a comma-separated list of policies. Raises PlanError.

    Equal policies are compared like any others; this shows what differs by chance. The second is named `close#2`.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise PlanError(f"no policy is named; choose from {', '.join(PARTS)}")
    if len(names) > _MAX_POLICIES:
        raise PlanError(f"{len(names):,} policies are named; {_MAX_POLICIES} is the most")
    found: list[ConnectionPolicy] = []
    equal: Counter[tuple[frozenset[str], ConnectionPolicy]] = Counter()
    for name in names:
        _check_commas(name)
        policy = parse_policy(name)
        kind = identity(policy)
        equal[kind] += 1
        found.append(_numbered(policy, equal[kind]))
    return tuple(found)


def _check_commas(name: str) -> None:
    """Raises PlanError for several policies with something else between them."""
    words = re.split(r"[\s;|]+", re.sub(r"\s*\+\s*", "+", name))
    if len(words) > 1 and all(re.split(r"[:+]", word)[0] in PARTS for word in words):
        raise PlanError(f"{name!r} are several policies; write {','.join(words)}")


def extended(base: str | None, parts: Iterable[str]) -> ConnectionPolicy:
    """The policy `base` with further parts; without any it is `persistent`. Raises PlanError."""
    written, number = _without_number(base or "")
    joined = "+".join(part for part in (written, *parts) if part) or "persistent"
    return parse_policy(_with_number(joined, number))


def identity(policy: ConnectionPolicy) -> tuple[frozenset[str], ConnectionPolicy]:
    """Equal for policies of the same parts in any order; `close` and `recycle:1` are different parts."""
    written, _ = _without_number(policy.name)
    words = frozenset(part.partition(":")[0] for part in written.split("+"))
    return words, replace(policy, name="", copy=1)


def _numbered(policy: ConnectionPolicy, number: int) -> ConnectionPolicy:
    """The policy as the `number`-th of equal ones. A recorded plan has the numbers already."""
    if policy.copy not in (1, number):
        plain, _ = _without_number(policy.name)
        raise PlanError(f"the policy {policy.name!r} has the wrong number; write {plain}: equal policies are numbered")
    if policy.copy == number:
        return policy
    return replace(policy, name=_with_number(policy.name, number), copy=number)


def _without_number(name: str) -> tuple[str, int]:
    """What was written before `#2`, and the number; 1 where there is none."""
    found = _COPY.search(name)
    return (name[: found.start()], int(found[1])) if found else (name, 1)


def _with_number(name: str, number: int) -> str:
    return name if number == 1 else f"{name}#{number}"


def _with_new_words(name: str) -> str:
    """The policy with the present words for former ones."""
    parts = (part.partition(":") for part in name.split("+"))
    return "+".join(f"{RENAMED.get(word, word)}{colon}{parameter}" for word, colon, parameter in parts)


def _parse(name: str, word: str, part: Part, parameter: str) -> Mapping[str, Any]:
    if part.parse is None:
        if parameter:
            raise PlanError(f"the policy {name!r} is unknown: {word} takes no parameter")
        return {}
    parameter = parameter or part.omitted
    if not parameter:
        raise PlanError(f"the policy {name!r} lacks a parameter; write {word}:{part.parameter}")
    try:
        return part.parse(parameter)
    except ValueError as error:
        raise PlanError(f"the policy {name!r}: {error}; write {word}:{part.parameter}") from None


def _hint(word: str, name: str) -> str:
    if word in RENAMED:
        return f"{word} is called {RENAMED[word]} now; write {_with_new_words(name)}"
    near = suggested(word)
    return f"did you mean {near!r}?" if near else f"choose from {', '.join(PARTS)}"


def suggested(word: str) -> str:
    """The part that people mean by this word, first by its meaning, then by its letters; empty where none is near."""
    plain = _plain(word)
    for name, part in PARTS.items():
        if plain == _plain(name) or plain in part.synonyms:
            return f"{name}:{part.parameter}" if part.parameter else name
    near = difflib.get_close_matches(word.lower(), PARTS, n=1)
    return near[0] if near else ""


def _plain(word: str) -> str:
    return re.sub(r"[-_./\s]", "", word.lower())
