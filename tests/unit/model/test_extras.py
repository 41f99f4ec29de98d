"""Packages that loadgen comes without."""

from __future__ import annotations

import pytest

from loadgen.model.exceptions import PlanError
from loadgen.model.extras import check_package


def test_a_package_that_is_there_is_no_error() -> None:
    check_package("--export x", "click", "x")


def test_one_that_is_missing_is_an_error_that_says_how_to_get_it() -> None:
    with pytest.raises(PlanError) as caught:
        check_package("--export x", "no-such-package", "some")
    assert str(caught.value) == (
        "--export x needs no-such-package, which is not installed: pip install 'loadgen[some]'"
    )
