"""Rigs that are closed at the end of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.client_rig import ClientRig


@pytest.fixture
def make() -> Iterator[Callable[..., ClientRig]]:
    rigs: list[ClientRig] = []

    def rig(*arguments: Any, **values: Any) -> ClientRig:
        rigs.append(ClientRig(*arguments, **values))
        return rigs[-1]

    yield rig
    for one in rigs:
        one.pool.close()
