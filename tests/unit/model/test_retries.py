"""Which requests are sent once more."""

from __future__ import annotations

import pytest

from loadgen.model.errors import ErrorKind
from loadgen.model.exceptions import PlanError
from loadgen.model.retries import check_retries, retried_outcomes


def test_what_a_server_has_not_processed_is_repeated_whatever_the_method() -> None:
    always, idempotent = retried_outcomes(is_idempotent=False), retried_outcomes(is_idempotent=True)
    assert always == {-kind for kind in ErrorKind if kind.is_unprocessed}
    assert idempotent - always == {-kind for kind in ErrorKind if kind.is_stale}
    assert -ErrorKind.CONNECT_REFUSED not in idempotent


def test_a_method_that_is_never_repeated_is_refused() -> None:
    check_retries("GET", is_idempotent=True, knows_unprocessed=False)
    check_retries("POST", is_idempotent=False, knows_unprocessed=True)
    with pytest.raises(PlanError, match="--retry-stale: POST is not idempotent"):
        check_retries("POST", is_idempotent=False, knows_unprocessed=False)
