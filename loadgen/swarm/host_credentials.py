"""User and password in a host's URL, as Locust's users may have them. Sends nothing."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit, urlunsplit


def split_credentials(url: str) -> tuple[str, tuple[str, str] | None]:
    """The URL without user and password, and both, decoded; None where it does not have both."""
    try:
        parts = urlsplit(url)
    except ValueError:  # what is wrong with it is said where it is read
        return url, None
    if not (parts.username and parts.password):
        return url, None
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return bare, (unquote(parts.username), unquote(parts.password))
