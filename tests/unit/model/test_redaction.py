"""What is secret by its name, and texts without it: fields, URLs, bodies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.model.redaction import (
    HIDDEN,
    SECRET_PARTS,
    SECRET_WORDS,
    is_redacted_field,
    is_secret,
    missing_in_url,
    missing_names,
    redact_bad_url,
    redact_body,
    redact_field,
    redact_url,
)

CANARY = "c4n4ry"
PAGE = Path(__file__).parents[3] / "docs" / "security.md"
SECRETS = [
    "Authorization", "proxy-authorization", "Cookie", "set-cookie", "x-api-key", "api_key", "apiKey", "X-Auth-Token",
    "x-amz-security-token", "access_token", "user[password]", "PHPSESSID", "X-Amz-Signature", "api%5Fkey",
    "Ocp-Apim-Subscription-Key", "client_secret", "user[pwd]", "%74oken", "refreshToken", "X-Session-Id", "sig",
]  # fmt: skip
HARMLESS = [
    "Accept", "User-Agent", "author", "authority", "max_tokens", "tokenizer", "key", "page", "Content-Type", "design",
    "X-Request-Id", "sessions", "Sec-WebSocket-Key",
]  # fmt: skip
NAMES = st.sampled_from(SECRETS)
# Without what ends a value in a URL or a form, where nothing could tell the rest of a secret from the next one.
VALUES = st.text(st.sampled_from("aZ9%'\";:/?@=+ <>{}[]\\é"), max_size=8).map(lambda text: f"{CANARY}{text}{CANARY}")


@pytest.mark.parametrize("name", SECRETS)
def test_these_names_are_secret(name: str) -> None:
    assert is_secret(name)
    assert redact_field(name, CANARY) == HIDDEN
    assert redact_field(name, "") == ""


@pytest.mark.parametrize("name", HARMLESS)
def test_these_are_not(name: str) -> None:
    assert not is_secret(name)
    assert redact_field(name, "text/html;q=0.5") == "text/html;q=0.5"


@pytest.mark.parametrize("value", ["Bearer c4n4ry", "basic c4n4ry", "AWS4-HMAC-SHA256 c4n4ry"])
def test_a_scheme_makes_any_field_a_credential(value: str) -> None:
    assert redact_field("X-Forwarded-For-Us", value) == HIDDEN


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://h/?a=1", "http://h/?a=1"),
        ("http://u:c4n4ry@h/x", "http://***@h/x"),
        ("http://u:c4n@4ry@h/x", "http://***@h/x"),
        ("http://h/@scope/x", "http://h/@scope/x"),
        ("/p?token=c4n4ry&b=2", "/p?token=***&b=2"),
        ("/p?a=1&API%5fKEY=c4n4ry;x#access_token=c4n4ry", "/p?a=1&API%5fKEY=***#access_token=***"),
        ("/login?next=%2Fp%3Ftoken%3Dc4n4ry%26b%3D1&x=1", "/login?next=%2Fp%3Ftoken%3D***&x=1"),
        ("/p?to=http://u:c4n4ry@h/&b=2", "/p?to=http://***@h/&b=2"),
        ("/p?to=http%3A%2F%2Fu%3Ac4n4ry%40h%2F&b=2", "/p?to=http%3A%2F%2F***@h%2F&b=2"),
        ("/p?token=&b=2", "/p?token=&b=2"),
    ],
)
def test_a_url_keeps_all_but_its_secrets(url: str, shown: str) -> None:
    assert redact_url(url) == shown
    assert redact_url(shown) == shown
    assert redact_field("Referer", url) == shown
    assert is_redacted_field(shown) is ("***" in shown)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://u:c4/n4ry@h:99999/", "http://***@h:99999/"),
        ("http://u:c4?n4ry@h/?a=1", "http://***@h/"),
        ("u:c4n4ry@h", "***@h"),
        ("http://h/?token=c4 n4ry", "http://h/?…"),
        ("http://h/a b", "http://h/a b"),
        ("//", "//"),
    ],
)
def test_a_url_that_can_t_be_read_shows_less(url: str, shown: str) -> None:
    assert redact_bad_url(url) == shown


@given(NAMES, VALUES)
def test_no_secret_parameter_stays(name: str, value: str) -> None:
    url = f"http://h/x?a=1&{quote(name, safe='%[]')}={quote(value)}&b=2"
    shown = redact_url(url)
    assert CANARY not in shown
    assert shown.startswith("http://h/x?a=1&")
    assert shown.endswith("&b=2")
    assert missing_in_url(url) == []
    assert len(missing_in_url(shown)) == 1


def as_json(name: str, value: str) -> str:
    return json.dumps({"a": [1, {name: value}], "b": 2})


def as_json_object(name: str, value: str) -> str:
    return json.dumps({name: {"inside": [value]}})


def as_json_lines(name: str, value: str) -> str:
    return "\n".join(json.dumps({name: value, "n": number}) for number in range(3))


def as_form(name: str, value: str) -> str:
    return f"a=1&{quote(name, safe='%[]')}={quote(value)}&b=2"


def as_parts(name: str, value: str) -> str:
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: text/plain\r\n'
    return f"{head}\r\n{value}\r\n--x--\r\n"


@pytest.mark.parametrize("form", [as_json, as_json_object, as_json_lines, as_form, as_parts])
@given(name=NAMES, value=VALUES)
def test_no_secret_in_a_body_stays(form: Any, name: str, value: str) -> None:
    body = form(name, value).encode()
    shown = redact_body(body)
    assert CANARY.encode() not in shown
    assert missing_names(body) == []
    assert set(missing_names(shown)) != set()
    assert redact_body(shown) == shown


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", b"a=1&b=2", b'{"max_tokens": 5, "q":  [1.50]}', b"\xff\x00\xfe", b"[" * 100_000, b'"token"'],
    ids=lambda body: repr(body[:12]),
)
def test_other_bodies_stay_as_they_are(body: bytes) -> None:
    assert redact_body(body) is body or redact_body(body) == body
    assert missing_names(body) == []


def test_xml() -> None:
    body = b'<a><ns:password x="1">c4n4ry</ns:password><b token="c4n4ry">y</b></a>'
    assert redact_body(body) == b'<a><ns:password x="1">***</ns:password><b token="***">y</b></a>'
    assert missing_names(redact_body(body)) == ["ns:password", "token"]


def test_the_page_names_all_that_is_secret() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in (*SECRET_WORDS, *SECRET_PARTS) if f"`{name}`" not in page] == []
