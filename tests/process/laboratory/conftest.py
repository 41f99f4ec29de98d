"""The laboratory, made once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.laboratory import network, servers
from tests.support.laboratory.runs import Laboratory
from tests.support.laboratory.runs import laboratory as running


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    missing = network.missing() or servers.missing()
    if missing:
        pytest.skip(f"no laboratory here: {missing}")
    with running(tmp_path_factory.mktemp("laboratory")) as it:
        yield it
