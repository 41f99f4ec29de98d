"""What our fields of Locust's start form show, and what is meant by what comes back."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from loadgen.swarm.form_fields import FormTexts, form_fields, with_form, without_ours
from loadgen.swarm.options import IN_FORM
from tests.support.fake_swarm import locust_options

GIVEN = {
    "header": "Accept: a, b\nAuthorization: Bearer abc\nX-Api-Key:k3y",
    "data": "user=me&password=pa55",
    "proxy": "http://me:pa55@127.0.0.1:3128",
    "key_passphrase": "env:PA55",
    "policies": "close",
}
SHOWN = {
    "header": "Accept: a, b\nAuthorization: ***\nX-Api-Key: ***",
    "data": "user=me&password=***",
    "proxy": "http://***@127.0.0.1:3128",
    "key_passphrase": "***",
    "policies": "close",
}


def shown(texts: FormTexts) -> dict[str, Any]:
    fields: dict[str, dict[str, Any]] = {one.name: {"default_value": "as Locust has it"} for one in IN_FORM}
    texts.fill({**fields, "theirs": {"default_value": 1}})
    return {name: field["default_value"] for name, field in fields.items()}


def test_no_secret_of_the_command_line_is_shown_and_each_one_is_meant() -> None:
    texts = FormTexts(locust_options(**GIVEN))
    fields = shown(texts)
    assert {name: fields[name] for name in SHOWN} == SHOWN
    assert (fields["seed"], fields["tickets"], fields["max_samples"]) == ("", True, 3_000_000)
    assert dict(texts.taken({name: fields[name] for name in GIVEN})) == GIVEN


def test_what_was_written_beside_what_was_shown_is_taken_as_it_stands() -> None:
    texts = FormTexts(locust_options(**GIVEN))
    form = {"header": "X-B: 1\u2028Authorization: ***\nX-Other: ***", "proxy": "http://other:1", "data": "a\u2028b"}
    assert dict(texts.taken(form)) == {
        "header": "X-B: 1\nAuthorization: Bearer abc\nX-Other: ***", "proxy": "http://other:1", "data": "a\nb",
    }  # fmt: skip


def test_each_line_of_a_list_is_shown_without_its_secrets_and_may_stay_as_it_was() -> None:
    secret = '{"url": "/a", "headers": {"Authorization": "Bearer abc"}, "body": "password=x"}'
    texts = FormTexts(locust_options(urls=f'{{"url": "/"}}\n{secret}\n# {secret}'))
    shown_lines = shown(texts)["urls"].split("\n")
    assert shown_lines[0] == '{"url": "/"}'
    assert shown_lines[1] == '{"url": "/a", "headers": {"Authorization": "***"}, "body": "password=***"}'
    assert shown_lines[2] == "***"
    taken = texts.taken({"urls": "\u2028".join([shown_lines[1], '{"url": "/new"}'])})
    assert dict(taken) == {"urls": f'{secret}\n{{"url": "/new"}}'}
    assert shown(FormTexts(locust_options(urls="shop.jsonl")))["urls"] == "shop.jsonl"


def test_names_come_back_as_locust_s_page_writes_them() -> None:
    taken = FormTexts(locust_options()).taken(MultiDict([("ipv_4", "true"), ("dns_ttl", "1s"), ("theirs_1", "x")]))
    assert dict(taken) == {"ipv4": "true", "dns_ttl": "1s", "theirs_1": "x"}
    several = FormTexts(locust_options()).taken(MultiDict([("user_classes", "A"), ("user_classes", "B")]))
    assert several.getlist("user_classes") == ["A", "B"]
    assert without_ours(MultiDict([("ipv_4", "true"), ("data", "x"), ("host", "h")])).to_dict() == {"host": "h"}


def test_the_options_as_they_will_be() -> None:
    options = with_form(locust_options(), {"trailers": "true", "tickets": "false", "data": "x", "unknown": "y"})
    assert (options.trailers, options.tickets, options.data) == (True, False, "x")
    assert not hasattr(options, "unknown")


def test_the_page_learns_group_and_shape_of_each_field() -> None:
    fields = form_fields()
    assert fields["header"] == {"group": "Target", "has_lines": True}
    assert fields["data"]["has_lines"]
    assert fields["urls"]["has_lines"]
    assert fields["tls_version"] == {"group": "TLS", "has_lines": False}
    groups = [one["group"] for one in fields.values()]
    assert groups == sorted(groups, key=list(dict.fromkeys(groups)).index)  # those of one heading stand together
