"""--proxy: what its URL may say, what becomes of it in plans and requests, and that its credentials show nowhere."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadgen.cli import consent
from loadgen.cli.commands import compare, sweep
from loadgen.cli.machine import check_machine
from loadgen.cli.plan_writer import save_plan
from loadgen.drive.requests.builder import RequestBuilder
from loadgen.model.endpoint import Endpoint
from loadgen.model.exceptions import PlanError
from loadgen.model.plan import Plan
from loadgen.model.policy import PARTS, parse_policy
from loadgen.model.proxy import HIDDEN, Proxy, parse_proxy
from loadgen.model.target import parse_target
from tests.support.plans import URL, complaint, planned
from tests.support.policies import sample_text
from tests.support.runner import run_cli

SECRET = "s3cretword"
PROXY = f"http://user:{SECRET}@127.0.0.1:3128"

URLS = {
    "http://127.0.0.1:3128": Proxy("127.0.0.1", 3128),
    "http://proxy.example/": Proxy("proxy.example", 80),
    "http://[::1]:8888": Proxy("::1", 8888),
    "http://user@h": Proxy("h", 80, "user", ""),
    "http://user:@h": Proxy("h", 80, "user", ""),
    "http://us%40er:p%3Aa%2Fs%C3%A9@h:1": Proxy("h", 1, "us@er", "p:a/sé"),
    "http://user:a:b@h": Proxy("h", 80, "user", "a:b"),
    "https://h": Proxy("h", 443, scheme="https"),
    "socks5://user:pw@h": Proxy("h", 1080, "user", "pw", "socks5"),
    "SOCKS5H://us%3Aer:p%0Dw@[::1]:9050": Proxy("::1", 9050, "us:er", "p\rw", "socks5h"),
}


@pytest.mark.parametrize(("url", "proxy"), URLS.items())
def test_what_a_url_says(url: str, proxy: Proxy) -> None:
    assert parse_proxy(url) == proxy
    assert parse_proxy(proxy.url(secrets=True)) == proxy


BAD = {
    f"ftp://user:{SECRET}@h": "'ftp' is not supported; give one of http, https, socks5, socks5h",
    f"socks4://user:{SECRET}@h": "'socks4' is not supported",
    f"socks5://user:{SECRET * 30}@h": "1 to 255 bytes each",
    f"socks5h://:{SECRET}@h": "1 to 255 bytes each",
    f"user:{SECRET}@h:3128": "has no scheme",
    f"http://user:{SECRET} @h": "space or a control character",
    f"http://user:{SECRET}/x@h": "can't be read",
    f"http://user:{SECRET}@h:0": "bad port",
    f"http://user:{SECRET}@h:99999": "can't be read",
    f"http://user:{SECRET}@h/path": "more than a host and a port",
    f"http://user:{SECRET}@h?a": "more than a host and a port",
    f"http://user:{SECRET}@": "names no host",
    f"http://user:{SECRET}@[::1": "can't be read",
    f"http://user:{SECRET}@a b": "space",
    f"http://us%3Aer:{SECRET}@h": "colon",
    f"http://user:{SECRET}%0d%0aX@h": "control character",
    f"http://user:{SECRET}%ff@h": "UTF-8",
    f"http://user:{SECRET}@h_%zz!": "is not a host name",
    f"http://user:{SECRET}@[::1]x:80": "behind the bracket",
    f"http://user:{SECRET}@::1": "write [::1]",
    f"http://user:{SECRET}@127.1:80": "not an IPv4 address",
    f"http://{SECRET}!#@h": "can't be read",
    f"http://user:[{SECRET}?@h": "can't be read",
}


@pytest.mark.parametrize(("url", "said"), BAD.items())
def test_a_bad_url_is_one_line_without_the_password(url: str, said: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse_proxy(url)
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


_CREDENTIAL = st.text(st.characters(exclude_categories=("Cc", "Cs")))


@settings(max_examples=200)
@given(_CREDENTIAL.filter(lambda user: ":" not in user and user != HIDDEN), _CREDENTIAL)
def test_credentials_survive_the_way_to_a_worker(user: str, password: str) -> None:
    proxy = Proxy("h", 81, user, password)
    assert parse_proxy(proxy.url(secrets=True)) == proxy


def test_credentials_show_in_no_text_of_a_plan() -> None:
    plan = planned(compare, URL, "--proxy", PROXY)
    shown = [repr(plan), str(plan.proxy), json.dumps(plan.to_json(secrets=False)), f"{plan.proxy!r}"]
    assert not any(SECRET in text or "dXNlcj" in text or "'user'" in text for text in shown)
    assert plan.to_json(secrets=False)["proxy"] == "http://***@127.0.0.1:3128"
    assert Plan.from_json(plan.to_json(secrets=True)) == plan
    assert Plan.from_json(plan.to_json(secrets=False)).proxy == Proxy("127.0.0.1", 3128, HIDDEN)
    plain = planned(compare, URL, "--proxy", "http://127.0.0.1:3128")
    assert Plan.from_json(plain.to_json(secrets=False)) == replace(plain)


def test_the_basic_scheme() -> None:
    # The examples of RFC 7617 §2 and §2.1.
    assert Proxy("h", 1, "Aladdin", "open sesame").authorization == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert Proxy("h", 1, "test", "123£").authorization == "Basic dGVzdDoxMjPCow=="
    assert Proxy("h", 1).authorization == ""


@pytest.mark.parametrize("command", [compare, sweep])
def test_what_goes_with_a_proxy(command: click.Command) -> None:
    more = ["--users", "1,2"] if command is sweep else []
    assert planned(command, URL, *more, "--proxy", "http://p:3128").proxy == Proxy("p", 3128)
    assert "'Proxy-Authorization' can't be given" in complaint(
        command, URL, *more, "--proxy", PROXY, "-H", "proxy-authorization: Basic x"
    )
    assert planned(command, URL, *more, "--proxy", "https://p").proxy == Proxy("p", 443, scheme="https")
    assert "it is empty" in complaint(command, URL, *more, "--proxy", "")


def test_the_name_that_is_looked_up_is_the_proxys() -> None:
    named = planned(compare, URL, "--proxy", "http://localhost:3128", "--policies", "close,close+resolve")
    assert named.endpoint == Endpoint("localhost", 3128)
    said = complaint(compare, "http://localhost:1/", "--proxy", PROXY, "--policies", "resolve")
    assert "127.0.0.1 is an address already" in said


def test_a_source_address_must_fit_the_proxy() -> None:
    arguments = ["--source-ip", "127.0.0.2", "--proxy"]
    check_machine(planned(compare, "http://[::1]:1/", *arguments, "http://127.0.0.1:3128"))
    assert "::1 is none" in complaint(compare, URL, *arguments, "http://[::1]:3128")


class Asked(Exception):
    """Somebody was asked."""


def asked(monkeypatch: pytest.MonkeyPatch, plan: Plan, embedded: bool) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda _self: True})())
    monkeypatch.setattr(click, "confirm", lambda text, **_more: said.append(text))
    consent.ask_consent(plan.each_target, plan.proxy, embedded=embedded, agreed=False)
    consent.ask_consent(plan.each_target, plan.proxy, embedded=embedded, agreed=True)
    return said


def test_a_person_is_asked_about_target_and_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    def plan(url: str, proxy: str) -> Plan:
        return planned(compare, url, "--proxy", proxy)

    assert asked(monkeypatch, plan(URL, PROXY), False) == []
    (about,) = asked(monkeypatch, plan("http://example.org/", PROXY), False)
    assert about.startswith("example.org is not this machine")
    (about,) = asked(monkeypatch, plan(URL, "http://u:pw@example.org"), True)
    assert about.startswith("The proxy example.org is not this machine")
    assert len(asked(monkeypatch, plan("http://example.org/", "http://example.com"), False)) == 2


# The form of a request's target


@pytest.mark.parametrize("part", [name for name in PARTS if name not in ("streams", "coalesce")])
def test_which_policies_need_a_tunnel(part: str) -> None:
    policy = parse_policy(sample_text(part))
    proxy = Proxy("p.example", 3128)
    clear = Plan(parse_target("http://[::1]:8080/"), (parse_policy("close"),), proxy=proxy)
    secure = Plan(parse_target("https://h/"), (parse_policy("close"),), proxy=proxy)
    needed = part in ("websocket", "websocket-close", "h2", "h2-prior")
    assert clear.tunnels(policy) == needed
    assert secure.tunnels(policy)
    assert not replace(clear, proxy=None).tunnels(policy)
    assert clear.request_target(policy, "/a?b") == ("/a?b" if needed else "http://[::1]:8080/a?b")
    assert secure.request_target(policy, "/a?b") == replace(clear, proxy=None).request_target(policy, "/a?b") == "/a?b"


def test_a_scenarios_requests_take_the_same_form() -> None:
    policy = parse_policy("persistent")
    plan = Plan(parse_target("http://h/"), (policy,), proxy=Proxy("p", 1, "Aladdin", "open sesame"))
    request = RequestBuilder(plan, policy).requests("GET", "/ä?b", (), b"", "").more
    assert request.startswith(b"GET http://h/%C3%A4?b HTTP/1.1\r\nHost: h\r\n")
    assert b"\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n" in request
    through = RequestBuilder(replace(plan, target=parse_target("https://h/")), policy).requests("GET", "/", (), b"", "")
    assert through.more.startswith(b"GET / HTTP/1.1\r\nHost: h\r\n")
    assert b"Proxy" not in through.more


# Plan files


def test_a_saved_plan_leaves_the_credentials_out(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    plan = planned(compare, URL, "--proxy", PROXY, "-H", "Cookie: x", "--seed", "1")
    assert save_plan(path, plan, embedded=False) == ["Cookie", "--proxy"]
    text = path.read_text(encoding="utf-8")
    assert SECRET not in text
    assert "give them with --proxy http://USER:PASSWORD@127.0.0.1:3128" in text.splitlines()[1]
    assert tomllib.loads(text)["proxy"] == "http://127.0.0.1:3128"
    assert planned(compare, "--plan", str(path), "--proxy", PROXY, "-H", "Cookie: x") == plan


def test_a_plan_file_may_hold_them(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(f"proxy = '{PROXY}'\n", encoding="utf-8")
    assert planned(compare, URL, "--plan", str(path)).proxy == parse_proxy(PROXY)
    path.write_text(f"proxy = ['{PROXY}']\n", encoding="utf-8")
    assert complaint(compare, URL, "--plan", str(path)) == f"{path}: proxy is not a text; write a text in quotes"


def test_a_runs_credentials_are_given_again(tmp_path: Path) -> None:
    plan = planned(compare, URL, "--proxy", PROXY, "--seed", "3")
    facts = {"name": "it", "plan": plan.to_json(secrets=False), "environment": {}}
    (tmp_path / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    said = complaint(compare, "--plan", str(tmp_path))
    assert "did not record its proxy's credentials; give them again with --proxy" in said
    assert planned(compare, "--plan", str(tmp_path), "--proxy", PROXY) == plan


@pytest.mark.parametrize(
    ("recorded", "given", "said"),
    [
        (PROXY, None, "did not record its proxy's credentials"),
        (PROXY, "http://user:x@127.0.0.1:3129", "can only give its credentials again"),
        (PROXY, "http://127.0.0.1:3128", "can only give its credentials again"),
        ("http://127.0.0.1:3128", PROXY, "can only give its credentials again"),
        (None, PROXY, "can only give its credentials again"),
    ],
)
def test_a_sweep_goes_on_by_the_same_proxy(tmp_path: Path, recorded: str | None, given: str | None, said: str) -> None:
    more = [] if recorded is None else ["--proxy", recorded]
    plan = planned(sweep, URL, "--recycle", "1,2", *more)
    facts = {"name": "it", "plan": plan.to_json(secrets=False), "environment": {}, "notes": [], "parts": 1}
    (tmp_path / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    done = run_cli("sweep", "--resume", str(tmp_path), *([] if given is None else ["--proxy", given]))
    assert done.code == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert SECRET not in done.stderr
