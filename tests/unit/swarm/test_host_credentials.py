"""Credentials in a host's URL."""

from __future__ import annotations

import pytest

from loadgen.swarm.host_credentials import split_credentials


@pytest.mark.parametrize(
    ("url", "bare", "credentials"),
    [
        ("http://me:s%40cret@h:81/api", "http://h:81/api", ("me", "s@cret")),
        ("http://me:a@b@[::1]:81", "http://[::1]:81", ("me", "a@b")),
        ("http://h:81", "http://h:81", None),
        ("http://me@h", "http://me@h", None),
        ("http://[x", "http://[x", None),
    ],
)
def test_user_and_password_are_taken_out(url: str, bare: str, credentials: tuple[str, str] | None) -> None:
    assert split_credentials(url) == (bare, credentials)
