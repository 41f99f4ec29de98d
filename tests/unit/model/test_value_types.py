"""Each type of option on its way from text to plan, plan file and recorded run, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadgen.model.characters import has_control, has_space_or_control
from loadgen.model.exceptions import PlanError
from loadgen.model.file_value_types import FilePath
from loadgen.model.headers import NEVER_INDEXED
from loadgen.model.json_types import JSON_BASE64, JSON_NUMBER, JSON_PAIR, JSON_TEXTS, JSON_TRUTH, JSON_WHOLE, or_null
from loadgen.model.plan_value_types import Address, Body, Certificates, Header, Method, Policies, ProxyUrl, Url
from loadgen.model.request_body import read_body
from loadgen.model.value_types import (
    Amount,
    Choice,
    Duration,
    Flag,
    Gap,
    ListOf,
    OptionalWhole,
    Percent,
    Rate,
    ValueType,
    Whole,
    Words,
)

SHARE = Percent(0.001, 0.5)
PROXY = "http://user:secret@127.0.0.1:3128"


@pytest.mark.parametrize(
    ("kind", "text", "in_file"),
    [
        (Whole(), "7", 7),
        (Rate(), "250.5", 250.5),
        (Rate(), "100", 100),
        (Duration(), "1500ms", "1500ms"),
        (SHARE, "2 %", "2%"),
        (SHARE, "0.29%", "0.29%"),
        (Gap(), "1.5s", "1.5s"),
        (Amount(), "10", 10),
        (Amount(), "inf", "inf"),
        (Amount(), "007", "007"),
        (Choice("a", "b"), "b", "b"),
        (Method(), "put", "PUT"),
        (Url(), "http://127.0.0.1:80/x", "http://127.0.0.1/x"),
        (Policies(), "close, recycle:3", ["close", "recycle:3"]),
        (ProxyUrl(), "http://127.0.0.1:3128", "http://127.0.0.1:3128"),
        (ListOf(Whole()), "1, 10", [1, 10]),
        (ListOf(Amount()), "1,inf", [1, "inf"]),
        (Words(), "x", "x"),
        (ValueType(), "", ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ValueType) else str(value),
)
def test_a_text_and_a_plan_file_say_the_same(kind: ValueType, text: str, in_file: Any) -> None:
    value = kind.make(kind.read(text))
    assert kind.items("key", value) == {"key": in_file}
    items = in_file if isinstance(in_file, list) else [in_file]
    assert all(isinstance(item, kind.file_types) for item in items)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Whole(), 5),
        (OptionalWhole(), None),
        (Rate(), 0.5),
        (SHARE, 0.02),
        (SHARE, None),
        (Duration(), 9),
        (Flag(), True),
        (Url(), Url().make("https://h/")),
        (Policies(), Policies().make("close,persistent")),
        (Header(), (("A", "1"),)),
        (Address(), ("127.0.0.2",)),
        (Body(), b"\xff"),
        (Certificates("--cacert"), None),
        (ProxyUrl(), None),
        (ProxyUrl(), ProxyUrl().make(PROXY)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ValueType) else "",
)
def test_what_is_recorded_is_restored(kind: ValueType, value: Any) -> None:
    recorded = kind.record(value, secrets=True)
    assert kind.json.fits(recorded)
    assert kind.restore(recorded) == value


@pytest.mark.parametrize(
    ("kind", "text", "complaint"),
    [
        (Words(), "", "it is empty"),
        (FilePath(), "", "it is empty"),
        (Whole(), "many", "'many' is not a valid integer."),
        (Rate(), "fast", "'fast' is not a valid float."),
        (SHARE, "2", "'2' is not a percentage; write it like 2%"),
        (SHARE, "-2%", "'-2%' is not a percentage"),
        (SHARE, "nan%", "'nan%' is not a percentage"),
        (Duration(), "2", "'2' is not a duration"),
        (Gap(), "soon", "'soon' is not a duration"),
        (Choice("a", "b"), "c", "'c' is not one of 'a', 'b'."),
        (ListOf(Whole()), ",", "',' names no value"),
        (ListOf(Whole()), "1,x", "'x' is not a valid integer."),
    ],
)
def test_what_can_t_be_read_is_one_line(kind: ValueType, text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match="^" + complaint.replace(".", r"\.")) as caught:
        kind.read(text)
    assert not isinstance(caught.value, PlanError)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("0.1%", ""),
        ("50%", ""),
        ("0%", "is 0%; it must lie between 0.1% and 50%"),
        ("51%", "is 51%; it must lie between 0.1% and 50%"),
        (f"{'9' * 400}%", "is inf%; it must lie between 0.1% and 50%"),
    ],
)
def test_a_share_lies_in_its_range(text: str, complaint: str) -> None:
    assert SHARE.complaint(SHARE.read(text)) == complaint


def test_credentials_are_recorded_only_where_they_are_asked_for() -> None:
    fields = tuple((name.title(), "secret") for name in sorted(NEVER_INDEXED))
    for kind, value in ((Header(), (*fields, ("X", "open"))), (ProxyUrl(), ProxyUrl().make(PROXY))):
        assert "secret" in str(kind.record(value, secrets=True))
        shown = str(kind.record(value, secrets=False))
        assert "secret" not in shown
        assert "***" in shown
    hidden = ProxyUrl().record(ProxyUrl().make(PROXY), secrets=False)
    assert hidden is not None
    with pytest.raises(PlanError, match="give them again with --proxy"):
        ProxyUrl().make(hidden)


def test_a_body_is_text_where_a_plan_file_can_say_it() -> None:
    body = Body()
    assert body.items("data", b"") == {}
    assert body.items("data", "é".encode()) == {"data": "é"}
    assert body.items("data", b"@name") == {"data-base64": "QG5hbWU="}
    assert body.items("data", b"\xff") == {"data-base64": "/w=="}


def test_a_rate_of_nothing_and_an_empty_list_are_not_written() -> None:
    assert Rate().items("rate", 0.0) == {}
    assert Header().items("headers", ()) == {}
    assert ProxyUrl().items("proxy", None) == {}


def test_a_body_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"\x00\xff")
    assert read_body("@body", tmp_path) == b"\x00\xff"
    assert read_body("text") == b"text"
    assert read_body(b"@bytes") == b"@bytes"
    with pytest.raises(PlanError, match=r"^--data .*nowhere: No such file"):
        read_body("@nowhere", tmp_path)
    with pytest.raises(PlanError, match="longer than 64 MiB"):
        read_body("@/dev/zero")


@pytest.mark.parametrize(
    ("text", "control", "in_url"),
    [("a", False, False), ("a b", False, True), ("a\tb", True, True), ("a\x7f", True, True), ("é", False, False)],
)
def test_characters_that_end_a_line(text: str, control: bool, in_url: bool) -> None:
    assert has_control(text) == control
    assert has_control(text, allowed="\t\x7f") is False
    assert has_space_or_control(text) == in_url


def test_json_types() -> None:
    assert JSON_WHOLE.fits(5)
    for wrong in (True, -1, 1.0, 1 << 63, "5", None):
        assert not JSON_WHOLE.fits(wrong)
    assert JSON_NUMBER.fits(1.5)
    assert not JSON_NUMBER.fits(True)
    assert JSON_TRUTH.fits(False)
    assert JSON_TEXTS.fits(["a"])
    assert not JSON_TEXTS.fits("a")
    assert JSON_PAIR.fits(["a", "b"])
    assert not JSON_PAIR.fits(["a"])
    assert JSON_BASE64.fits("QQ==")
    assert not JSON_BASE64.fits("?")
    assert or_null(JSON_WHOLE).fits(None)
    assert or_null(JSON_WHOLE).words == "a whole number or null"
