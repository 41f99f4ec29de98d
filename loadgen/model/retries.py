"""Which requests may be sent once more (--retry-stale). Knows no plan."""

from __future__ import annotations

from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import PlanError


def retried_outcomes(*, is_idempotent: bool) -> frozenset[int]:
    """Outcomes of requests that are sent once more (RFC 9110 §9.2.2, RFC 9113 §8.7). is_idempotent: their methods."""
    kinds = {kind for kind in ErrorKind if kind.is_unprocessed or (is_idempotent and kind.is_stale)}
    return frozenset(-kind for kind in kinds)


def check_retries(method: str, *, is_idempotent: bool, knows_unprocessed: bool) -> None:
    """Raise PlanError where nothing would be repeated.

    method: the riskiest one. knows_unprocessed: in one of the protocols a server can say that it did not process a
    request.
    """
    if not is_idempotent and not knows_unprocessed:
        raise PlanError(
            f"--retry-stale: {method} is not idempotent, so it is never repeated (RFC 9110 §9.2.2), "
            "but for streams of HTTP/2 that the server did not process"
        )
