"""Who a client is: files that can't belong together are refused by the options of their own side."""

from __future__ import annotations

import pytest

from loadgen.model.client_identity import PROXY, ClientIdentity
from loadgen.model.exceptions import PlanError


@pytest.mark.parametrize("prefix", ["", PROXY])
def test_files_that_can_not_belong_together(prefix: str) -> None:
    with pytest.raises(PlanError, match=f"there are 2 --{prefix}key for 1 --{prefix}cert; give one for each"):
        ClientIdentity(("a",), ("a", "b"), prefix=prefix)
    with pytest.raises(PlanError, match=f"--{prefix}key-passphrase is for a client certificate; give --{prefix}cert"):
        ClientIdentity(passphrase="env:A", prefix=prefix)
    assert ClientIdentity(("a", "b"), passphrase="env:A", prefix=prefix).flag("cert") == f"--{prefix}cert"
