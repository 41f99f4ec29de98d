"""What is secret in a plan or in a response, by its name, and the texts without it. One set of names for every output.

A secret is replaced by HIDDEN. A text that was redacted says by it what has to be given again. Knows no file and no
option.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

HIDDEN = "***"
"""Replaces each secret wherever a plan or a response is recorded or shown."""

SECRET_WORDS = frozenset({
    "auth", "authorization", "cookie", "cookie2", "jwt", "otp", "passwd", "pwd", "sid", "sig",
})  # fmt: skip
"""A name is secret if one of its words is one of these: `Set-Cookie`, `user[pwd]`."""

SECRET_PARTS = (
    "token", "secret", "password", "passphrase", "session", "sessid", "credential", "signature", "apikey", "accesskey",
    "privatekey", "secretkey", "subscriptionkey", "functionskey", "sharedkey", "accountkey", "authkey", "masterkey",
)  # fmt: skip
"""Or if one of these stands anywhere in it, without regard to case, `-` and `_`: `X-API-Key`, `accessToken`."""

# A number of things is none: the `max_tokens` of a language model.
_PART = re.compile(f"(?:{'|'.join(SECRET_PARTS)})(?!s(?:[^a-z]|$)|iz)")
_SCHEME = re.compile(r"(?:basic|bearer|digest|negotiate|ntlm|dpop|aws4-hmac-sha256)\s+\S", re.IGNORECASE)

_USERINFO = re.compile(r"(?<=//)[^/?#\s]*@|(?<=%2[Ff]%2[Ff])(?:(?!%2[Ff])[^/?#&\s])*%40")
_MISSING_USERINFO = (f"//{HIDDEN}@", f"%2F%2F{HIDDEN}@", f"%2f%2f{HIDDEN}@")
# A URL inside a query is percent-encoded, once at least.
_QUERY = (
    re.compile(r"(?P<before>[?&;#](?P<name>[^=&;?#\s]{1,200})=)(?P<value>[^&#\s]*)"),
    re.compile(r"(?P<before>(?:%3[Ff]|%26|%23)(?P<name>[^=&;?#\s]{1,200}?)%3[Dd])(?P<value>[^&#\s]*)"),
)
_IN_BODY = (
    # A form, a list of NAME=VALUE
    re.compile(
        r"(?P<before>(?:^|(?<=[&;\s]))(?P<name>[^=&;\s\"<>]{1,200})=)(?P<value>[^&\r\n\"][^&\r\n]*)", re.MULTILINE
    ),
    # JSON that is not one value: lines of it, or one that is cut off
    re.compile(r'(?P<before>"(?P<name>[^"\\\r\n]{1,200})"\s*:\s*")(?P<value>(?:[^"\\]|\\.)*)', re.DOTALL),
    re.compile(r'(?P<before>"(?P<name>[^"\\\r\n]{1,200})"\s*:\s*)(?P<value>[^\s",{}\[\]]+)'),
    # A part of multipart/form-data
    re.compile(
        r'(?P<before>;\s*name="(?P<name>[^"\r\n]{1,200})"[^\r\n]*\r?\n(?:[^\r\n]+\r?\n){0,9}\r?\n)(?P<value>.*?)(?=\r?\n--)',
        re.DOTALL,
    ),
    # XML: an element, an attribute
    re.compile(r"(?P<before><(?P<name>[\w.:-]{1,200})(?:\s[^<>]*)?>)(?P<value>[^<]+)"),
    re.compile(r'(?P<before>\s(?P<name>[\w.:-]{1,200})\s*=\s*")(?P<value>[^"]*)'),
)

_Replace = Callable[[str, Any], Any]
"""Gives what is to stand in place of a secret's value, from its name and the value."""


def is_secret(name: str) -> bool:
    """Whether the value of a field, parameter, cookie or key of this name is a credential."""
    low = unquote_plus(name).lower()
    words = re.split(r"[^a-z0-9]+", low)
    return not SECRET_WORDS.isdisjoint(words) or _PART.search(re.sub(r"[-_.\s]", "", low)) is not None


def redact_field(name: str, value: str) -> str:
    """A header field's value without what is secret in it; URLs in it are redacted too."""
    if value and (is_secret(name) or _SCHEME.match(value)):
        return HIDDEN
    return redact_url(value)


def redact_url(text: str) -> str:
    """A URL, a request's path, or a text with URLs in it, without user, password and values of secret parameters."""
    return _rewrite(_USERINFO.sub(f"{HIDDEN}@", text), _QUERY, _hide)


def redact_bad_url(text: str) -> str:
    """The same for what can't be read as a URL, whose secret parts can't be told from the others."""
    before, mark, _ = text.partition("?")
    scheme, slashes, rest = before.rpartition("//") if "//" in before else ("", "", before)
    if "@" in text[len(scheme) + len(slashes) :]:  # a password may hold a raw ?, # or /
        return f"{scheme}{slashes}{HIDDEN}@{text.rpartition('@')[2].partition('?')[0]}"
    return f"{scheme}{slashes}{rest}{mark}{'…' if mark else ''}"


@lru_cache(2)  # a plan is recorded several times
def redact_body(body: bytes) -> bytes:
    """A request's body without the values of secret names, where it is a form, JSON, multipart or XML."""
    return _rewrite_body(body, _hide)


def missing_names(body: bytes) -> list[str]:
    """The names in a body whose values were redacted."""
    names: list[str] = []
    _rewrite_body(body, _collect(names))
    return names


def missing_in_url(url: str) -> list[str]:
    """The names of what was redacted in a URL."""
    names: list[str] = []
    _rewrite(url, _QUERY, _collect(names))
    return names + ["password" for mark in _MISSING_USERINFO if mark in url]


def is_redacted_field(value: str) -> bool:
    """Whether something is missing in a field's recorded value."""
    return value == HIDDEN or bool(missing_in_url(value))


def _hide(_name: str, _value: Any) -> str:
    return HIDDEN


def _collect(names: list[str]) -> _Replace:
    def collect(name: str, value: Any) -> Any:
        if value == HIDDEN:
            names.append(unquote_plus(name))
        return value

    return collect


def _rewrite(text: str, patterns: tuple[re.Pattern[str], ...], replace: _Replace) -> str:
    def one(found: re.Match[str]) -> str:
        name, value = found["name"], found["value"]
        return found["before"] + (replace(name, value) if value and is_secret(name) else value)

    for pattern in patterns:
        text = pattern.sub(one, text)
    return text


def _rewrite_body(body: bytes, replace: _Replace) -> bytes:
    text = body.decode("utf-8", "surrogateescape")
    try:
        value = json.loads(text)
        found = _rewrite_json(value, replace)
        return body if found == value else json.dumps(found).encode("ascii")
    except (ValueError, RecursionError):
        return _rewrite(text, _IN_BODY, replace).encode("utf-8", "surrogateescape")


def _rewrite_json(value: Any, replace: _Replace) -> Any:
    """A secret name may hold a whole object."""
    if isinstance(value, list):
        return [_rewrite_json(one, replace) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: replace(name, one) if is_secret(name) and one not in (None, "") else _rewrite_json(one, replace)
        for name, one in value.items()
    }
