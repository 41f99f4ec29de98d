"""What a policy's status codes say: answers of a working target, or redirects and errors. Words nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from loadgen.model.policy_summary import PolicySummary

LOWEST_ERROR = 400
"""RFC 9110 §15.5: from here on statuses are errors."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""RFC 9110 §15.4: the content is elsewhere. A 304 is none."""
# From this share on, a policy's figures are those of redirects and errors.
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class StatusCounts:
    """How many responses had which status."""

    statuses: Mapping[int, int]
    followed: int = 0
    """Further responses: redirects of scenarios, which follow them, or don't, as they please."""

    @classmethod
    def of(cls, policies: Iterable[PolicySummary]) -> StatusCounts:
        """The responses of all these policies."""
        total: dict[int, int] = {}
        followed = 0
        for one in policies:
            for text, number in one["statuses"].items():
                status = int(text)
                if status in REDIRECTS and one.get("is_scenario"):
                    followed += number
                else:
                    total[status] = total.get(status, 0) + number
        return cls(total, followed)

    @property
    def redirects(self) -> list[int]:
        """The redirects among the statuses: nothing followed them."""
        return sorted(status for status in self.statuses if status in REDIRECTS)

    @property
    def errors(self) -> list[int]:
        """The errors among them."""
        return sorted(status for status in self.statuses if status >= LOWEST_ERROR)

    @property
    def share(self) -> float:
        """The share of redirects and errors."""
        total = sum(self.statuses.values()) + self.followed
        return self.count(self.redirects + self.errors) / total if total else 0.0

    @property
    def are_unwanted(self) -> bool:
        """Most responses are no answers of a working target, so no figure is one of it."""
        return self.share >= _MOSTLY

    def count(self, statuses: Iterable[int]) -> int:
        """How many responses had one of these."""
        return sum(self.statuses[status] for status in statuses)
