"""What a WebSocket client sends, as a value, without a library of WebSocket. Sends nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent for each request, and the head of the request for the upgrade."""

    payload: bytes
    is_text: bool
    """It is UTF-8, and so sent as text; else binary."""
    path: str
    """In origin-form."""
    headers: tuple[tuple[str, str], ...]
    """All fields but the upgrade's own, Host first."""
