"""`loadgen locust` and `loadgen ui`, up to the moment in which the process becomes Locust's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import loadgen
from loadgen.cli.locust import BECOME_LOCUST
from tests.support.runner import run_cli

SOURCE = Path(__file__).parents[3] / "locustfiles"  # a wheel holds copies of these


@pytest.fixture
def locust(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The arguments of Locust, once a command has started it."""
    received: list[str] = []

    def become(program: str, command: list[str]) -> None:
        assert [program, "-P", "-c", "-f"] == [sys.executable, *command[1:3], command[4]]
        received.extend(command[5:])
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", become)
    for name in ("LOCUST_WEB_HOST", "LOCUST_WEB_PORT"):
        monkeypatch.delenv(name, raising=False)
    return received


def assert_is_locustfile(path: str, name: str) -> None:
    assert Path(path) == Path(loadgen.__file__).parent / "locustfiles" / name
    assert Path(path).read_bytes() == (SOURCE / name).read_bytes()


def test_the_list_holds_every_locustfile_with_its_first_line() -> None:
    done = run_cli("locust", "--list")
    listed = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    titles = {path.stem: path.read_text(encoding="utf-8").splitlines()[0].strip('"') for path in SOURCE.glob("*.py")}
    assert (done.code, listed) == (0, titles)


@pytest.mark.parametrize("option", ["--requests", "--requests=1000", "--until-precision"])
def test_what_ends_a_comparison_does_not_end_a_run_of_locust(option: str, locust: list[str]) -> None:
    done = run_cli("locust", "compare", "--headless", option, "1000")
    line = (
        f"loadgen: {option.partition('=')[0]} is for loadgen compare; a run in Locust ends by time, so write -t 60s\n"
    )
    assert (done.code, done.stderr, locust) == (2, line, [])


@pytest.mark.parametrize("name", ["side_by_side", "side_by_side.py"])
def test_what_follows_the_name_goes_to_locust(name: str, locust: list[str]) -> None:
    options = ["--headless", "-u", "3", "--list", "-h", "Persistent"]
    assert run_cli("locust", name, *options).code == 0
    path, *arguments = locust
    assert_is_locustfile(path, "side_by_side.py")
    assert arguments == options


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["comprae"], "no locustfile is called 'comprae': did you mean 'compare'?"),
        (["xyz"], "'xyz': choose from compare, non_persistent, parallel, persistent, scenario, side_by_side"),
        ([], "which locustfile? choose from compare, "),
    ],
)
def test_an_unknown_name_is_one_line(arguments: list[str], text: str, locust: list[str]) -> None:
    done = run_cli("locust", *arguments)
    (line,) = done.stderr.splitlines()
    assert text in line
    assert (done.code, done.stdout, locust) == (2, "", [])


@pytest.mark.parametrize(
    ("options", "host", "address"),
    [
        ([], "127.0.0.1", "http://127.0.0.1:8089/"),
        (["--web-port", "8123", "-u", "5"], "127.0.0.1", "http://127.0.0.1:8123/"),
        (["-P8123", "-H", "http://127.0.0.1:80"], "127.0.0.1", "http://127.0.0.1:8123/"),
        (["--web-host=0.0.0.0"], "0.0.0.0", "http://127.0.0.1:8089/"),
        (["--web-host", "::1"], "::1", "http://[::1]:8089/"),
        (["--tls-cert", "cert.pem", "--tls-key", "key.pem"], "127.0.0.1", "https://127.0.0.1:8089/"),
    ],
)
def test_the_web_ui_says_where_it_is(options: list[str], host: str, address: str, locust: list[str]) -> None:
    done = run_cli("ui", *options)
    assert done.stdout == f"Locust's web UI: {address} (Ctrl-C ends it)\n"
    path, *arguments = locust
    assert_is_locustfile(path, "compare.py")
    assert arguments == ["--web-host", host, *options]


def test_the_web_ui_takes_another_locustfile_and_one_of_one_s_own(
    locust: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "mine.py"
    own.touch()
    for name, expected in (("scenario", SOURCE / "scenario.py"), ("mine.py", own), (str(own), own)):
        locust.clear()
        assert run_cli("ui", name, "--web-port", "8124").stdout.startswith("Locust's web UI: http://127.0.0.1:8124/ ")
        assert Path(locust[0]).name == expected.name
        assert Path(locust[0]).read_bytes() == expected.read_bytes()
        assert locust[1:] == ["--web-host", "127.0.0.1", "--web-port", "8124"]
    locust.clear()
    done = run_cli("ui", "scenaro")
    assert (done.code, done.stdout, locust) == (2, "", [])
    assert "did you mean 'scenario'?" in done.stderr
    assert run_cli("locust", "mine.py", "-u", "1").code == 0
    assert locust == [str(own.resolve()), "-u", "1"]


def test_the_web_ui_heeds_locusts_own_variables(locust: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCUST_WEB_PORT", "8200")
    assert "http://127.0.0.1:8200/" in run_cli("ui").stdout
    assert locust


def test_options_that_locust_will_refuse_are_left_to_it(locust: list[str]) -> None:
    assert run_cli("ui", "--web-port").stdout == ""
    assert locust[-1] == "--web-port"


@pytest.mark.parametrize(
    ("does", "code", "said"),
    [("raise KeyboardInterrupt", 130, ""), ("print(*sys.argv); sys.exit(1)", 1, "locust -f a.py\n")],
)
def test_locust_has_its_name_and_ends_quietly_while_it_loads(tmp_path: Path, does: str, code: int, said: str) -> None:
    (tmp_path / "locust").mkdir()
    (tmp_path / "locust" / "main.py").write_text(f"import sys\n\ndef main(): {does}\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-S", "-c", BECOME_LOCUST, "-f", "a.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (code, said, "")
