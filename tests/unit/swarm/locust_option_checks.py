"""Every option of `loadgen compare` in Locust: its command line, its variables, its configuration files, its form.

Run by `test_with_locust` in a child process, which Locust patches.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from locust.argument_parser import get_parser, ui_extra_args_dict
from locust.env import Environment
from locust.web import WebUI

import loadgen.swarm.locust_events  # noqa: F401 # it connects loadgen with Locust
from loadgen.model.file_value_types import FileName
from loadgen.model.option import COMPARE
from loadgen.model.options import OPTIONS
from loadgen.model.tls_value_types import SecretSource
from loadgen.model.value_types import Choice, Duration, Flag, Whole
from loadgen.swarm.form_fields import FormTexts, with_form
from loadgen.swarm.live_view import LiveView
from loadgen.swarm.option_texts import value_of
from loadgen.swarm.options import IN_FORM, locust_options, variable
from loadgen.swarm.start_form import StartForm
from loadgen.swarm.target_host import TargetHost
from loadgen.swarm.web import install
from tests.support.fake_locustfile import NoAudit

LOCUST_OPTIONS = locust_options()
SAMPLES: dict[str, str] = {
    "header": "X-A: 1, 2\nX-B: 3", "data": 'one "body"', "method": "put", "path": "/orders?id=1",
    "policies": "close,recycle:5",
    "tls_version": "1.2-1.3", "ciphers": "ECDHE-RSA-AES128-GCM-SHA256",
    "groups": "X25519:P-256", "alpn": "h2,http/1.1", "sni": "example.org", "proxy": "http://127.0.0.1:3128",
    "no_proxy": "localhost,10.0.0.0/8", "proxy_protocol": "2",
    "source_ip": "127.0.0.1\n127.0.0.2", "connect_to": "127.0.0.1:8080\nunix:/run/app.sock",
    "resolve": "a:80:127.0.0.1", "dns_ttl": "record", "dns_server": "127.0.0.1:53", "backend_header": "X-Backend",
    "fail_if": "errors > 1%\nclose.latency_ms.p99 > 50", "max_errors": "2%", "equivalent": "3%",
    "export": "csv\njson=x.json", "results": "elsewhere", "run_name": "mine", "urls": "urls.ndjson",
}  # fmt: skip
"""A value for each option whose type does not say one, several of them line by line."""


def sample(option: Any) -> str:
    """A value that is not the default, as a text."""
    if option.name in SAMPLES:
        return SAMPLES[option.name]
    match option.type:
        case Flag():
            return "false" if option.default else "true"
        case Choice(words=words):
            return str(words[-1])
        case Duration():
            return "70ms"
        case Whole():
            return "4711"
        case SecretSource():
            return "env:NAME"
        case FileName():
            return "one.pem\ntwo.pem" if option.type.is_repeated else "one.pem"
    raise AssertionError(f"--{option.key} needs a value in SAMPLES")


WANTED = {option.name: sample(option) for option in LOCUST_OPTIONS}


def arguments() -> list[str]:
    found = []
    for option in LOCUST_OPTIONS:
        if isinstance(option.type, Flag):
            found.append(f"--{'' if WANTED[option.name] == 'true' else 'no-'}{option.key}")
        else:
            texts = WANTED[option.name].splitlines() if option.type.is_repeated else [WANTED[option.name]]
            found += [f"--{option.key}={text}" for text in texts]
    return found


def parsed(*words: str) -> dict[str, Any]:
    """Our options as Locust's parser has them."""
    found = vars(get_parser(default_config_files=[]).parse_args(["-f", "x.py", *words]))
    return {option.name: found[option.name] for option in LOCUST_OPTIONS}


def as_list(option: Any, quoted: str) -> str:
    """How a variable or a file has several values; quoted: what one of them stands in."""
    texts = WANTED[option.name].splitlines()
    if not option.type.is_repeated or len(texts) == 1:
        return WANTED[option.name]
    return "[" + ", ".join(f"{quoted}{text}{quoted}" for text in texts) + "]"


@pytest.fixture(scope="module")
def by_command_line() -> dict[str, Any]:
    return parsed(*arguments())


def test_each_option_of_a_comparison_is_in_locust_or_says_why_not() -> None:
    for option in OPTIONS:
        if COMPARE in option.commands:
            assert (option.locust is None) is bool(option.not_in_locust), option.name
    reasons = [option.not_in_locust for option in OPTIONS if option.not_in_locust]
    assert 15 < len(reasons) < 30
    assert len(LOCUST_OPTIONS) > 40


def test_the_command_line_takes_each_of_them(by_command_line: dict[str, Any]) -> None:
    before = parsed()
    for option in LOCUST_OPTIONS:
        assert by_command_line[option.name] != before[option.name], option.name
        assert value_of(option, by_command_line[option.name]) == value_of(option, read(option)), option.name


def read(option: Any) -> Any:
    """The wanted value as a parser of command lines has it."""
    text = WANTED[option.name]
    return text == "true" if isinstance(option.type, Flag) else text


def test_a_variable_of_the_environment_sets_each_of_them(
    by_command_line: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for option in LOCUST_OPTIONS:
        monkeypatch.setenv(variable(option), as_list(option, '"'))
    assert parsed() == by_command_line
    assert parsed("--seed", "5")["seed"] == 5  # the command line wins


def test_no_variable_is_one_of_locust_s_own() -> None:
    parser = get_parser(default_config_files=[])
    used = Counter(action.env_var for action in parser._actions if getattr(action, "env_var", None))
    assert [name for name, count in used.items() if count > 1] == []


@pytest.mark.parametrize("name", ["loadgen.conf", "loadgen.toml"])
def test_a_configuration_file_sets_each_of_them(name: str, by_command_line: dict[str, Any], tmp_path: Path) -> None:
    lines = ["[tool.locust]"] if name.endswith("toml") else []
    for option in LOCUST_OPTIONS:
        text = as_list(option, '"')
        if name.endswith("toml") and not text.startswith("["):
            text = f"'{text}'"
        lines.append(f"{option.key} = {text}")
    path = tmp_path / name
    path.write_text("\n".join(lines), encoding="utf-8")
    assert parsed("--config", str(path)) == by_command_line


def test_the_form_takes_each_that_it_shows(by_command_line: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["locust", "-f", "x.py", "--header", "Authorization: Bearer abc"])
    assert set(ui_extra_args_dict()) == {option.name for option in IN_FORM}
    options = get_parser(default_config_files=[]).parse_args()
    environment = Environment(user_classes=[], parsed_options=options)
    started: list[tuple[int, float]] = []
    runner = environment.create_local_runner()
    monkeypatch.setattr(runner, "start", lambda users, rate: started.append((users, rate)))
    web_ui = WebUI(environment, "127.0.0.1", 0, delayed_start=True)
    form = StartForm(environment, TargetHost(environment), LiveView(), lambda: False)
    monkeypatch.setattr(form, "refusal", lambda _form: None)  # the files that are named here are nowhere
    install(environment, LiveView(), form, NoAudit())
    client = web_ui.app.test_client()

    page = client.get("/").get_data(as_text=True)
    assert "Bearer abc" not in page
    assert "Authorization: ***" in page
    places = [page.index(f'"{option.name}": {{"default_value"') for option in IN_FORM]
    assert places == sorted(places)  # as the headings have them

    posted = {option.name: WANTED[option.name] for option in IN_FORM}
    posted["header"] = "Authorization: ***\n" + WANTED["header"]
    del posted["ipv4"], posted["ipv6"]
    answer = client.post(
        "/swarm", data={"user_count": "3", "spawn_rate": "2", "ipv_4": "true", "ipv_6": "true", **posted}
    )
    assert answer.get_json()["success"], answer.get_json()
    for option in IN_FORM:
        meant = "Authorization: Bearer abc\n" if option.name == "header" else ""
        wanted = value_of(option, meant + WANTED[option.name] if meant else by_command_line[option.name])
        assert value_of(option, getattr(options, option.name)) == wanted, option.name
    web_ui._swarm_greenlet.join()  # type: ignore[union-attr] # it has been started
    assert started == [(3, 2.0)]

    # A form without changes means what the command line says, also after one with changes.
    answer = client.post("/swarm", data={"user_count": "1", "spawn_rate": "1", "header": "Authorization: ***"})
    assert options.header == "Authorization: Bearer abc"


def test_what_the_form_shows_is_what_a_check_of_it_sees(by_command_line: dict[str, Any]) -> None:
    texts = FormTexts(get_parser(default_config_files=[]).parse_args(["-f", "x.py"]))
    options = with_form(get_parser(default_config_files=[]).parse_args(["-f", "x.py"]), texts.taken(WANTED))
    for option in IN_FORM:
        assert value_of(option, getattr(options, option.name)) == value_of(option, by_command_line[option.name])
