"""The table of servers' settings, and how a finding quotes it."""

from __future__ import annotations

import pytest

from loadgen.model.server_settings import TOPICS, markdown_table, server_of, settings_text


@pytest.mark.parametrize(
    ("field", "server"),
    [
        ("nginx/1.22.1", "nginx"),
        ("Apache/2.4.57 (Debian)", "Apache"),
        ("awselb/2.0", "AWS ALB"),
        ("Caddy, loadgen", "Caddy"),  # it leaves its origin's field beside its own
        ("gunicorn", "gunicorn"),
        ("hypercorn-h11", "Hypercorn"),
        ("cloudflare", ""),
        (None, ""),
    ],
)
def test_a_server_field_names_its_server(field: str | None, server: str) -> None:
    assert server_of(field) == server


def test_a_known_server_gets_its_own_setting_alone() -> None:
    assert settings_text("idle_timeout", "nginx/1.22.1") == "nginx: keepalive_timeout (75s)"
    assert settings_text("tls_early_data", "uvicorn") == ""


def test_for_an_unknown_server_a_few_are_named() -> None:
    text = settings_text("idle_timeout", "mine/1.0")
    assert text.startswith("nginx: keepalive_timeout; Apache: KeepAliveTimeout; ")
    assert text.endswith(" …")
    assert not settings_text("tls_early_data").endswith("…")


def test_no_topic_no_text() -> None:
    assert settings_text(None) == settings_text("no such topic", "nginx") == ""


def test_each_setting_has_a_source_and_a_row() -> None:
    settings = [one for topic in TOPICS.values() for one in topic.settings.values()]
    assert all(one.source.startswith("https://") and one.name and "|" not in one.name for one in settings)
    assert len(markdown_table().splitlines()) == len(settings) + 2
